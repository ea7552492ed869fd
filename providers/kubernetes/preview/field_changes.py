"""Turns two versions of an object into field changes: who set what, what is given up, what nobody declared. Pure.

Works on sealed objects: values of Secrets appear as fingerprints and are marked sensitive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from planner.document_editing import MISSING, value_at
from planner.field_path import FieldPath, path_covers, render_path
from planner.plan import FieldChange, FieldOp
from planner.resource import APPLIED, TAKE_OVER
from planner.values import JsonObject, SealedSecret
from providers.cluster_interface import FIELD_MANAGER, OPERATOR_MANAGER
from providers.kubernetes.controller_derived_fields import is_aggregated_cluster_role
from providers.kubernetes.preview.field_takeover import TakenField, managed_fields_entries_of_others
from providers.kubernetes.ssa.field_set import FieldSet
from providers.kubernetes.ssa.ownership import STATUS, fields_applied_by, fields_owned_by_others, owners_of_field

if TYPE_CHECKING:
    from planner.document_diff import ListKeys

MADE_AT_APPLY = "(made at apply)"
_APPLIED_PATH: FieldPath = ("metadata", "annotations", APPLIED)


def field_changes(
    before: JsonObject,
    after: JsonObject,
    keys: ListKeys,
    taken: tuple[TakenField, ...] = (),
    anew: Callable[[], JsonObject | None] = lambda: None,
) -> tuple[FieldChange, ...]:
    """What an apply changes, in path order: differing values, then fields that we only stop owning.

    Both are sealed objects. The bookkeeping annotation with the digest of what was applied is reported only when
    nothing else differs. `taken` gives the other managers of changed fields, `anew` what a new object would hold (None
    where that cannot be determined): a value that is its default as well is not reported as one that stays."""
    from planner.document_diff import diff_documents

    changes = [_credited(_told(change), taken) for change in diff_documents(_shown(before), _shown(after), keys)]
    changes += _disowned(before, after, anew)
    reported = [change for change in changes if change.path != _APPLIED_PATH] or changes
    return tuple(sorted(reported, key=lambda change: (render_path(change.path), change.op)))


def field_changes_of_replacement(live: JsonObject, anew: JsonObject, keys: ListKeys) -> tuple[FieldChange, ...]:
    """What differs in the object that takes the place of `live`. A value that only the server or its controllers gave
    the old one is not reported as lost: whether and what they give the new one is not known."""
    fields = field_changes(live, anew, keys)
    return tuple(change for change in fields if change.op is not FieldOp.REMOVE or _somebody_set(live, change.path))


def _somebody_set(live: JsonObject, path: FieldPath) -> bool:
    entries = live["metadata"].get("managedFields") or ()
    if not entries or any(owner.manager not in _SYSTEM for owner in owners_of_field(live, path)):
        return True
    return any(FieldSet.parse(entry.get("fieldsV1") or {}).holds_below(path) for entry in entries if _may_add(entry))


def field_changes_of_create(desired: JsonObject) -> tuple[FieldChange, ...]:
    """The field changes of a create: each declared field from nothing to its value; its names are in its address."""
    shown = _shown(desired)
    bare = {"apiVersion": shown["apiVersion"], "kind": shown["kind"], "metadata": {"labels": {}, "annotations": {}}}
    for name in ("name", "namespace"):
        shown["metadata"].pop(name, None)
    from planner.document_diff import diff_documents

    changes = tuple(_told(change) for change in diff_documents(bare, shown))
    return tuple(change for change in changes if change.path != _APPLIED_PATH) or changes


def _told(change: FieldChange) -> FieldChange:
    """A secret that is made at apply has no fingerprint yet: say so."""
    if not change.sensitive or change.after != "":
        return change
    return FieldChange(change.path, change.op, change.before, MADE_AT_APPLY, sensitive=True)


def _shown(document: JsonObject) -> JsonObject:
    """The part of an object that plans talk about. Empty maps make every label and annotation a field of its own."""
    shown: JsonObject = {key: value for key, value in document.items() if key != "status"}
    from providers.kubernetes.ssa.merge import comparable_document

    shown = comparable_document(shown)
    metadata = shown["metadata"]
    for name in ("labels", "annotations"):
        metadata[name] = metadata.get(name) or {}
    return shown


def _credited(change: FieldChange, taken: tuple[TakenField, ...]) -> FieldChange:
    for item in taken:
        if path_covers(item.path, change.path) or path_covers(change.path, item.path):
            return _with_owner(change, item.manager, item.time)
    return change


def _with_owner(change: FieldChange, manager: str, time: str) -> FieldChange:
    return FieldChange(change.path, change.op, change.before, change.after, change.sensitive, manager, time)


def _disowned(before: JsonObject, after: JsonObject, anew: Callable[[], JsonObject | None]) -> list[FieldChange]:
    """Fields that we declared and do not any more, and that stay: others own them too, or the server keeps them."""
    given_up = fields_applied_by(before, FIELD_MANAGER) - fields_applied_by(after, FIELD_MANAGER)
    out: list[FieldChange] = []
    retained: list[FieldChange] = []
    for path in given_up.leaves():
        value = value_at(after, path, MISSING)
        if value is MISSING:
            continue
        owners = owners_of_field(after, path)
        owner = next((o for o in owners if o.manager != FIELD_MANAGER), None)
        shown, sensitive = (value.fingerprint, True) if isinstance(value, SealedSecret) else (value, False)
        change = FieldChange(path, FieldOp.DISOWN, shown, shown, sensitive)
        if owner:
            out.append(_with_owner(change, owner.manager, owner.time))
        elif not owners:
            retained.append(change)
    fresh = anew() if retained else None
    return out + [
        change for change in retained if fresh is not None and value_at(fresh, change.path, MISSING) != change.after
    ]


def remarks_on_fields_left_to_others(fields: Sequence[FieldChange]) -> tuple[str, ...]:
    """For the reader: who keeps fields that left the manifest, and how they could go."""
    owners = sorted({change.manager for change in fields if change.op is FieldOp.DISOWN and change.manager})
    return tuple(
        f"{name} owns fields that are not declared any more, so they stay; to remove them: --take-over {name}, or the "
        f"annotation {TAKE_OVER}: {name}"
        for name in owners
        if name not in _SYSTEM
    )


# --- what nobody declared ------------------------------------------------------------------------------------------

# Managers that keep books on every object; k3s is all of them in one process.
_SYSTEM = frozenset(
    {
        OPERATOR_MANAGER,
        "cloud-controller-manager",
        "clusterrole-aggregation-controller",
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


_REPLICAS: FieldPath = ("spec", "replicas")
_DEFAULT_REPLICAS = 1  # of every built-in kind that is scaled
_SCALED = frozenset(
    {("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet"), ("v1", "ReplicationController")}
)
# Said by kubectl's documentation: `rollout restart` changes nothing but this annotation, so that new pods are made.
_RESTARTED = re.compile(r"spec\.template\.metadata\.annotations\[kubectl\.kubernetes\.io/restartedAt\]")


def why_added_field_is_harmless(path: FieldPath) -> str:
    """Why a field that somebody else added is harmless; empty where it may not be."""
    return "a restart" if _RESTARTED.fullmatch(render_path(path)) else ""


def undeclared_fields_of_other_managers(
    live: JsonObject, declared: Sequence[FieldPath] = ()
) -> tuple[FieldChange, ...]:
    """Fields of an object of ours that somebody else added, with manager and time; controllers' bookkeeping left out.

    `live` is sealed. Each is an addition from our point of view. `declared` are fields that we declare although others
    own them now: those are reported elsewhere.
    """
    out = [change for change in _unowned_replicas(live) if change.path not in declared]
    if not any(_may_add(entry) for entry in managed_fields_entries_of_others(live)):
        return tuple(out)
    aggregated = is_aggregated_cluster_role(live)
    for path, value, owner in fields_owned_by_others(live, FIELD_MANAGER):
        if owner.manager in _SYSTEM or (aggregated and path == ("rules",)) or _BOOKKEEPING.fullmatch(render_path(path)):
            continue
        if any(path_covers(known, path) or path_covers(path, known) for known in declared):
            continue
        shown, sensitive = (value.fingerprint, True) if isinstance(value, SealedSecret) else (value, False)
        change = FieldChange(path, FieldOp.ADD, None, shown, sensitive)
        out.append(_with_owner(change, owner.manager, owner.time))
    return tuple(sorted(out, key=lambda change: (render_path(change.path), change.manager)))


def _unowned_replicas(live: JsonObject) -> tuple[FieldChange, ...]:
    """Replicas that are neither the default nor anybody's. A write through `scale` is recorded only where one owned
    the field before: a Scale takes over the owners of this one field, and the server tracks no managers of an object
    without any (apimachinery, managedfields: scalehandler.go, skipnonapplied.go). So there is no name and no time."""
    value = (live.get("spec") or {}).get("replicas")
    if (live["apiVersion"], live["kind"]) not in _SCALED or value in (None, _DEFAULT_REPLICAS):
        return ()
    owned = any(owners_of_field(live, _REPLICAS))
    if owned or not live["metadata"].get("managedFields"):
        return ()
    return (FieldChange(_REPLICAS, FieldOp.ADD, None, value),)


def _may_add(entry: JsonObject) -> bool:
    return entry.get("subresource") != STATUS and entry.get("manager") not in _SYSTEM
