"""Turns two versions of an object into field changes: who set what, what is given up, what nobody declared. Pure.

Works on sealed objects: values of Secrets appear as fingerprints and are marked sensitive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from planner.path import FieldPath, Item, Member, render
from planner.plan import FieldChange, FieldOp
from planner.resource import APPLIED
from planner.values import Json, JsonObject, Sealed
from providers.kubernetes.cluster import FIELD_MANAGER, OPERATOR_MANAGER
from providers.kubernetes.ssa.fieldset import EMPTY, FieldSet
from providers.kubernetes.ssa.ownership import foreign, owned_by, owners_of

if TYPE_CHECKING:
    from planner.diff import ListKeys

_MISSING = object()
MADE_AT_APPLY = "(made at apply)"
_APPLIED_PATH: FieldPath = ("metadata", "annotations", APPLIED)


class Taken(NamedTuple):
    """A field that another manager owns with a value that we would change."""

    path: FieldPath
    manager: str
    time: str


def taken_fields(before: JsonObject, after: JsonObject) -> tuple[Taken, ...]:
    """Fields that other managers owned before and do not own after: what a forced apply took from them."""
    left: dict[tuple[str, ...], FieldSet] = {}
    for entry in _others(after):
        left[_identity(entry)] = FieldSet.parse(entry.get("fieldsV1") or {})
    found: dict[FieldPath, Taken] = {}
    for entry in _others(before):
        owned = FieldSet.parse(entry.get("fieldsV1") or {})
        for path in owned - left.get(_identity(entry), EMPTY):
            if value_at(after, path) is not _MISSING:
                found.setdefault(path, Taken(path, entry.get("manager", ""), entry.get("time") or ""))
    return _outermost(found.values())


def _others(document: JsonObject) -> list[JsonObject]:
    entries: list[JsonObject] = document["metadata"].get("managedFields") or []
    return [e for e in entries if not (e.get("manager") == FIELD_MANAGER and e.get("operation") == "Apply")]


def _identity(entry: JsonObject) -> tuple[str, ...]:
    operation = entry.get("operation", "")
    version = entry.get("apiVersion", "") if operation == "Update" else ""
    return (entry.get("manager", ""), operation, version, entry.get("subresource", ""))


def _outermost(taken: Iterable[Taken]) -> tuple[Taken, ...]:
    ordered = sorted(taken, key=lambda item: (len(item.path), render(item.path)))
    kept: list[Taken] = []
    for item in ordered:
        if not any(item.path[: len(other.path)] == other.path for other in kept):
            kept.append(item)
    return tuple(sorted(kept, key=lambda item: render(item.path)))


def value_at(document: Json, path: FieldPath) -> Json:
    """The value at a path, or a marker that is equal to nothing (see `is_there`)."""
    for element in path:
        match element:
            case str():
                document = document.get(element, _MISSING) if isinstance(document, dict) else _MISSING
            case int():
                fits = isinstance(document, list) and element < len(document)
                document = document[element] if fits else _MISSING
            case Item(keys):
                items = document if isinstance(document, list) else ()
                document = next((item for item in items if _has(item, keys)), _MISSING)
            case Member(value):
                document = value if isinstance(document, list) and value in document else _MISSING
    return document


def _has(item: Json, keys: tuple[tuple[str, Json], ...]) -> bool:
    return isinstance(item, dict) and all(name in item and item[name] == value for name, value in keys)


def is_there(document: JsonObject, path: FieldPath) -> bool:
    """Whether a document has a value at this path."""
    return value_at(document, path) is not _MISSING


def covers(outer: FieldPath, inner: FieldPath) -> bool:
    """Whether `inner` is `outer` or below it. Compared as text: a path that was written down has lost its types."""
    return len(outer) <= len(inner) and [*map(str, outer)] == [*map(str, inner[: len(outer)])]


def field_changes(
    before: JsonObject, after: JsonObject, keys: ListKeys, taken: tuple[Taken, ...] = ()
) -> tuple[FieldChange, ...]:
    """What an apply changes, in path order: differing values, then fields that we only stop owning.

    Both are sealed objects. The bookkeeping annotation with the digest of what was applied is told only when nothing
    else differs. `taken` gives the other managers of changed fields.
    """
    from planner.diff import diff

    changes = [_credited(_told(change), taken) for change in diff(_shown(before), _shown(after), keys)]
    changes += _disowned(before, after)
    told = [change for change in changes if change.path != _APPLIED_PATH] or changes
    return tuple(sorted(told, key=lambda change: (render(change.path), change.op)))


def created_fields(desired: JsonObject) -> tuple[FieldChange, ...]:
    """The declared fields of a new object; its names are in its address."""
    shown = _shown(desired)
    bare = {"apiVersion": shown["apiVersion"], "kind": shown["kind"], "metadata": {"labels": {}, "annotations": {}}}
    for name in ("name", "namespace"):
        shown["metadata"].pop(name, None)
    from planner.diff import diff

    changes = tuple(_told(change) for change in diff(bare, shown))
    return tuple(change for change in changes if change.path != _APPLIED_PATH) or changes


def _told(change: FieldChange) -> FieldChange:
    """A secret that is made at apply has no fingerprint yet: say so."""
    if not change.sensitive or change.after != "":
        return change
    return FieldChange(change.path, change.op, change.before, MADE_AT_APPLY, sensitive=True)


def _shown(document: JsonObject) -> JsonObject:
    """The part of an object that plans talk about. Empty maps make every label and annotation a field of its own."""
    shown: JsonObject = {key: value for key, value in document.items() if key != "status"}
    from providers.kubernetes.ssa.merge import comparable

    shown = comparable(shown)
    metadata = shown["metadata"]
    for name in ("labels", "annotations"):
        metadata[name] = metadata.get(name) or {}
    return shown


def _credited(change: FieldChange, taken: tuple[Taken, ...]) -> FieldChange:
    for item in taken:
        if covers(item.path, change.path) or covers(change.path, item.path):
            return _with_owner(change, item.manager, item.time)
    return change


def _with_owner(change: FieldChange, manager: str, time: str) -> FieldChange:
    return FieldChange(change.path, change.op, change.before, change.after, change.sensitive, manager, time)


def _disowned(before: JsonObject, after: JsonObject) -> list[FieldChange]:
    """Fields that we declared and do not any more, and that stay because others own them too."""
    given_up = owned_by(before, FIELD_MANAGER) - owned_by(after, FIELD_MANAGER)
    out: list[FieldChange] = []
    for path in given_up.leaves():
        value = value_at(after, path)
        if value is _MISSING:
            continue
        owner = next((o for o in owners_of(after, path) if o.manager != FIELD_MANAGER), None)
        shown, sensitive = (value.fingerprint, True) if isinstance(value, Sealed) else (value, False)
        if owner:
            change = FieldChange(path, FieldOp.DISOWN, shown, shown, sensitive)
            out.append(_with_owner(change, owner.manager, owner.time))
    return out


# --- what nobody declared ------------------------------------------------------------------------------------------

# Managers that keep books on every object; k3s is all of them in one process.
_SYSTEM = frozenset(
    {
        OPERATOR_MANAGER,
        "cloud-controller-manager",
        "k3s",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "simulated-controllers",
    }
)
# Fields that controllers fill in whatever their name: paths in text form. Sources: Kubernetes well-known annotations,
# cert-manager's CA injector, Tekton's and Argo CD's controllers.
_BOOKKEEPING = re.compile(
    r"status(\..*)?|operation(\..*)?"
    r"|metadata\.(finalizers|ownerReferences)(\[.*)?"
    r"|metadata\.annotations\[(deployment\.kubernetes\.io/revision|pv\.kubernetes\.io/.*|volume\.kubernetes\.io/.*"
    r"|volume\.beta\.kubernetes\.io/.*|endpoints\.kubernetes\.io/.*|control-plane\.alpha\.kubernetes\.io/leader"
    r"|argocd\.argoproj\.io/refresh|pipeline\.tekton\.dev/release)\]"
    r"|metadata\.labels\[tekton\.dev/.*\]"
    r"|spec\.(volumeName|clusterIPs?|finalizers)(\[.*)?"
    r"|(spec\.conversion\.)?webhooks?(\..*|\[.*)?\.clientConfig\.caBundle|spec\.caBundle"
)


def undeclared(live: JsonObject, declared: Sequence[FieldPath] = ()) -> tuple[FieldChange, ...]:
    """Fields of an object of ours that somebody else added, with manager and time; controllers' bookkeeping left out.

    `live` is sealed. Each is an addition from our point of view. `declared` are fields that we declare although others
    own them now: those are told elsewhere.
    """
    if not any(_may_add(entry) for entry in _others(live)):
        return ()
    out: list[FieldChange] = []
    for path, value, owner in foreign(live, FIELD_MANAGER):
        if owner.manager in _SYSTEM or _BOOKKEEPING.fullmatch(render(path)):
            continue
        if any(covers(known, path) or covers(path, known) for known in declared):
            continue
        shown, sensitive = (value.fingerprint, True) if isinstance(value, Sealed) else (value, False)
        change = FieldChange(path, FieldOp.ADD, None, shown, sensitive)
        out.append(_with_owner(change, owner.manager, owner.time))
    return tuple(sorted(out, key=lambda change: (render(change.path), change.manager)))


def _may_add(entry: JsonObject) -> bool:
    return not entry.get("subresource") and entry.get("manager") not in _SYSTEM


def reversed_change(change: FieldChange) -> FieldChange:
    """A change as drift sees it: from what we declared to what is there."""
    ops = {FieldOp.ADD: FieldOp.REMOVE, FieldOp.REMOVE: FieldOp.ADD}
    op = ops.get(change.op, change.op)
    return FieldChange(change.path, op, change.after, change.before, change.sensitive, change.manager, change.time)
