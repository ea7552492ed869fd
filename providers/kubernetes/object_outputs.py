"""Outputs of Kubernetes objects: what other resources may refer to by `!ref Kind/ns/name#output`. Pure.

`uid`, `resourceVersion`, `metadata.name`, `metadata.namespace`, and every scalar below `status` by its path, with
list indexes (`status.loadBalancer.ingress[0].ip`).
"""

from __future__ import annotations

from planner.values import JsonObject, JsonValue


def object_outputs(live: JsonObject) -> JsonObject:
    """Every output of a live object that others may refer to: names, uid, version, and scalars of its status."""
    metadata = live["metadata"]
    out = {"uid": metadata.get("uid", ""), "resourceVersion": metadata.get("resourceVersion", "")}
    out |= outputs_before_create(live)
    if status := live.get("status"):
        _flatten("status", status, out)
    return out


def outputs_before_create(document: JsonObject) -> JsonObject:
    """The outputs that are known before an object exists."""
    metadata = document["metadata"]
    out: JsonObject = {"metadata.name": metadata["name"]}
    if metadata.get("namespace"):
        out["metadata.namespace"] = metadata["namespace"]
    return out


def outputs_stable_over_update(live: JsonObject) -> JsonObject:
    """The outputs that an update leaves as they are."""
    return {"uid": live["metadata"].get("uid", ""), **outputs_before_create(live)}


def _flatten(path: str, value: JsonValue, out: JsonObject) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _flatten(f"{path}.{key}", item, out)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _flatten(f"{path}[{index}]", item, out)
    else:
        out[path] = value
