"""Pods that restart, with a gap or without: as the controllers of Kubernetes do it by strategy and replicas."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.address import Address
from planner.plan import Action, Change, FieldChange, FieldOp, Precondition, SideEffectKind
from planner.side_effects.pod_disruptions import effects_on_workload, restarts_pods, wanted_replicas
from planner.source_line_ref import SourceRef
from tests.unit.effects.world import set_off, workload

ZERO_SURGE = "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}"
ALL_AWAY = 'strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: "100%"}}'


@pytest.mark.parametrize(
    ("kind", "replicas", "spec", "effect", "words"),
    [
        ("Deployment", 3, "", SideEffectKind.RESTART, "3 pods restart, at least 3 stay ready: no gap"),
        ("Deployment", 1, "", SideEffectKind.RESTART, "1 pod restarts, at least 1 stays ready: no gap"),
        ("Deployment", None, "", SideEffectKind.RESTART, "1 pod restarts"),
        ("Deployment", 8, "", SideEffectKind.RESTART, "8 pods restart, at least 6 stay ready"),
        ("Deployment", 1, ZERO_SURGE, SideEffectKind.OUTAGE, "its only pod stops while the new one starts"),
        ("Deployment", 4, ZERO_SURGE, SideEffectKind.RESTART, "at least 3 stay ready"),
        ("Deployment", 4, ALL_AWAY, SideEffectKind.OUTAGE, "all 4 pods stop while the new one starts"),
        (
            "Deployment",
            3,
            "strategy: {type: Recreate}",
            SideEffectKind.OUTAGE,
            "all 3 pods stop before a new one starts",
        ),
        ("Deployment", 3, "paused: true", SideEffectKind.LATER, "no pod restarts until it is resumed"),
        ("StatefulSet", 1, "serviceName: s", SideEffectKind.OUTAGE, "its only pod stops before the new one starts"),
        ("StatefulSet", 3, "serviceName: s", SideEffectKind.RESTART, "3 pods restart one after another"),
        ("StatefulSet", 3, "serviceName: s, updateStrategy: {rollingUpdate: {partition: 2}}", SideEffectKind.RESTART,
         "1 of 3 pods restart"),
        ("StatefulSet", 3, "serviceName: s, updateStrategy: {rollingUpdate: {partition: 5}}", SideEffectKind.LATER,
         "no pod restarts"),
        ("StatefulSet", 3, "serviceName: s, updateStrategy: {type: OnDelete}", SideEffectKind.STALE, "keep the old"),
        ("DaemonSet", None, "", SideEffectKind.RESTART, "the pod of every node restarts, 1 at a time"),
    ],
)  # fmt: skip
def test_a_changed_template(
    kind: str, replicas: int | None, spec: str, effect: SideEffectKind, words: str, tmp_path: Path
) -> None:
    before, after = (workload(kind, replicas=replicas, spec=spec, image=image) for image in ("a:1", "a:2"))
    [reported] = set_off(before, after, tmp_path)
    assert reported.kind is effect and words in reported.text


@pytest.mark.parametrize(
    ("before", "after", "effect", "words"),
    [
        (1, 3, SideEffectKind.SCALE, "scales 1 -> 3"),
        (3, 0, SideEffectKind.OUTAGE, "scales 3 -> 0: all of its pods stop"),
    ],
)
def test_scaling_restarts_nothing(before: int, after: int, effect: SideEffectKind, words: str, tmp_path: Path) -> None:
    [reported] = set_off(workload("Deployment", replicas=before), workload("Deployment", replicas=after), tmp_path)
    assert (reported.kind, reported.text) == (effect, words)


def test_fields_that_are_only_given_up_restart_and_scale_nothing() -> None:
    """The value stays, for others set it too: the pods, their number and what they read stay as they are."""
    paths = (("spec", "template", "spec", "x"), ("spec", "replicas"))
    fields = tuple(FieldChange(path, FieldOp.DISOWN, 1) for path in paths)
    address, source = Address("", "Deployment", "apps", "demo", "web"), SourceRef("a", 1)
    change = Change(address, Action.UPDATE, "apps/v1", "", "declared", Precondition(), source, {}, fields)
    assert not restarts_pods(change) and list(effects_on_workload(change, None, ())) == []


def test_replicas_that_nobody_declares(tmp_path: Path) -> None:
    """An autoscaler's number counts; what is no longer declared falls back to one."""
    assert wanted_replicas({"spec": {}}, {"spec": {"replicas": 7}}) == 7
    reported = set_off(workload("Deployment", replicas=7), workload("Deployment"), tmp_path)
    assert [one.text for one in reported] == ["scales 7 -> 1"]


def test_a_workload_that_goes_or_is_made_anew(tmp_path: Path) -> None:
    [gone] = set_off(workload("Deployment", replicas=3), workload("Deployment", "other") * 0, tmp_path)
    assert (gone.kind, gone.text) == (SideEffectKind.OUTAGE, "its 3 pods stop for good")
    anew = set_off(
        workload("Deployment"), workload("Deployment", image="b:1"), tmp_path, replaced=frozenset({"Deployment"})
    )
    assert anew[0].kind is SideEffectKind.OUTAGE and "deleted and created anew with 1 pod" in anew[0].text


def test_labels_of_the_workload_restart_nothing(tmp_path: Path) -> None:
    text = workload("Deployment")
    assert set_off(text, text.replace("{name: web,", "{name: web, labels: {team: a},"), tmp_path) == []
