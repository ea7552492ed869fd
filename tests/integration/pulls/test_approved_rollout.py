"""What is rolled out after a merge is the plan that was approved before it, else it waits for another approval."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planner.app.approvals import record_approval
from planner.app.pull_request_plan import open_pull_request_plan
from planner.pull_requests.deliveries import difference_from_approved
from planner.spec.pull_requests import ApprovalRules
from tests.integration.pulls.pull_world import REPO, PullWorld


def _effect(world: PullWorld, number: int) -> str:
    with open_pull_request_plan(world.place.request, number) as planned:
        return planned.identifier


def _approved(world: PullWorld, name: str = "one") -> int:
    """A pull request whose plan olga has approved."""
    world.rule(approvals=ApprovalRules(quorum=1, people=("olga",)))
    number, head = world.pull(name)
    record_approval(world.place.request, _effect(world, number), "olga", until="24h", head=head)
    return number


def _rollout(world: PullWorld) -> Path:
    return Path(world.place.request.config).parent / "templates" / "hwlab" / "rollout" / "10-rollout.yaml.j2"


def _edit(world: PullWorld) -> None:
    """Another parameter of the run, between the decision and the rollout."""
    text = _rollout(world).read_text()
    changed = text.replace("{name: source-branch, value: ", "{name: source-branch, value: another-", 1)
    assert changed != text, text
    _rollout(world).write_text(changed)


def test_what_was_approved_is_rolled_out(world: PullWorld) -> None:
    number = _approved(world)
    record = world.cycle()
    assert record.result == "done" and record.deliveries[0].outcome == "passed", [record.notes, record.error]
    assert record.deliveries[0].approved == _effect(world, number), "the same before the merge and after it"
    assert not record.deliveries[0].approved_parts, "of no use any more"


def test_another_plan_is_held_until_it_is_approved(world: PullWorld) -> None:
    number = _approved(world)
    approved, before = _effect(world, number), world.runs()
    record = world.cycle(between=lambda: _edit(world))
    now = _effect(world, number)
    assert world.merges() == 1 and world.runs() == before and now != approved
    assert record.result == "waiting" and record.exit_code == 0
    (note,) = [one for one in record.notes if "is held" in one]
    for words in (approved[7:39], now[7:39], "PipelineRun/hwlab-v03-ci-poll is another one", "hwplan approve sha256:"):
        assert words in note, words
    (comment,) = world.comments(number)
    assert "the rollout is held: it is not the plan that was approved" in comment and now[7:39] in comment
    assert "`pending`" in comment and "PipelineRun/hwlab-v03-ci-poll is another one" in comment
    for _ in range(2):
        assert world.cycle().result == "waiting" and world.runs() == before
    assert world.comments(number) == [comment], "said once"
    record_approval(world.place.request, now, "mallory", until="24h")
    record_approval(world.place.request, approved, "olga", until="24h")
    assert world.cycle().result == "waiting", "mallory may not, and olga approved the other plan"
    record_approval(world.place.request, now, "olga", until="24h")
    record = world.cycle()
    assert record.result == "done" and record.deliveries[0].outcome == "passed", [record.notes, record.error]
    assert len(world.runs()) == len(before) + 1
    assert "Rolled out" in world.comments(number)[0]


def test_a_comment_since_the_merge_approves_the_other_plan(world: PullWorld) -> None:
    number = _approved(world)
    world.cycle(between=lambda: _edit(world))
    sentence = f"hwplan approve {_effect(world, number)}"
    with world.github.stored(REPO) as rows:
        rows.add("comments", issue=number, author="olga", body=sentence)
    record = world.cycle()
    assert record.result == "done" and record.deliveries[0].outcome == "passed", [record.notes, record.error]


def test_a_change_that_is_taken_back_releases_the_rollout(world: PullWorld) -> None:
    _approved(world)
    text = _rollout(world).read_text()
    assert world.cycle(between=lambda: _edit(world)).result == "waiting"
    _rollout(world).write_text(text)
    record = world.cycle()
    assert record.result == "done" and record.deliveries[0].outcome == "passed"
    assert record.deliveries[0].reason == ""


def test_a_newer_merge_whose_plan_is_approved_takes_the_held_one_along(world: PullWorld) -> None:
    """`latest-only`: the newer tip contains the older merge, and its approval is of the plan as it is now."""
    held = _approved(world)
    assert world.cycle(between=lambda: _edit(world)).result == "waiting"
    _approved(world, "two")
    record = world.cycle()
    outcomes = {one.pull: one.outcome for one in record.deliveries}
    assert outcomes.pop(held) == "superseded" and set(outcomes.values()) == {"passed"}, [record.notes, record.error]


def test_a_commit_that_was_pushed_after_the_merge_is_held_until_it_is_approved(world: PullWorld) -> None:
    """`latest-only`: the tip is rolled out in place of the merge, and the approval is of the merge."""
    number = _approved(world)
    text, before = _rollout(world).read_text(), world.runs()
    assert world.cycle(between=lambda: _edit(world)).result == "waiting"
    _rollout(world).write_text(text)
    pushed = world.bare.write(f"refs/heads/{world.branch}", {"direct.txt": "x\n"}, "a direct push")
    for _ in range(2):
        record = world.cycle()
        assert record.result == "waiting" and world.runs() == before, [record.notes, record.error]
    (note,) = [one for one in record.notes if "is held" in one]
    assert f"{world.branch} at {pushed[:12]} was not in it" in note, note
    (identifier,) = re.findall(r"hwplan approve (sha256:[0-9a-f]+)", note)
    record_approval(world.place.request, identifier, "olga", until="24h")
    record = world.cycle()
    (delivery,) = record.deliveries
    assert (delivery.outcome, delivery.newer) == ("superseded", pushed), [record.notes, record.error]
    assert len(world.runs()) == len(before) + 1 and delivery.pull == number


def test_a_lane_without_a_quorum_compares_nothing(world: PullWorld) -> None:
    world.pull("one")
    record = world.cycle(between=lambda: _edit(world))
    assert record.deliveries[0].outcome == "passed" and record.deliveries[0].approved == ""


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"A/a": "1", "change of B/b": "2"}, ""),
        ({"A/a": "1"}, ""),  # made already
        ({"A/a": "1", "change of B/b": "3"}, "change of B/b is another one"),
        ({"change of B/b": "2"}, "A/a is not in it any more"),
        ({"A/a": "1", "change of B/b": "2", "C/c": "4"}, "C/c was not in it"),
        ({"A/a": "2", "c": "", "d": "", "e": ""}, "A/a is another one, c was not in it, d was not in it and 1 more"),
    ],
)
def test_a_difference_is_named(now: dict[str, str], said: str) -> None:
    assert difference_from_approved({"A/a": "1", "change of B/b": "2"}, now) == said
