"""The mark of a restart: the annotation that says what a workload was restarted for, and the patch that sets it. Pure.

It stands in two places. On the workload it is the record that plans compare; there it rolls nothing out. On the pod
template it makes the workload's own controller replace the pods. Both are written by the operator field manager in one
patch, so that an apply of the declared workload neither conflicts with them nor takes them away (docs/adr/0016).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from planner.field_path import FieldPath
from planner.ports import Fingerprinter
from planner.resource import ANNOTATION
from planner.values import Json, JsonObject, document_digest
from providers.kubernetes.secret_values_as_fingerprints import (
    seal_live_document,
    secret_stand_ins_as_text,
    with_secret_stand_ins,
)

MARK = ANNOTATION + "restarted-for."
_DIGITS = 16  # of each digest in a token
_LONGEST = 63 - len("restarted-for.")  # characters of an annotation's name after its prefix
_NOT_CONTENT = frozenset({"apiVersion", "kind", "metadata", "status"})
RECORD_PATH: FieldPath = ("metadata", "annotations")
TEMPLATE_PATH: FieldPath = ("spec", "template", "metadata", "annotations")


def restart_record_annotation_key(name: str) -> str:
    """The key of the annotation in which the Restart `name` is on record: each has its own, so that several may have
    one target."""
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 13]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    return MARK + name


def read_restart_mark(live: JsonObject, mark: str, path: FieldPath = RECORD_PATH) -> str:
    """What a live object's annotation `mark`, in the metadata at `path`, says; empty when it is not there."""
    node: Json = live
    for key in path:
        node = (node or {}).get(key)
    return str((node or {}).get(mark, ""))


def content_followed_by_restart(live: JsonObject | None, fingerprinter: Fingerprinter) -> Json:
    """Digest of what counts of an object that a restart follows: data or spec, not labels, annotations or status.

    Values of Secrets enter as keyed fingerprints. None for an object that is not there.
    """
    if live is None:
        return None
    reported = secret_stand_ins_as_text(with_secret_stand_ins(seal_live_document(live, fingerprinter)))
    return document_digest({key: value for key, value in reported.items() if key not in _NOT_CONTENT})


def token_of_followed_objects(followed: Sequence[tuple[str, Json]]) -> str:
    """The token of `when: changed`: `name=digest` for each thing that is followed, so that people can read it too."""
    parts = {f"{name}={document_digest(content).removeprefix('sha256:')[:_DIGITS]}" for name, content in followed}
    return " ".join(sorted(parts))


def changed_followed_names(record: str, token: str) -> tuple[str, ...]:
    """The names in `token` that `record` has not, or with another digest: none when no restart is due. What is not
    followed any more does not count."""
    had = set(record.split(" "))
    return tuple(part.rpartition("=")[0] for part in token.split(" ") if part not in had)


def next_restart_token(version: str) -> str:
    """The token of `when: always`: the one after `version`, so that a resumed restart writes the same again."""
    return document_digest({"after": version})


def restart_mark_patch(live: JsonObject, mark: str, token: str, *, on_pod_template: bool) -> tuple[JsonObject, ...]:
    """The JSON patch that sets the mark, bound to this very version; with `on_pod_template` on the pod template too."""
    metadata = live["metadata"]
    return (
        {"op": "test", "path": "/metadata/uid", "value": metadata["uid"]},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        *_added(live, RECORD_PATH, mark, token),
        *(_added(live, TEMPLATE_PATH, mark, token) if on_pod_template else ()),
    )


def _added(live: JsonObject, path: FieldPath, mark: str, token: str) -> Iterator[JsonObject]:
    """Operations that set one key of the map at `path`, made where it is missing."""
    node, pointer = live, ""
    for key in map(str, path):
        pointer += f"/{key}"
        if not node.get(key):
            yield {"op": "add", "path": pointer, "value": {}}
        node = node.get(key) or {}
    yield {"op": "add", "path": f"{pointer}/{mark.replace('~', '~0').replace('/', '~1')}", "value": token}
