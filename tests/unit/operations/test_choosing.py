"""Which objects a Retention deletes: how things end, and who stays. Tables over the pure decision."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from planner.values import JsonObject
from providers.kubernetes.operations.object_end import how_object_ended
from providers.kubernetes.operations.retention_choice import RetentionRule, choose_expired_objects

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT = "2026-11-22T09:00:00Z"
LATER = "2026-11-22T09:05:00Z"


def _live(api_version: str, kind: str, status: JsonObject, name: str = "one", **metadata: Any) -> JsonObject:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "7", **metadata},
        "status": status,
    }


def _run(outcome: str, reason: str, kind: str = "PipelineRun", **status: Any) -> JsonObject:
    condition = {"type": "Succeeded", "status": outcome, "reason": reason, "lastTransitionTime": LATER}
    return _live("tekton.dev/v1", kind, {"conditions": [condition], **status})


def _pod(phase: str, *finished: str, **status: Any) -> JsonObject:
    entries = [{"state": {"terminated": {"finishedAt": time}}} for time in finished]
    return _live("v1", "Pod", {"phase": phase, "containerStatuses": entries, **status})


def _job(kind: str, status: str = "True", **more: Any) -> JsonObject:
    condition = {"type": kind, "status": status, "reason": f"{kind}Because", "lastTransitionTime": LATER}
    return _live("batch/v1", "Job", {"conditions": [condition], **more})


ENDINGS: dict[str, tuple[JsonObject, str]] = {
    "run, done": (_run("True", "Succeeded", completionTime=AT), f"Succeeded, finished {AT}"),
    "run, done with skipped tasks": (_run("True", "Completed"), f"Succeeded (Completed), finished {LATER}"),
    "run, failed": (_run("False", "PipelineRunTimeout"), f"Failed (PipelineRunTimeout), finished {LATER}"),
    "task run": (_run("False", "Failed", "TaskRun", completionTime=AT), f"Failed, finished {AT}"),
    "run that runs": (_run("Unknown", "Running"), ""),
    "run being cancelled": (_run("Unknown", "Cancelled"), ""),
    "run that nobody picked up": (_live("tekton.dev/v1", "PipelineRun", {}), ""),
    "run of an older version": ({**_run("True", "Succeeded"), "apiVersion": "tekton.dev/v1beta1"}, LATER),
    "job, complete": (_job("Complete", completionTime=AT), f"Succeeded (CompleteBecause), finished {AT}"),
    "job, failed": (_job("Failed"), f"Failed (FailedBecause), finished {LATER}"),
    "job about to fail": (_job("FailureTarget"), ""),
    "job, not failed": (_job("Failed", "False"), ""),
    "job that is suspended": (_job("Suspended"), ""),
    "pod, done": (_pod("Succeeded", AT, LATER), f"Succeeded, finished {LATER}"),
    "pod, evicted": (
        _pod("Failed", reason="Evicted", conditions=[{"type": "Ready", "status": "False", "lastTransitionTime": AT}]),
        f"Failed (Evicted), finished {AT}",
    ),
    "pod that runs": (_pod("Running", AT), ""),
    "pod of a lost node": (_pod("Unknown", AT), ""),
    "pod without a time": (_pod("Failed"), ""),
    "volume, released": (
        _live("v1", "PersistentVolume", {"phase": "Released", "lastPhaseTransitionTime": AT}),
        f"Released, finished {AT}",
    ),
    "volume in use": (_live("v1", "PersistentVolume", {"phase": "Bound", "lastPhaseTransitionTime": AT}), ""),
    "volume not used yet": (_live("v1", "PersistentVolume", {"phase": "Available", "lastPhaseTransitionTime": AT}), ""),
    "volume without a time": (_live("v1", "PersistentVolume", {"phase": "Released"}), ""),
    "kind without an end": (_live("v1", "ConfigMap", {"phase": "Succeeded", "completionTime": AT}), ""),
    "a time that is none": (_run("True", "Succeeded", completionTime="soon"), LATER),
    "a status that is none": ({**_run("True", "x"), "status": "broken"}, ""),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_how_it_ended(case: str) -> None:
    live, reported = ENDINGS[case]
    found = how_object_ended(live)
    assert (str(found) if found else "").endswith(reported) and bool(found) is bool(reported)


def _ended(name: str, hours: float, reason: str = "Succeeded", **metadata: Any) -> JsonObject:
    time = (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "Succeeded", "status": "True" if reason == "Succeeded" else "False", "reason": reason}
    return _live("tekton.dev/v1", "PipelineRun", {"conditions": [condition], "completionTime": time}, name, **metadata)


RUNS = [
    _ended("a9", 9),
    _ended("b8", 8, "Cancelled", labels={"lane": "v03"}),
    _ended("a7", 7, labels={"lane": "v03", "x": "y"}),
    _ended("b3", 3, "PipelineRunTimeout"),
    _ended("a1", 1),
    {**_run("Unknown", "Running"), "metadata": {"name": "running", "uid": "u", "resourceVersion": "1"}},
    _ended("leaving", 20, deletionTimestamp=AT),
    _ended("retained", 20, annotations={"hwplan.dev/protect": "true"}),
]

CHOICES: dict[str, tuple[JsonObject, list[str], int]] = {
    "by age alone": ({"keep": 0}, ["a9", "b8", "a7", "b3"], 0),
    "exactly as old as allowed": ({"keep": 0, "minAge": "3h"}, ["a9", "b8", "a7", "b3"], 0),
    "a second younger": ({"keep": 0, "minAge": "3h1s"}, ["a9", "b8", "a7"], 0),
    "the newest stay, young ones among them": ({"keep": 2}, ["a9", "b8", "a7"], 0),
    "all are among the newest": ({"keep": 9}, [], 0),
    "the limit lets the oldest go": ({"keep": 0, "limit": 2}, ["a9", "b8"], 2),
    "no limit left": ({"keep": 0, "limit": 0}, [], 4),
    "by label": ({"keep": 0, "selector": {"matchLabels": {"lane": "v03"}}}, ["b8", "a7"], 0),
    "by prefix": ({"keep": 0, "selector": {"namePrefix": "b"}}, ["b8", "b3"], 0),
    "by state": ({"keep": 0, "phases": ["Failed"]}, ["b8", "b3"], 0),
    "by reason": ({"keep": 0, "phases": ["Cancelled", "Succeeded"]}, ["a9", "b8", "a7"], 0),
    "those that are never touched, which count for nothing": ({"keep": 1, "neverTouch": ["a*", "b8"]}, [], 0),
    "globs": ({"keep": 0, "neverTouch": ["?7", "b*"]}, ["a9"], 0),
    "by the defaults": ({}, [], 0),
}


@pytest.mark.parametrize("case", CHOICES)
def test_who_goes(case: str) -> None:
    spec, names, more = CHOICES[case]
    rule = RetentionRule.of({"minAge": "2h", "selector": {}, **spec})
    for objects in (RUNS, RUNS[::-1]):
        choice = choose_expired_objects(rule, objects, NOW)
        assert ([one.name for one in choice.to_delete], choice.more) == (names, more)


def test_of_one_second_the_order_is_that_of_names() -> None:
    objects = [_ended(name, 5) for name in ("c", "a", "b")]
    rule = RetentionRule.of({"keep": 1, "limit": 1, "selector": {}})
    assert [one.name for one in choose_expired_objects(rule, objects, NOW).to_delete] == ["a"]
    assert [one.name for one in choose_expired_objects(rule, objects[::-1], NOW).to_delete] == ["a"]


def test_volumes_go_by_the_namespace_of_their_claim() -> None:
    volumes = [
        {**_live("v1", "PersistentVolume", {"phase": "Released", "lastPhaseTransitionTime": AT}, name), "spec": spec}
        for name, spec in (
            ("ours", {"claimRef": {"namespace": "ci", "name": "run-1"}}),
            ("theirs", {"claimRef": {"namespace": "other", "name": "run-1"}}),
            ("nobodys", {}),
        )
    ]
    rule = RetentionRule.of({"keep": 0, "selector": {"claimNamespace": "ci"}})
    assert [one.name for one in choose_expired_objects(rule, volumes, NOW).to_delete] == ["ours"]
