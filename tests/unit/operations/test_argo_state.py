"""What an Application says, and what it does not prove (R3)."""

from __future__ import annotations

from typing import Any

import pytest

from planner.values import JsonObject
from providers.kubernetes.operations.argo_state import is_same_or_later_time, parse_argo_application

X, Y = "a" * 40, "b" * 40


def _app(sync: str = "Synced", revision: str = X, health: str = "Healthy", **more: Any) -> JsonObject:
    operation = {"phase": "Succeeded", "syncResult": {"revision": X}, "finishedAt": "2026-01-01T00:00:00Z"}
    status = {
        "sync": {"status": sync, "revision": revision},
        "health": {"status": health},
        "operationState": operation,
        **more.pop("status", {}),
    }
    metadata = {"name": "a", "uid": "u", "resourceVersion": "1", **more.pop("metadata", {})}
    return {"metadata": metadata, "status": status, **more}


@pytest.mark.parametrize(
    ("live", "holds"),
    [
        (_app(), True),
        (_app(sync="OutOfSync"), False),
        (_app(revision=Y), False),
        (_app(health="Progressing"), False),
        (_app(health="Degraded"), False),
        (_app(operation={"sync": {"revision": X}}), False),
        (_app(status={"operationState": {"phase": "Running", "syncResult": {"revision": X}}}), False),
        (_app(status={"operationState": {"phase": "Failed", "syncResult": {"revision": X}}}), False),
        (_app(status={"operationState": {"phase": "Succeeded", "syncResult": {"revision": Y}}}), False),
        (_app(metadata={"annotations": {"argocd.argoproj.io/refresh": "normal"}}), False),
        (_app(status={"operationState": None}), True),  # in sync from the start: nobody had to bring it there
        ({"metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}}, False),
    ],
)
def test_r3_what_holds_at_a_revision(live: JsonObject, holds: bool) -> None:
    assert parse_argo_application(live).holds(X) is holds


@pytest.mark.parametrize(
    ("reached", "compared", "holds"),
    [(Y, Y, True), (X, Y, True), (Y, X, False), ("c" * 40, "c" * 40, False)],
)
def test_r3_a_descendant_that_contains_the_revision_holds(reached: str, compared: str, holds: bool) -> None:
    live = _app(
        revision=compared, status={"operationState": {"phase": "Succeeded", "syncResult": {"revision": reached}}}
    )
    assert parse_argo_application(live).holds(X, lambda old, new: (old, new) == (X, Y)) is holds


def test_what_went_wrong_is_named_and_cut() -> None:
    resources = [
        {"kind": "ConfigMap", "namespace": "n", "name": "a", "status": "Synced"},
        *(
            {"kind": "Secret", "namespace": "n", "name": f"s{n}", "status": "SyncFailed", "message": "no"}
            for n in range(9)
        ),
        {"kind": "Job", "name": "h", "hookType": "PreSync", "hookPhase": "Failed", "message": "x" * 1000},
    ]
    state = {"phase": "Failed", "message": "m" * 1000, "syncResult": {"revision": X, "resources": resources}}
    operation = parse_argo_application(_app(status={"operationState": state})).operation
    assert operation is not None and len(operation.message) == 300
    assert operation.wrong[0] == "Secret/n/s0: no" and operation.wrong[-1] == "5 more"


def test_an_operation_that_is_not_taken_up_yet_goes_before_the_one_on_record() -> None:
    mine = {"info": [{"name": "hwplan", "value": "k"}], "sync": {"revision": Y}}
    operation = parse_argo_application(_app(operation=mine)).operation
    assert operation is not None and (operation.key, operation.revision, operation.requested) == ("k", Y, True)
    taken = _app(operation=mine, status={"operationState": {"phase": "Running", "operation": mine}})
    operation = parse_argo_application(taken).operation
    assert operation is not None and (operation.key, operation.phase, operation.requested) == ("k", "Running", False)


@pytest.mark.parametrize(
    ("one", "other", "later"),
    [
        ("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z", True),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", False),
        ("", "2026-01-01T00:00:00Z", False),
        ("2026-01-01T00:00:00Z", "", False),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00", False),
    ],
)
def test_times(one: str, other: str, later: bool) -> None:
    assert is_same_or_later_time(one, other) is later
