"""Which runners go: the longest idle first, never an active one, and all of them when forced (A6, A8, B16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from planner.values import JsonObject
from providers.kubernetes.operations.choose_inactive_objects import (
    InactiveObjectsChoice,
    InactivityRule,
    choose_inactive_objects,
    with_newest_heartbeat_of_pods,
)
from providers.kubernetes.operations.retention_choice import RetentionRule

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEAT = "x.dev/heartbeat"


def _time(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _job(name: str, beat: float | str | None = None, ended: float | None = None, **metadata: Any) -> JsonObject:
    """A Job with its last heartbeat (minutes ago, or a text), or that ended so many minutes ago."""
    text = beat if isinstance(beat, str) or beat is None else _time(beat)
    annotations = {"x.dev/run": f"run-{name}", **({BEAT: text} if text else {}), **metadata.pop("annotations", {})}
    condition = {"type": "Complete", "status": "True", "reason": "CompletionsReached"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "7", "labels": {"role": "runner"},
                     "annotations": annotations, **metadata},
        "status": {} if ended is None else {"conditions": [condition], "completionTime": _time(ended)},
    }  # fmt: skip


RUNNERS = [
    _job("beating", 1),
    _job("at-the-window", 5),
    _job("idle-hour", 60),
    _job("idle-day", 60 * 30),
    _job("silent"),
    _job("broken", "yesterday"),
    _job("ahead", -3),
    _job("over", ended=120),
    _job("kept", 60 * 50, annotations={"hwplan.dev/protect": "true"}),
    _job("leaving", 60 * 50, deletionTimestamp=_time(1)),
    _job("other", 60 * 50, labels={"role": "manager"}),
]
ACTIVE = {"beating", "silent", "broken", "ahead"}
IDLE = ["idle-day", "over", "idle-hour", "at-the-window"]
ALL = 9  # those that the selector is about, and that are not leaving


def _choose(objects: list[JsonObject], force: bool = False, by_age: bool = False, **spec: Any) -> InactiveObjectsChoice:
    selector = {"matchLabels": {"role": "runner"}}
    manifest: JsonObject = {
        "spec": {"selector": selector, "activity": {"heartbeat": BEAT, "window": "5m", "about": ["x.dev/run"]}, **spec},
        **({"criteria": {"forceActive": True}} if force else {}),
    }
    manifest["spec"]["activity"]["byAge"] = by_age
    rule, activity = RetentionRule.of(manifest["spec"]), InactivityRule.of(manifest)
    assert activity is not None and activity.force is force
    return choose_inactive_objects(rule, activity, objects, NOW)


CASES: dict[str, tuple[dict[str, Any], list[str], int]] = {
    "below the cap nothing goes": ({"keep": ALL}, [], 0),
    "one above it: the longest idle": ({"keep": ALL - 1}, ["idle-day"], 0),
    "all idle, and no active one, however low the cap": ({"keep": 0}, IDLE, 0),
    "the limit": ({"keep": 0, "limit": 1}, ["idle-day"], 3),
    "old ones below the cap, where age counts": ({"keep": ALL, "by_age": True, "minAge": "24h"}, ["idle-day"], 0),
    "age and cap": ({"keep": ALL - 2, "by_age": True, "minAge": "24h"}, ["idle-day", "over"], 0),
    "never touched": ({"keep": 0, "neverTouch": ["idle-*"]}, ["over", "at-the-window"], 0),
}


@pytest.mark.parametrize("case", CASES)
def test_a6_who_goes(case: str) -> None:
    spec, names, more = CASES[case]
    for objects in (RUNNERS, RUNNERS[::-1]):
        choice = _choose(objects, **spec)
        assert ([one.name for one in choice.to_delete], choice.more) == (names, more)
        assert len(choice.looked_at) == ALL and not ACTIVE & {one.name for one in choice.to_delete}


def test_b16_forced_all_go_that_may_and_the_active_ones_are_named() -> None:
    choice = _choose(RUNNERS, force=True, keep=ALL, limit=1)
    going = {one.name: one for one in choice.to_delete}
    assert going.keys() == {*ACTIVE, *IDLE} and choice.more == 0
    assert going["beating"].ending == "active; run run-beating; it is cut off"
    assert {one.version for one in choice.to_delete} == {""}, "a heartbeat must not make the approved plan another one"
    later = [_job("beating", -60), *RUNNERS[1:]]
    assert _choose(later, force=True, keep=ALL).to_delete == choice.to_delete


def test_a_pod_gives_its_job_the_heartbeat_and_is_no_runner_of_its_own() -> None:
    def pod(name: str, beat: float, owner: str) -> JsonObject:
        owners = [{"uid": owner, "controller": True}] if owner else []
        return {**_job(name, beat, ownerReferences=owners), "apiVersion": "v1", "kind": "Pod"}

    pods = [pod("p1", 60, "uid-idle-day"), pod("p2", 2, "uid-idle-day"), pod("p3", 90, "uid-beating")]
    jobs = with_newest_heartbeat_of_pods(RUNNERS[:4], pods, BEAT)
    states = {one.name: (one.state, one.time) for one in _choose(list(jobs), keep=0).looked_at}
    assert states["idle-day"] == ("active", _time(2)) and states["beating"] == ("active", _time(1))
    alone = _choose([*pods, pod("bare", 60, "")], keep=0)
    assert [one.name for one in alone.to_delete] == [one.name for one in alone.looked_at] == ["bare"]
