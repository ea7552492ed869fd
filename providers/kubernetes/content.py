"""What an object *is*, apart from what the server and its controllers count about it. Pure; no I/O, no decision.

The digest is the precondition of a write (docs/adr/0003): it changes with any change of spec, data, labels,
annotations, owners, finalizers, or the beginning of a deletion, and not with what controllers write by themselves:

- `status` at the top, and of metadata `managedFields`, `resourceVersion`, `generation`, `selfLink`;
- of metadata `uid` and `creationTimestamp`: a precondition carries the uid itself;
- annotations that are status by another name (`VOLATILE_ANNOTATIONS`);
- fields that are status by another name: renewals of a Lease, `operation` of an Argo CD Application.

Values of Secrets enter only as keyed fingerprints, also those in kubectl's last-applied annotation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Final

from planner.ports import Fingerprinter
from planner.values import Json, JsonObject, encode

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

_SERVER_METADATA: Final = frozenset(
    {"managedFields", "resourceVersion", "generation", "selfLink", "uid", "creationTimestamp"}
)
_DELETION: Final = frozenset({"deletionTimestamp", "deletionGracePeriodSeconds"})
_VOLATILE_FIELDS: Final = {
    ("coordination.k8s.io", "Lease"): ("spec", frozenset({"renewTime", "acquireTime", "leaseTransitions"})),
}
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_digest(live: JsonObject, fingerprinter: Fingerprinter) -> str:
    """`sha256:<hex>` of the object's content (see the module). `live` is not changed.

    Secret values go through `fingerprinter`; a value that is a fingerprint or a special leaf already stays as it is.
    """
    document = {key: value for key, value in live.items() if key != "status"}
    document["metadata"] = _metadata(live.get("metadata") or {})
    kind = live.get("kind")
    if kind == "Secret" and live.get("apiVersion") == "v1":
        document = _sealed(document, fingerprinter)
    elif kind == "Lease" or kind == "Application":
        _drop_volatile(document)
    return "sha256:" + hashlib.sha256(_ENCODER.encode(document).encode("utf-8", "surrogatepass")).hexdigest()


def strip_server_fields(live: JsonObject) -> JsonObject:
    """The object as somebody could have written it: no status, no uid, no versions, times, owners of fields, deletion.

    Inner values are shared with `live`, not copied; volatile annotations stay.
    """
    document = {key: value for key, value in live.items() if key != "status"}
    metadata = live.get("metadata")
    if isinstance(metadata, dict):
        hidden = _SERVER_METADATA | _DELETION
        document["metadata"] = {key: value for key, value in metadata.items() if key not in hidden}
    return document


def _metadata(metadata: JsonObject) -> JsonObject:
    kept = {key: value for key, value in metadata.items() if key not in _SERVER_METADATA}
    annotations = kept.get("annotations")
    if annotations and not VOLATILE_ANNOTATIONS.isdisjoint(annotations):
        annotations = {key: value for key, value in annotations.items() if key not in VOLATILE_ANNOTATIONS}
        kept["annotations"] = annotations
    if not annotations:
        kept.pop("annotations", None)  # the same, whether the last volatile one was there or not
    return kept


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


def _fingerprint(part: str, value: Json, fingerprinter: Fingerprinter) -> Json:
    if value is None:
        return None
    if not isinstance(value, str):
        return encode(value)  # a Sealed leaf: its JSON form holds a fingerprint
    if value.startswith("hmac-sha256:"):
        return value
    try:
        raw = base64.b64decode(value, validate=True) if part == "data" else value.encode()
    except (binascii.Error, ValueError):
        raw = value.encode()
    return fingerprinter.fingerprint(raw)
