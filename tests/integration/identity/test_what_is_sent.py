"""No part of a plan that is left out of its id changes one byte of what the executor sends to the cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from planner.executor import ExecutionOptions, WaitPolicy, execute_plan
from planner.plan import (
    Action,
    Change,
    DriftedField,
    FieldChange,
    FieldOp,
    Plan,
    Precondition,
    Selection,
    VerifiedBy,
)
from planner.plan_id import plan_id
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.provider import KubernetesProvider
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.integration.identity.shop import Shop, documents, edited, first_applied, write
from tests.unit.executor.executor_fakes import QuickClock
from tests.unit.executor.executor_fakes import Recorder as Events
from tests.unit.kubernetes.world import PRINTS

FIELD = FieldChange(("data", "z"), FieldOp.ADD, None, "z")

# For every part of a change a value that no change of the test has.
PARTS: dict[str, Any] = {
    "address": None,  # names the object; a change of another object is another change
    "action": Action.DELETE,
    "api_version": "v2",
    "scope": "elsewhere",
    "reason": "because",
    "precondition": Precondition(uid="another"),
    "source": SourceRef("moved.yaml", 77, 7),
    "desired": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings-0", "namespace": "demo"}},
    "fields": (FIELD,),
    "needs": None,  # by position, below
    "verified": VerifiedBy.NO,
    "expects": "sha256:0",
    "forced": (("data", "z"),),
    "migrate": True,
    "take_over": ("helm",),
    "claims": (("data", "z"),),
    "wait": "none",
    "wait_seconds": 77.0,
    "in_clear": None,  # says what of `desired` is masked where it is shown; no part of the id, and never sent
    "made": None,  # only of documents that take outputs: tests/unit/planning/test_plan_effect.py
}


class Recorder:
    """A cluster that notes every request that writes."""

    def __init__(self, box: Path) -> None:
        self.cluster = open_snapshot(box)
        self.sent: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cluster, name)

    def _note(self, *words: object) -> None:
        self.sent.append(json.dumps([str(word) if isinstance(word, ServedKubernetesKind) else word for word in words]))

    def apply(
        self, kind: ServedKubernetesKind, body: JsonObject, *, force: bool = False, dry_run: bool = False
    ) -> JsonObject:
        self._note("apply", kind, body, force, dry_run)
        return self.cluster.apply(kind, body, force=force, dry_run=dry_run)

    def patch(
        self, kind: ServedKubernetesKind, namespace: str, name: str, patch: Any, *, dry_run: bool = False
    ) -> JsonObject:
        if not dry_run:
            self._note("patch", kind, namespace, name, patch)
        return self.cluster.patch(kind, namespace, name, patch, dry_run=dry_run)

    def delete(self, kind: ServedKubernetesKind, namespace: str, name: str, **more: Any) -> None:
        self._note("delete", kind, namespace, name, more)
        self.cluster.delete(kind, namespace, name, **more)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return first_applied(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def plan(shop: Shop) -> Plan:
    """Creates, updates and a delete."""
    parts = edited(Random(7))
    del parts[documents().index(next(one for one in documents() if one["metadata"]["name"] == "settings-3"))]
    found = shop.plan(write(shop.folder, parts))
    assert {str(one.action) for one in found.changes} == {"create", "update", "delete"} and not found.blocked
    return found


def sent(shop: Shop, plan: Plan, to: Path) -> list[str]:
    """What carrying out the plan sends, in order."""
    recorder = Recorder(shop.copied(to).box)
    provider = KubernetesProvider(recorder, fingerprinter=PRINTS)
    options = ExecutionOptions(parallelism=1, wait=WaitPolicy.NONE)
    execute_plan(plan, lambda _: provider, shop.vault(str(shop.folder / "app.yaml")), Events(), QuickClock(), options)
    return recorder.sent


def test_every_part_of_a_change_is_known_here() -> None:
    assert set(PARTS) == {one.name for one in fields(Change)}


@pytest.mark.parametrize("name", [name for name, value in PARTS.items() if value is not None])
def test_a_part_of_a_change_moves_the_id_or_sends_the_same(shop: Shop, plan: Plan, name: str, tmp_path: Path) -> None:
    before = sent(shop, plan, tmp_path / "before")
    assert len(before) == len(plan.changes)
    moves = 0
    for at, one in enumerate(plan.changes):
        edited_one: Change = replace(one, **{name: PARTS[name]})
        other = replace(plan, changes=(*plan.changes[:at], edited_one, *plan.changes[at + 1 :]))
        if other != plan and plan_id(other) == plan_id(plan):
            assert sent(shop, other, tmp_path / "after") == before, f"{name} of {one.address}"
        elif other != plan:
            moves += 1
    reported = {"scope", "reason", "source", "verified"}
    assert moves == 0 if name in reported else moves > 0


def test_needs_move_the_id(plan: Plan) -> None:
    first, *rest = plan.changes
    for at, one in enumerate(rest, 1):
        other = replace(one, needs=tuple({*one.needs} ^ {first.address}))
        assert plan_id(replace(plan, changes=(*plan.changes[:at], other, *plan.changes[at + 1 :]))) != plan_id(plan)


BESIDES: dict[str, Callable[[Plan], Plan]] = {
    "selection": lambda plan: replace(plan, selection=Selection(name="other", targets=("a",), exclude=("b",))),
    "inputs": lambda plan: replace(plan, inputs_config="c", inputs_live="l"),
    "drift": lambda plan: replace(plan, drift=(DriftedField(plan.changes[0].address, FIELD, declared=False),)),
    "warnings": lambda plan: replace(plan, warnings=("w",)),
    "unchanged": lambda plan: replace(plan, unchanged=77),
    "who set it before": lambda plan: _by(plan, "night-shift"),
    "server": lambda plan: replace(plan, cluster=replace(plan.cluster, server="x", simulated=False)),
}


def _by(plan: Plan, who: str) -> Plan:
    reported = (tuple(replace(f, manager=who, time="2026-11-21T22:14:02Z") for f in one.fields) for one in plan.changes)
    changes = tuple(replace(one, fields=fields) for one, fields in zip(plan.changes, reported, strict=True))
    return replace(plan, changes=changes)


@pytest.mark.parametrize("name", BESIDES)
def test_what_stands_beside_the_changes_sends_nothing(shop: Shop, plan: Plan, name: str, tmp_path: Path) -> None:
    other = BESIDES[name](plan)
    assert other != plan and plan_id(other) == plan_id(plan)
    assert sent(shop, other, tmp_path / "after") == sent(shop, plan, tmp_path / "before")
