"""Drift as issues on a GitHub that answers over HTTP: one, whatever is lost on the way, and never somebody else's."""

from __future__ import annotations

import shutil

import pytest

from planner.address import Address
from planner.app.drift_issues import DriftIssuesUpdate, update_drift_issues
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from tests.integration.pulls.pull_world import PullWorld
from tests.testbed.github_server import Fault

OPENFGA = Address.parse("Deployment.apps/hwlab-v03/openfga")
MARKER = "<!-- hwplan:drift:hwlab.d601.v03:changed -->"
SPOOFED = {"title": "x", "body": f"spoofed\n\n{MARKER}", "author": "mallory", "state": "open", "labels": []}


def settled(world: PullWorld) -> DriftIssuesUpdate:
    return update_drift_issues(world.place.request, None, None, confirm=True)


def drifted(world: PullWorld, replicas: int = 7) -> None:
    """Somebody scales a workload; what was there before can be put back."""
    shutil.copytree(world.box / "cluster", world.box / "before", dirs_exist_ok=True)
    change_as_foreign_manager(world.box / "cluster", OPENFGA, {"spec.replicas": replicas}, "night-shift")


def put_back(world: PullWorld) -> None:
    shutil.rmtree(world.box / "cluster")
    (world.box / "before").rename(world.box / "cluster")


def writes(world: PullWorld) -> int:
    """How many requests may have changed something."""
    return sum(one.method in ("POST", "PATCH", "PUT", "DELETE") for one in world.github.log)


def test_one_issue_that_is_written_only_when_it_differs(world: PullWorld) -> None:
    drifted(world)
    assert settled(world).exit_code == 2
    [issue] = world.issues()
    assert issue["body"].endswith(MARKER) and "spec.replicas 1 -&gt; 7" in issue["body"].replace(">", "&gt;")
    before = writes(world)
    assert settled(world).results == () and writes(world) == before
    put_back(world)
    assert settled(world).exit_code == 0, world.issues()[-1]["body"]
    assert [one["state"] for one in world.issues()] == ["closed"]
    drifted(world, 5)
    settled(world)
    assert [one["state"] for one in world.issues()] == ["open"]  # opened again, not doubled


def test_a_marker_of_somebody_else_is_no_issue_of_ours(world: PullWorld) -> None:
    with world.github.stored(world.place.repo) as rows:
        rows.add("issues", number=rows.next_number(), **SPOOFED)
    drifted(world)
    settled(world)
    others = [one for one in world.rows("issues") if one["author"] == "mallory"]
    assert len(world.issues()) == 1 and others[0]["body"].startswith("spoofed") and others[0]["state"] == "open"


@pytest.mark.parametrize("action", ["lose-request", "lose-answer"])
def test_an_answer_that_is_lost_makes_no_second_issue(action: str, world: PullWorld) -> None:
    drifted(world)
    world.github.faults.append(Fault(action, "POST", "/issues$"))  # type: ignore[arg-type]
    settled(world)
    settled(world)
    assert len(world.issues()) == 1


def test_a_list_that_cannot_be_read_closes_and_opens_nothing(world: PullWorld) -> None:
    drifted(world)
    settled(world)
    put_back(world)
    world.github.faults.append(Fault("status", "GET", "/issues$", code=500, times=50))
    found = settled(world)
    assert found.exit_code == 1 and all(one.written.problem for one in found.results) and found.results
    world.github.faults.clear()
    assert [one["state"] for one in world.issues()] == ["open"]
