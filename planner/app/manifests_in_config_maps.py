"""Kubernetes manifests inside a ConfigMap: a run of the pipeline delivers them, Argo CD applies them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.address import Address, address_of_document
from planner.errors import ConfigError
from planner.graph.resource_index import map_or_empty
from planner.loading.yaml.load_documents import MANIFEST, load_documents
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject

_TEXTS = (".yaml", ".yml", ".json")
_MOST = 512 << 10  # characters of a text that is read as manifests


def manifests_in_config_map(holder: Address, document: JsonObject) -> Iterator[Resource]:
    """The Kubernetes manifests that the data of a ConfigMap holds as texts; each is declared where the ConfigMap is."""
    if (holder.kind, holder.group) != ("ConfigMap", ""):
        return
    for name, text in map_or_empty(document.get("data")).items():
        if isinstance(text, str):
            for one in manifests_in_text(name, text):
                address = one.address._replace(node_lane=holder.node_lane)
                yield replace(one, address=address, source=SourceRef(f"{holder.local}: {name}"))


def manifests_in_text(name: str, text: str) -> Iterator[Resource]:
    """The manifests in a text of that file name. One that is none, or a template of one, holds nothing that could be
    named."""
    if not (name.endswith(_TEXTS) and len(text) <= _MOST and "kind" in text):
        return
    try:
        found = [one.value for one in load_documents(text.encode(), name, MANIFEST)]
    except ConfigError:
        return
    for one in found:
        if isinstance(one, dict) and one.get("apiVersion") and isinstance(one.get("metadata"), dict):
            yield Resource(address_of_document(one), str(one["apiVersion"]), one, "", "", SourceRef(name))
