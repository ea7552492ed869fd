"""Fields of hwplan kinds that take a value of a Secret: a sealed leaf is put where the provider looks for it.

A Secret of the same load gives its own leaf: the value then comes from where the Secret gets it, and its fingerprint is
known before the Secret lives. Of any other one, and of values that are made at apply, the live Secret is read.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from planner.address import Address, is_hwplan_kind
from planner.loading.resource_collector import ResourceCollector
from planner.resource import Resource
from planner.values import JsonObject, SealedSecret

if TYPE_CHECKING:
    from planner.spec.kinds.envelope import SecretLeaf


def seal_secret_refs(intake: ResourceCollector) -> None:
    """Put the leaves into every resource of a hwplan kind that has been taken in. Reads no value."""
    for address, resource in intake.resources.items():
        if is_hwplan_kind(resource.api_version):
            leaf = partial(_leaf, node_lane=address.node_lane, intake=intake)
            intake.resources[address] = _bound(resource, leaf)


def _bound(resource: Resource, leaf: SecretLeaf) -> Resource:
    from planner.plugins import model_of_kind  # models: only where there is a hwplan kind

    model = model_of_kind(resource.address.kind)
    assert model is not None, "checked when it was taken in"
    manifest = model.with_secret_leaves(resource.manifest, leaf)
    return resource if manifest is resource.manifest else replace(resource, manifest=manifest)


def _leaf(ref: JsonObject, node_lane: str, intake: ResourceCollector) -> SealedSecret:
    namespace, _, name = str(ref["secret"]).partition("/")
    declared = intake.resources.get(Address(node_lane, "Secret", "", namespace, name))
    leaf = (declared.manifest.get("data") or {}).get(ref["key"]) if declared else None
    if isinstance(leaf, SealedSecret) and leaf.fingerprint:
        return leaf
    return SealedSecret(f"kubernetes:{namespace}/{name}#{ref['key']}", "")
