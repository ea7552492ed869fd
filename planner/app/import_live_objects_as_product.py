"""Importing: what lives in namespaces becomes a product whose first apply adopts it and changes nothing.

Reads the cluster, and writes files where none stands; the cluster is not changed. Of a Secret only a reference is
written: its source is the live Secret itself, until somebody names a better one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.address import Address, group_of_api_version
from planner.app.request import Request
from planner.app.runtime import open_cluster
from planner.app.starter_product import NewProduct
from planner.dataclass import dataclass
from planner.errors import ConfigError, PermanentError, ProviderError, SelectionError
from planner.loading.yaml.load_documents import TEMPLATE, load_documents
from planner.values import Json, JsonObject, JsonValue
from providers.cluster_interface import Cluster, KubernetesListScope, ServedKubernetesKind
from providers.kubernetes.adoptable_document import adoptable_document, owned_set_of_object, why_object_not_declarable
from providers.kubernetes.cluster_merge_types import ClusterMergeTypes

_SCOPE = "imported"
_VERBS = frozenset({"list", "patch"})


@dataclass(frozen=True, slots=True)
class ImportedObjects:
    """The live objects to import: documents by namespace ("" for cluster-scoped ones), by their addresses; what was
    left out, and why."""

    documents: Mapping[str, tuple[JsonObject, ...]]
    left_out: Mapping[str, str]

    @property
    def count(self) -> int:
        """How many documents there are."""
        return sum(map(len, self.documents.values()))


def read_importable_objects(
    request: Request, namespaces: Sequence[str], also: Sequence[str], exclude: Sequence[str]
) -> ImportedObjects:
    """Every object of the namespaces that may be somebody's declaration, the namespaces themselves, and the objects
    without a namespace that match `also` (globs over addresses). Raises ProviderError when anything cannot be read."""
    cluster = open_cluster(request)
    documents: dict[str, dict[Address, JsonObject]] = {name: {} for name in ("", *namespaces)}
    left_out: dict[str, str] = {}
    types = ClusterMergeTypes(cluster)
    for place, live in _live(cluster, namespaces, bool(also)):
        address = _address(live)
        wanted = bool(place.namespace) or (live["kind"] == "Namespace" and address.name in namespaces)
        if not wanted and not any(address.matches(glob) for glob in also):
            continue
        reason = _left_out(live, address, exclude)
        if reason:
            left_out[str(address)] = reason
        else:
            part = _secret(live) if live["kind"] == "Secret" else adoptable_document(live, types.table(place.kind))
            documents[place.namespace].setdefault(address, part)
    missing = [name for name in namespaces if Address("", "Namespace", "", "", name) not in documents[""]]
    if missing:
        text = f"no namespace {', '.join(missing)} that can be imported"
        raise SelectionError(text, remedy="name one that there is, and that belongs to no other set")
    in_order = {name: tuple(found[one] for one in sorted(found)) for name, found in documents.items()}
    return ImportedObjects(in_order, left_out)


def files_of_imported_product(product: NewProduct, found: ImportedObjects) -> dict[Path, str]:
    """The files of a product that declares the objects: a configuration, and a template for each namespace."""
    folder = product.templates / product.name / _SCOPE
    templates = {
        folder / f"{number * 10:02}-{namespace or 'cluster'}.yaml.j2": "".join(map(_document, documents))
        for number, (namespace, documents) in enumerate(found.documents.items())
        if documents
    }
    return {product.config / f"{product.name}.yaml": _configuration(product), **templates}


def _live(cluster: Cluster, namespaces: Sequence[str], whole: bool) -> list[tuple[KubernetesListScope, JsonObject]]:
    """Every object once, at the version that the cluster prefers."""
    kinds: dict[tuple[str, str], ServedKubernetesKind] = {}
    for kind in cluster.kinds():
        if kind.verbs >= _VERBS:
            kinds.setdefault((group_of_api_version(kind.api_version), kind.kind), kind)
    spaced = [KubernetesListScope(kind, name) for kind in kinds.values() if kind.namespaced for name in namespaces]
    single = [kind for kind in kinds.values() if not kind.namespaced and (whole or kind.kind == "Namespace")]
    places = [*(KubernetesListScope(kind, "") for kind in single), *spaced]
    seen: set[str] = set()
    out: list[tuple[KubernetesListScope, JsonObject]] = []
    for place, found in cluster.list(places).items():
        if isinstance(found, ProviderError):
            raise found
        for live in found:
            uid = str(live["metadata"].get("uid", ""))
            if uid not in seen:
                seen.add(uid)
                named = {"apiVersion": place.kind.api_version, "kind": place.kind.kind}
                out.append((place, {**named, **live}))
    return out


def _address(live: JsonObject) -> Address:
    metadata = live["metadata"]
    return Address(
        "", live["kind"], group_of_api_version(live["apiVersion"]), metadata.get("namespace") or "", metadata["name"]
    )


def _left_out(live: JsonObject, address: Address, exclude: Sequence[str]) -> str:
    if any(address.matches(glob) for glob in exclude):
        return "excluded"
    if found := owned_set_of_object(live):
        return f"belongs to the set {found}"
    return why_object_not_declarable(live)


def _secret(live: JsonObject) -> JsonObject:
    """A reference to the live Secret, by the names of its keys."""
    metadata = live["metadata"]
    place = {"namespace": metadata["namespace"], "name": metadata["name"]}
    keys = sorted(live.get("data") or {})
    if not keys:
        where = f"Secret/{place['namespace']}/{place['name']}"
        raise PermanentError("a Secret without keys has no source", where=where, remedy="leave it out with --leave")
    from providers.kubernetes.ssa.merge_types import MergeTypeTable

    bare = adoptable_document({key: value for key, value in live.items() if key != "data"}, MergeTypeTable.builtin())
    texts = {part: bare["metadata"][part] for part in ("labels", "annotations") if bare["metadata"].get(part)}
    return {
        "apiVersion": "hwplan.dev/v1",
        "kind": "SecretSource",
        "metadata": {"name": f"{place['namespace']}.{place['name']}"},
        "spec": {
            "sources": [{"kubernetes": place}],
            "keyMapping": {key: key for key in keys},
            "type": live.get("type", "Opaque"),
            "target": {**place, **texts},
        },
    }


def _configuration(product: NewProduct) -> str:
    head = (
        f"# The product {product.name}, as it was found. Each Secret is its own source, until a better one is named.\n"
    )
    common = {"apiVersion": "hwplan.dev/v1"}
    scope = {"name": _SCOPE, "per": "lane", "description": "What lived when it was imported."}
    spec = {"name": product.name, "version": "1", "templates": product.name, "scopes": [scope]}
    documents: list[Json] = [{**common, "kind": "Product", "spec": spec}]
    if product.declares_node:
        documents.append({**common, "kind": "Nodes", "nodes": {product.node: {"kubeContext": product.context}}})
    lanes = {"lanes": {"main": {}}, "nodes": {product.node: {"main": None}}}
    documents.append({**common, "kind": "Lanes", "product": product.name, **lanes})
    return head + "---\n".join(map(_yaml, documents))


def _document(document: JsonObject) -> str:
    """A document of a template, which says exactly what was read; what looks like a template's words is none."""
    text = _yaml(document)
    if any(mark in text for mark in ("{{", "{%", "{#")):
        if "endraw" in text:
            name = document["metadata"]["name"]
            raise PermanentError(f"{name} holds a word of the template language", remedy="leave it out with --leave")
        text = f"{{% raw %}}\n{text}{{% endraw %}}\n"
    return f"---\n{text}"


def _yaml(document: JsonValue) -> str:
    """YAML where it reads back as the same, else JSON, which is YAML too."""
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]  # a library without types
        """Lines as lines."""

    def lines(dumper: Any, text: str) -> Any:
        style = "|" if "\n" in text and not any(line != line.rstrip() for line in text.split("\n")) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, lines)
    text: str = yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
    try:
        if [one.value for one in load_documents(text.encode(), "", TEMPLATE)] == [document]:
            return text
    except ConfigError:
        pass
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
