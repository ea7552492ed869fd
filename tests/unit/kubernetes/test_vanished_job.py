"""How a Job ended that its controller deleted before anybody saw it ended. Simulated cluster."""

from __future__ import annotations

import copy

import pytest

from planner.address import Address
from planner.values import JsonObject
from providers.kubernetes.self_deleting_jobs import LastSeenSelfDeletingJobs, readiness_of_deleted_job_by_events
from tests.unit.kubernetes.world import World

_ADDRESS = Address.parse("Job.batch/demo/j")
_JOB: JsonObject = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "j", "namespace": "demo", "uid": "u-1"},
    "spec": {"completions": 1, "ttlSecondsAfterFinished": 0, "template": {"spec": {"containers": []}}},
}


def _job(status: JsonObject, **metadata: str) -> JsonObject:
    return {**_JOB, "metadata": {**_JOB["metadata"], **metadata}, "status": status}


def _end(jobs: LastSeenSelfDeletingJobs, world: World) -> tuple[bool, str]:
    state = jobs.vanished(_ADDRESS, _JOB, world.cluster, "demo")
    assert state.done
    return state.ok, state.message


def _condition(kind: str, **words: str) -> JsonObject:
    return {"conditions": [{"type": kind, "status": "True", **words}]}


@pytest.mark.parametrize(
    ("live", "ok", "message"),
    [
        (_job({"active": 1}), True, ""),
        (_job({"succeeded": 1, "failed": 1}), True, ""),
        (_job(_condition("Complete")), True, ""),
        (_job({"failed": 1}), False, "1 of its pods failed and 0 of 1 succeeded when it was seen last"),
        (_job(_condition("Failed", reason="Late", message="too slow")), False, "Late: too slow"),
        (_job({"active": 1}, deletionTimestamp="2026-01-01T00:00:00Z"), False, "deleted it before it had ended"),
    ],
    ids=["running", "enough succeeded", "complete", "a pod failed", "failed", "deleted while it ran"],
)
def test_the_last_status_says_how_it_ended(world: World, live: JsonObject, ok: bool, message: str) -> None:
    jobs = LastSeenSelfDeletingJobs()
    jobs.seen(_ADDRESS, live)
    was_ok, said = _end(jobs, world)
    assert (was_ok, message in said) == (ok, True)


@pytest.mark.parametrize(
    ("reason", "uid", "ok"),
    [
        ("DeadlineExceeded", "u-1", False),
        ("BackoffLimitExceeded", "u-1", False),
        ("Completed", "u-1", True),
        ("SuccessfulCreate", "u-1", True),
        ("DeadlineExceeded", "of another Job of that name", True),
    ],
)
def test_events_say_it_where_no_look_was_in_time(world: World, reason: str, uid: str, ok: bool) -> None:
    jobs = LastSeenSelfDeletingJobs()
    jobs.written(_ADDRESS, _JOB, "u-1")
    _event(world, reason, uid)
    was_ok, said = _end(jobs, world)
    assert (was_ok, ok or reason in said) == (ok, True)


def test_an_event_of_success_outweighs_a_pod_that_failed_before(world: World) -> None:
    jobs = LastSeenSelfDeletingJobs()
    jobs.seen(_ADDRESS, _job({"failed": 1}))
    _event(world, "Completed", "u-1")
    assert _end(jobs, world)[0]


def test_what_was_seen_of_an_earlier_job_is_forgotten_when_it_is_written_again(world: World) -> None:
    jobs = LastSeenSelfDeletingJobs()
    jobs.seen(_ADDRESS, _job({"failed": 1}))
    jobs.written(_ADDRESS, _JOB, "u-2")
    assert _end(jobs, world)[0]


@pytest.mark.parametrize(("reason", "told"), [("Completed", False), ("SuccessfulCreate", True)])
def test_what_nobody_knows_is_said(world: World, reason: str, told: bool) -> None:
    jobs = LastSeenSelfDeletingJobs()
    jobs.written(_ADDRESS, _JOB, "u-1")
    _event(world, reason, "u-1")
    warnings = jobs.vanished(_ADDRESS, _JOB, world.cluster, "demo").warnings
    assert any("says whether it succeeded" in one for one in warnings) is told


@pytest.mark.parametrize(
    ("reason", "uid", "since", "expected"),
    [
        ("Completed", "u-1", "", (True, True)),
        ("BackoffLimitExceeded", "u-1", "", (True, False)),
        ("SuccessfulCreate", "u-1", "", (False, False)),  # it was there, and nothing says how it ended
        ("Completed", "u-2", "", (False, False)),  # of another Job of that name
        ("Completed", "", "2026-01-02T00:00:00.5Z", (True, True)),
        ("Completed", "", "2026-01-02T00:00:01Z", None),  # of an earlier Job: this one was never made
    ],
)
def test_a_job_that_an_earlier_process_made(
    world: World, reason: str, uid: str, since: str, expected: tuple[bool, bool] | None
) -> None:
    _event(world, reason, "u-1", "2026-01-02T00:00:00Z")
    found = readiness_of_deleted_job_by_events(world.cluster, "demo", "j", uid=uid, since=since, desired=_JOB)
    assert (None if found is None else (found.done, found.ok)) == expected


def _event(world: World, reason: str, uid: str, at: str = "2026-01-01T00:00:00Z") -> None:
    kind = world.cluster.kind("v1", "Event")
    assert kind is not None
    about = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "namespace": "demo", "uid": uid}
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "j.1", "namespace": "demo"},
        "involvedObject": about,
        "reason": reason,
        "message": "as it was",
        "type": "Normal",
        "lastTimestamp": at,
    }
    world.cluster.apply(kind, copy.deepcopy(event))
