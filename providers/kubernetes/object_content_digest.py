"""The digest of an object's content: of all that it is but what the server and its controllers count about it. Pure.

The digest is the precondition of a write (docs/adr/0003): it changes with any change of spec, data, labels,
annotations, owners, finalizers, or the beginning of a deletion, and not with what controllers write by themselves:

- `status` at the top, and of metadata `managedFields`, `resourceVersion`, `generation`, `selfLink`;
- of metadata `uid` and `creationTimestamp`: a precondition carries the uid itself;
- annotations that are status by another name (`VOLATILE_ANNOTATIONS`), and those that other managers alone own: an
  apply leaves them as they are, so that they change nothing that is approved (docs/adr/0030). What hwplan reads counts;
- fields that are status by another name: renewals of a Lease, `operation` of an Argo CD Application;
- rules of an aggregated ClusterRole.

Values of Secrets enter only as keyed fingerprints, also those in kubectl's last-applied annotation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Final

from planner.field_path import FieldPath
from planner.ports import Fingerprinter
from planner.resource import ANNOTATION
from planner.values import Json, JsonObject, JsonValue, encode_special_leaves
from providers.cluster_interface import FIELD_MANAGER
from providers.kubernetes.controller_derived_fields import without_controller_fields

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

VOLATILE_ANNOTATIONS: Final = frozenset(
    {
        "deployment.kubernetes.io/revision",  # counted by the Deployment controller
        "control-plane.alpha.kubernetes.io/leader",  # leader election heart-beat
        "endpoints.kubernetes.io/last-change-trigger-time",
        "autoscaling.alpha.kubernetes.io/conditions",  # status of an autoscaling/v2 object, seen as v1
        "autoscaling.alpha.kubernetes.io/current-metrics",
        "argocd.argoproj.io/refresh",  # a request to Argo CD that it takes away again
    }
)

# Written by the volume and the Deployment controllers (Kubernetes, well-known annotations).
_CONTROLLER_ANNOTATIONS: Final = (
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
)
_SERVER_METADATA: Final = frozenset(
    {"managedFields", "resourceVersion", "generation", "selfLink", "uid", "creationTimestamp"}
)
_DELETION: Final = frozenset({"deletionTimestamp", "deletionGracePeriodSeconds"})
_VOLATILE_FIELDS: Final = {
    ("coordination.k8s.io", "Lease"): ("spec", frozenset({"renewTime", "acquireTime", "leaseTransitions"})),
}
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def object_content_digest(live: JsonObject, fingerprinter: Fingerprinter) -> str:
    """`sha256:<hex>` of the object's content (see the module). `live` is not changed.

    Secret values go through `fingerprinter`; a value that is a fingerprint or a special leaf already stays as it is.
    """
    document = {key: value for key, value in live.items() if key != "status"}
    document["metadata"] = _metadata(live.get("metadata") or {})
    document = without_controller_fields(document)
    kind = live.get("kind")
    if kind == "Secret" and live.get("apiVersion") == "v1":
        document = _sealed(document, fingerprinter)
    elif kind == "Lease" or kind == "Application":
        _drop_volatile(document)
    return "sha256:" + hashlib.sha256(_ENCODER.encode(document).encode("utf-8", "surrogatepass")).hexdigest()


def is_server_set_field(path: FieldPath) -> bool:
    """Whether the server, a controller or kubectl writes this field for itself: nobody declares it."""
    match path:
        case ("status", *_):
            return True
        case ("metadata", "annotations", str(key), *_):
            return key == LAST_APPLIED or key in VOLATILE_ANNOTATIONS or key.startswith(_CONTROLLER_ANNOTATIONS)
        case ("metadata", str(key), *_):
            return key in _SERVER_METADATA | _DELETION
    return False


def _metadata(metadata: JsonObject) -> JsonObject:
    retained = {key: value for key, value in metadata.items() if key not in _SERVER_METADATA}
    annotations = retained.get("annotations")
    if annotations and metadata.get("managedFields"):
        foreign = _foreign_annotations(metadata["managedFields"])
        annotations = {key: value for key, value in annotations.items() if key not in foreign}
        retained["annotations"] = annotations
    if annotations and not VOLATILE_ANNOTATIONS.isdisjoint(annotations):
        annotations = {key: value for key, value in annotations.items() if key not in VOLATILE_ANNOTATIONS}
        retained["annotations"] = annotations
    if not annotations:
        retained.pop("annotations", None)  # the same, whether the last volatile one was there or not
    return retained


def _foreign_annotations(managed: JsonValue) -> set[str]:
    """The keys of the annotations that others own, and our field manager does not; hostile shapes own nothing."""
    ours: set[str] = set()
    others: set[str] = set()
    for entry in managed if isinstance(managed, list) else ():
        node: Json = entry.get("fieldsV1") if isinstance(entry, dict) else None
        for name in ("f:metadata", "f:annotations"):
            node = node.get(name) if isinstance(node, dict) else None
        keys = {str(key).removeprefix("f:") for key in node} if isinstance(node, dict) else set()
        applied = isinstance(entry, dict) and (entry.get("manager"), entry.get("operation")) == (FIELD_MANAGER, "Apply")
        (ours if applied else others).update(keys)
    return {key for key in others - ours if not key.startswith(ANNOTATION)}


def _drop_volatile(document: JsonObject) -> None:
    group = str(document.get("apiVersion", "")).partition("/")[0]
    if group == "argoproj.io":
        document.pop("operation", None)
    if rule := _VOLATILE_FIELDS.get((group, str(document.get("kind")))):
        parent, hidden = rule
        fields = document.get(parent)
        if isinstance(fields, dict):
            document[parent] = {key: value for key, value in fields.items() if key not in hidden}


def _sealed(document: JsonObject, fingerprinter: Fingerprinter) -> JsonObject:
    out = dict(document)
    for part in ("data", "stringData"):
        values = document.get(part)
        if isinstance(values, dict):
            out[part] = {key: _fingerprint(part, value, fingerprinter) for key, value in values.items()}
    annotations = document["metadata"].get("annotations")
    if annotations and LAST_APPLIED in annotations:
        print_of_it = fingerprinter.fingerprint(str(annotations[LAST_APPLIED]).encode())
        out["metadata"] = {**document["metadata"], "annotations": {**annotations, LAST_APPLIED: print_of_it}}
    return out


def _fingerprint(part: str, value: JsonValue, fingerprinter: Fingerprinter) -> Json:
    if value is None:
        return None
    if not isinstance(value, str):
        return encode_special_leaves(value)  # a Sealed leaf: its JSON form holds a fingerprint
    if value.startswith("hmac-sha256:"):
        return value
    try:
        raw = base64.b64decode(value, validate=True) if part == "data" else value.encode()
    except (binascii.Error, ValueError):
        raw = value.encode()
    return fingerprinter.fingerprint(raw)
