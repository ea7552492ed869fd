"""The budget of a rollout, the hydration diagnosis, and latest-only."""

from __future__ import annotations

import threading

import pytest

from planner.address import Address
from planner.events import ChangeEnded, ChangeResult, ChangeWaiting, Event
from planner.plan import Action
from planner.rollout.full_build_without_catalog import warning_of_full_build_without_catalog
from planner.rollout.rollout_time_spent import over_budget_warning, rollout_time_spent
from planner.rollout.superseded_rollout import SupersededRolloutStopper

RUN = Address.parse("PipelineRun/poll")
FLUSH = Address.parse("GitRef/flush-poll")
ARGO = Address.parse("ArgoSync/poll")


def ended(address: Address, seconds: float, at: str, result: ChangeResult = ChangeResult.DONE) -> ChangeEnded:
    return ChangeEnded(f"2026-11-20T09:{at}.000Z", address, Action.RUN, result, seconds)


def ends(pipeline: float) -> dict[Address, ChangeEnded]:
    found = (ended(RUN, pipeline, "05:00"), ended(FLUSH, 3, "05:04"), ended(ARGO, 20, "05:21"))
    return {one.address: one for one in found}


def test_r12_over_the_budget_is_said_also_after_success() -> None:
    """R12, S14: total, pipeline wait, mirror state and the split per stage."""
    outputs = {FLUSH: {"pendingFlush": False, "inSync": True}}
    assert over_budget_warning(rollout_time_spent(ends(131), outputs, 155), 120) == (
        "node-runtime-trigger-over-120s: total 2m35s, pipeline wait 2m11s, git mirror "
        "pendingFlush=false githubInSync=true (budget 2m00s); pipeline 2m11s · flush 3.0s · argo 20s"
    )


@pytest.mark.parametrize(("pipeline", "total", "warns"), [(60, 119, False), (60, 121, True), (121, 121, True)])
def test_r12_total_and_wait_are_measured_apart(pipeline: float, total: float, warns: bool) -> None:
    assert bool(over_budget_warning(rollout_time_spent(ends(pipeline), {}, total), 120)) is warns


def test_a_flush_that_was_not_reached_is_no_mirror_in_sync() -> None:
    found = {
        RUN: ended(RUN, 300, "05:00", ChangeResult.PENDING),
        FLUSH: ended(FLUSH, 0, "05:00", ChangeResult.CANCELLED),
    }
    assert "git mirror flush cancelled" in over_budget_warning(rollout_time_spent(found, {}, 300), 120)


BUILT = ["api", "web"]


@pytest.mark.parametrize("as_text", [False, True])
def test_a13_a_small_diff_that_builds_everything_is_diagnosed(as_text: bool) -> None:
    """A13, S14: from results of the run, as arrays or as JSON in a string."""
    built = '["api", "web"]' if as_text else BUILT
    outputs = {"buildServices": built, "reusedServices": "[]" if as_text else [], "changedFiles": "2"}
    told = warning_of_full_build_without_catalog(outputs, 2, 20)
    assert told.startswith("catalog-not-hydrated: ") and "do not rerun" in told


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"buildServices": BUILT, "reusedServices": []},
        {"buildServices": BUILT, "reusedServices": [], "changedFiles": "21"},
        {"buildServices": BUILT, "reusedServices": [], "changedFiles": "unknown"},
        {"buildServices": ["api"], "reusedServices": ["web"], "changedFiles": "1"},
        {"buildServices": [], "reusedServices": BUILT, "changedFiles": "1"},
        {"buildServices": "api", "reusedServices": "", "changedFiles": "1"},
    ],
)
def test_a13_everything_else_is_not(outputs: dict[str, object]) -> None:
    assert warning_of_full_build_without_catalog(outputs, 2, 20) == ""


@pytest.mark.parametrize(
    ("event", "stops"),
    [
        (ended(RUN, 9, "05:00"), True),
        (ended(RUN, 9, "05:00", ChangeResult.FAILED), True),
        (ChangeWaiting("2026-11-20T09:05:00.000Z", RUN, "running", 15), True),
        (ended(RUN, 0, "05:00", ChangeResult.SKIPPED), False),
        (ended(ARGO, 9, "05:00"), False),
    ],
)
def test_r7_a_rollout_that_was_overtaken_stops(event: Event, stops: bool) -> None:
    """R7, B2, B3: read again while it is waited for, and before what follows the run."""
    latest = SupersededRolloutStopper(RUN, "a" * 40, lambda: "", lambda: "b" * 40, threading.Event())
    latest.on(event)
    assert (latest.cancel.is_set(), latest.newer) == (stops, "b" * 40 if stops else "")


@pytest.mark.parametrize("tip", ["a" * 40, ""])
def test_r7_a_branch_that_stands_still_or_cannot_be_read_stops_nothing(tip: str) -> None:
    latest = SupersededRolloutStopper(RUN, "a" * 40, lambda: "", lambda: tip, threading.Event())
    latest.on(ended(RUN, 9, "05:00"))
    assert not latest.cancel.is_set()


@pytest.mark.parametrize("address", [RUN, ARGO])
def test_b2_a_newer_target_ends_every_wait(address: Address) -> None:
    """B2, R7: what was posted counts whatever is waited for, also where the branch cannot be read."""
    latest = SupersededRolloutStopper(RUN, "a" * 40, lambda: "b" * 40, lambda: "", threading.Event())
    latest.on(ChangeWaiting("2026-11-20T09:05:00.000Z", address, "running", 15))
    assert latest.newer == "b" * 40 and latest.cancel.is_set()


def test_b2_our_own_target_posted_again_stops_nothing() -> None:
    """B2: a second trigger of the same commit takes nobody's place."""
    latest = SupersededRolloutStopper(RUN, "a" * 40, lambda: "a" * 40, lambda: "", threading.Event())
    latest.on(ended(RUN, 9, "05:00"))
    assert not latest.newer
