"""The Secrets that RestObjects name, as sealed leaves in their documents: in the body, and beside the credentials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from planner.editing import with_field
from planner.path import parse
from planner.resource import Resource
from planner.values import JsonObject, Sealed


def bound(resource: Resource, leaf: Callable[[JsonObject], Sealed]) -> Resource:
    """The RestObject with its leaves; `leaf` makes one of `{secret, key}`. Reads nothing."""
    spec: JsonObject = dict(resource.manifest["spec"])
    for path, named in (spec.get("secrets") or {}).items():
        spec["body"] = with_field(spec["body"], parse(path), leaf(named))
    if auth := spec.get("auth"):
        # Without its fingerprint: who asks does not belong to what is asked for.
        spec["auth"] = {**auth, "value": Sealed(leaf({"key": "token", **auth}).ref, "")}
    return replace(resource, manifest={**resource.manifest, "spec": spec})
