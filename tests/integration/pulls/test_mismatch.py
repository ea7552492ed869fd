"""A merge that is not the predicted one stops the lane before the first deploy, whoever made it (P10, P11)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from planner.app.pull_requests.monitor import resume_paused_lane
from planner.pull_requests.deliveries import DeliveryStep
from tests.integration.pulls.pull_world import REPO, PullWorld
from tests.testbed.github_lies import LIES

GROUPS = [list(LIES)[at::4] for at in range(4)]  # workers share them


def _once(world: PullWorld, lie: str) -> None:
    """One lie: nothing is deployed, the issue has both trees, nothing else is merged; then a person resumes."""
    number, _ = world.pull(f"lied-{lie}", {f"{lie}.txt": f"{lie}\n"})
    honest = world.bare.write(f"refs/heads/{world.branch}", {f"base-{lie}.txt": "moved on\n"}, "moved on")
    world.github.lie = lie
    record = world.cycle()
    assert record.result == "failed" and record.exit_code == 1, (lie, record.notes, record.error)
    assert [(one.pull, one.step) for one in record.deliveries] == [(number, DeliveryStep.MISMATCH)], lie
    (issue,) = [one for one in world.issues() if "merge is not what was predicted" in one["title"]]
    assert issue["state"] == "open" and f"#{number}" in issue["body"], lie
    assert re.search(r"expected tree (\w+), found (\w+)", issue["body"]), (lie, issue["body"])
    assert "nothing is rolled out" in world.comments(number)[-1], lie
    world.github.lie = ""
    world.bare.put(f"refs/heads/{world.branch}", honest)
    waits, _ = world.pull(f"after-{lie}", {f"after-{lie}.txt": "after\n"})
    record = world.cycle()
    assert [one.code for one in record.decision.lane] == ["merge-mismatch"] and record.decision.merge is None, lie
    assert world.runs() == [] and world.merges() == world.lies_told, lie
    for one in (number, waits):  # some lies leave it open
        with world.pull_request_row(one) as row:
            row["state"] = "closed"
    (accepted,) = resume_paused_lane(world.place)
    assert f"pull request {number}" in accepted


def test_there_are_lies_of_twenty_kinds() -> None:
    assert len(LIES) >= 20 and sorted(lie for group in GROUPS for lie in group) == sorted(LIES)


@pytest.mark.parametrize("lies", GROUPS, ids=lambda lies: lies[0])
def test_p10_no_lie_reaches_a_deploy(world: PullWorld, lies: Sequence[str]) -> None:
    """Those of a group one after the other in one lane; each is one more line in the same issue's history."""
    world.rule(freshness="head")
    for told, lie in enumerate(lies, start=1):
        world.lies_told = told
        _once(world, lie)
    assert world.runs() == []
    world.cycle()
    (issue,) = world.issues()
    assert issue["state"] == "closed", "a person has looked at all of them"


def test_p11_a_merge_by_a_person_enters_at_the_same_check(world: PullWorld) -> None:
    world.cycle()  # from now on it is somebody's business
    number, head = world.pull("by-hand")
    with world.github.stored(REPO) as rows:
        from providers.simulated_github.bare_repository import SimulatedBareRepository
        from providers.simulated_github.pulls import close_as_merged, pull_request_row

        git = SimulatedBareRepository(rows.git)
        base = world.tip()
        made = git.merged(base, head, "merge", "by hand")
        world.bare.put(f"refs/heads/{world.branch}", made)
        close_as_merged(rows, pull_request_row(rows, number), head, made, "alice")
    record = world.cycle()
    assert [(one.pull, one.outcome, one.merged_by) for one in record.deliveries] == [(number, "passed", "alice")]
    assert world.runs() == [f"hwlab-v03-ci-poll-{world.tip()[:12]}"] and "**Rolled out**" in world.comments(number)[0]
    assert world.cycle().result == "idle"


def test_p11_what_was_merged_before_the_first_cycle_is_nobodys_business(world: PullWorld) -> None:
    with world.github.stored(REPO) as rows:
        rows.add(
            "pulls", number=7, title="Old", author="alice", state="closed", head="old", base="v0.3", labels=[],
            merged=True, merged_by="alice", closed_at="2020-01-01T00:00:00Z", merge_commit_sha=world.tip(),
            head_sha="a" * 40,
        )  # fmt: skip
    assert world.cycle().deliveries == () and world.github.writes() == []
