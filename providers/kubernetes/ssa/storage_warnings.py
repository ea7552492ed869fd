"""Warnings of the API server about volumes, claims and the kinds of storage. Pure; see server_warnings.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planner.values import JsonObject
from providers.kubernetes.ssa.claim_warnings import claim_spec_warnings
from providers.kubernetes.ssa.pod_validation_rules import maps_in_list
from providers.kubernetes.ssa.pod_warnings import NODE_LABELS, SPELLED, VOLUMES, node_affinity_term_warnings
from providers.kubernetes.ssa.typed_values import equal_json

_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"


def _claim(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    if _STORAGE_CLASS in (after["metadata"].get("annotations") or {}):
        words = 'deprecated since v1.8; use "storageClassName" attribute instead'
        yield f"metadata.annotations[{_STORAGE_CLASS}]: {words}"
    yield from claim_spec_warnings("spec", after.get("spec") or {})


def _volume(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    spec, annotations = after.get("spec") or {}, after["metadata"].get("annotations") or {}
    replaced = ((_STORAGE_CLASS, "v1.8", "storageClassName"), (_MOUNT_OPTIONS, "v1.31", "mountOptions"))
    for key, since, field in replaced:
        if key in annotations:
            yield f'metadata.annotations[{key}]: deprecated since {since}; use "{field}" attribute instead'
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        words = "Instead, the recommended approach is to use dynamic provisioning."
        yield f"spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. {words}"
    required = (spec.get("nodeAffinity") or {}).get("required") or {}
    for index, term in enumerate(maps_in_list(required, "nodeSelectorTerms")):
        yield from node_affinity_term_warnings(f"spec.nodeAffinity.required.nodeSelectorTerms[{index}]", term)
    for name in sorted(spec.keys() & VOLUMES.keys() - {"gitRepo", "flocker", "quobyte"}):
        yield f"spec.{SPELLED.get(name, name)}: {VOLUMES[name]}"


def _storage_class(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    for index, term in enumerate(maps_in_list(after, "allowedTopologies")):
        for number, item in enumerate(maps_in_list(term, "matchLabelExpressions")):
            if words := NODE_LABELS.get(str(item.get("key"))):
                yield f"allowedTopologies[{index}].matchLabelExpressions[{number}].key: {words}"


def _storage_capacity(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    selector = after.get("nodeTopology") or {}
    yield from node_affinity_term_warnings("nodeTopology", selector)
    for label in selector.get("matchLabels") or {}:
        if label in NODE_LABELS:
            yield f"nodeTopology.matchLabels.{label}: {NODE_LABELS[label]}"


def _driver(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    spec, before = after.get("spec") or {}, (live or {}).get("spec") or {}
    moved = live is None or not equal_json(spec.get("tokenRequests"), before.get("tokenRequests"))
    if spec.get("tokenRequests") and moved and spec.get("serviceAccountTokenInSecrets") is None:
        yield (
            "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent "
            "possible logging of tokens in volume attributes"
        )


STORAGE_WARNINGS: Final = {
    ("", "PersistentVolume"): _volume,
    ("", "PersistentVolumeClaim"): _claim,
    ("storage.k8s.io", "CSIDriver"): _driver,
    ("storage.k8s.io", "CSIStorageCapacity"): _storage_capacity,
    ("storage.k8s.io", "StorageClass"): _storage_class,
}
