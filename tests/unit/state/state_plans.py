"""Plans and events that the tests of the state write down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planner.address import Address
from planner.events import ChangeApplied, ChangeBegan, ChangeEnded, ChangeResult
from planner.field_path import parse_path
from planner.plan import Action, Change, ClusterIdentity, FieldChange, FieldOp, Plan, Precondition, Selection
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from state import RunRecorder, StateStore

AT = "2026-11-22T09:00:00.000Z"


def address(name: str) -> Address:
    return Address("", "ConfigMap", "", "ns", name)


def change(name: str, action: Action = Action.CREATE, data: Any = None, owned: str = "app") -> Change:
    metadata = {"name": name, "namespace": "ns", "labels": {"hwplan.dev/set": owned}}
    desired: JsonObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data or {}}
    return Change(
        address(name),
        action,
        "v1",
        "infra",
        "declared",
        Precondition(absent=True),
        SourceRef("config/a.yaml", 3, 5),
        None if action is Action.DELETE else desired,
        (FieldChange(parse_path("data.k"), FieldOp.CHANGE, "old", "new"),),
    )


def plan(*changes: Change) -> Plan:
    selection = Selection(product="hwlab", nodes=("D601",), lanes=("v03",))
    return Plan(selection, ClusterIdentity("uid", "server"), "c", "l", changes)


def opened(folder: Path) -> StateStore:
    return StateStore.open(folder / "s" / "state.db")


def began(of: Change) -> ChangeBegan:
    return ChangeBegan(AT, of.address, of.action)


def applied(of: Change, uid: str = "u1", outputs: JsonObject | None = None) -> ChangeApplied:
    return ChangeApplied(AT, of.address, of.action, uid, outputs or {"uid": uid})


def ended(of: Change, result: ChangeResult = ChangeResult.DONE) -> ChangeEnded:
    return ChangeEnded(AT, of.address, of.action, result, 0.5)


def carry_out(run: RunRecorder, *changes: Change) -> None:
    for one in changes:
        run.observer.on(began(one))
        run.observer.on(applied(one))
        run.observer.on(ended(one))


def whole_run(store: StateStore, *changes: Change, outcome: str = "done") -> int:
    """A run from lease to end; its number."""
    with store.acquire("apply") as lease:
        run = store.begin_run(lease, "sha256:p", plan(*changes), b"{}")
        carry_out(run, *changes)
        run.end(outcome)
    return run.number
