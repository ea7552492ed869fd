"""The Secrets that RestObjects name, as sealed leaves in their documents: in the body, and beside the credentials.

A Secret of the same load gives its own leaves: the value then comes from where the Secret gets it, and its fingerprint
is known before the Secret lives. Of any other one, and of values that are made at apply, the live Secret is read.
"""

from __future__ import annotations

from dataclasses import replace

from planner.address import Address, is_own_kind
from planner.editing import with_field
from planner.loading.intake import Intake
from planner.path import parse
from planner.resource import Resource
from planner.values import Json, JsonObject, Sealed


def bind_secrets(intake: Intake) -> None:
    """Put the leaves into every RestObject that has been taken in. Reads nothing."""
    for address, resource in intake.resources.items():
        if address.kind == "RestObject" and is_own_kind(resource.api_version):
            intake.resources[address] = _bound(resource, intake)


def _bound(resource: Resource, intake: Intake) -> Resource:
    spec: JsonObject = dict(resource.manifest["spec"])
    for path, named in (spec.get("secrets") or {}).items():
        spec["body"] = with_field(spec["body"], parse(path), _leaf(named, resource.address.place, intake))
    if auth := spec.get("auth"):
        leaf = _leaf({"key": "token", **auth}, resource.address.place, intake)
        # Without its fingerprint: who asks does not belong to what is asked for.
        spec["auth"] = {**auth, "value": Sealed(leaf.ref, "")}
    return replace(resource, manifest={**resource.manifest, "spec": spec})


def _leaf(named: Json, place: str, intake: Intake) -> Sealed:
    namespace, _, name = named["secret"].partition("/")
    declared = intake.resources.get(Address(place, "Secret", "", namespace, name))
    leaf = (declared.manifest.get("data") or {}).get(named["key"]) if declared else None
    if isinstance(leaf, Sealed) and leaf.fingerprint:
        return leaf
    return Sealed(f"kubernetes:{namespace}/{name}#{named['key']}", "")
