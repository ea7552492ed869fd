"""Failures of a lane: one issue for each family, closed by the success that ends it; the lane that stops itself."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

from planner.app.pull_requests.monitor import resume_paused_lane, stored_pull_request_cycles
from planner.pull_requests.deliveries import DeliveryStep
from tests.e2e.hwplan import Hwplan
from tests.integration.pulls.pull_world import REPO, PullWorld
from tests.testbed.github_server import BOT

RUN = "hwlab-v03-ci-poll"


def _issues(world: PullWorld) -> dict[str, str]:
    return {one["title"].partition(": ")[2]: one["state"] for one in world.issues()}


def _fail(world: PullWorld, *words: str) -> None:
    Hwplan(world.box.parent, ())("sandbox", "fail", str(world.box), *words)


def test_p16_a_failed_check_and_a_conflict_each_make_one_issue_that_closes_itself(world: PullWorld) -> None:
    number, head = world.pull("red")
    world.check(head, conclusion="failure")
    clash, _ = world.pull("clash", {"README.md": "theirs\n"})
    world.bare.write(f"refs/heads/{world.branch}", {"README.md": "ours\n"}, "ours")
    world.rule(freshness="head")
    for _ in range(3):
        world.cycle()
    assert _issues(world) == {"checks fail on candidates": "open", "candidates conflict with their base": "open"}
    bodies = "\n".join(one["body"] for one in world.issues())
    assert f"| `#{number}` | 1 |" in bodies and f"| `#{clash}` | 1 |" in bodies, bodies
    head = world.bare.write("refs/heads/red", {"again.txt": "again\n"}, "again")
    world.check(head, conclusion="failure")
    with world.pull_request_row(number):
        pass
    world.cycle()
    assert f"| `#{number}` | 2 |" in "\n".join(one["body"] for one in world.issues()), "another head, another failure"
    world.check(head)
    with world.pull_request_row(clash) as row:
        row["state"] = "closed"
    world.cycle()
    world.cycle()
    assert set(_issues(world).values()) == {"closed"} and len(world.issues()) == 2


def test_p16_a_failed_rollout_makes_one_issue_and_the_next_good_one_closes_it(world: PullWorld) -> None:
    first, _ = world.pull("one")
    _fail(world, f"PipelineRun/{RUN}", "--task", "build-hwlab-notifier")
    record = world.cycle()
    assert record.result == "failed" and record.exit_code == 1
    assert _issues(world) == {"a rollout failed": "open"}
    assert "| targetValidation | `failed` |" in world.comments(first)[0]
    assert "task build-hwlab-notifier, step run" in unescape(world.comments(first)[0]), world.comments(first)[0]
    _fail(world, f"PipelineRun/{RUN}", "--undo")
    world.pull("two")
    assert world.cycle().result == "done"
    assert _issues(world) == {"a rollout failed": "closed"}
    world.pull("three")
    _fail(world, f"PipelineRun/{RUN}", "--task", "build-hwlab-notifier")
    world.cycle()
    assert _issues(world) == {"a rollout failed": "open"} and len(world.issues()) == 1, "reopened rather than doubled"


def test_b11_an_issue_that_was_kept_by_node_and_lane_goes_on_by_lane(world: PullWorld) -> None:
    number, head = world.pull("red")
    world.check(head, conclusion="failure")
    world.cycle()
    with world.github.stored(REPO) as rows:
        (row,) = [one for one in rows.rows("issues") if one.get("author") == BOT]
        assert row["body"].endswith("<!-- hwplan:failure:v03:check -->")
        row["body"] = "| `#1` | 1 |\n\n<!-- hwplan:failure:d601/v03:check -->"
        row["title"] = "D601/v03: checks fail on candidates"
    world.bare.write("refs/heads/red", {"again.txt": "again\n"}, "again")
    world.check(world.bare.at("refs/heads/red"), conclusion="failure")
    with world.pull_request_row(number):
        pass
    world.cycle()
    (issue,) = world.issues()
    assert issue["title"] == "v03: checks fail on candidates" and issue["state"] == "open"
    assert issue["body"].endswith("<!-- hwplan:failure:v03:check -->") and f"| `#{number}` | 2 |" in issue["body"]
    world.check(world.bare.at("refs/heads/red"))
    world.cycle()
    world.cycle()
    assert [one["state"] for one in world.issues()] == ["closed"]


def test_p16_a_rollout_that_takes_too_long_is_gone_on_with(world: PullWorld) -> None:
    """cd-timeout: exit 4, an issue, and the next cycle waits for the same run; its end closes the issue."""
    number, _ = world.pull("one")
    record = world.cycle(timeout=0.001)
    assert record.result == "pending" and record.exit_code == 4, (record.error, record.notes)
    assert _issues(world) == {"a rollout did not end in time": "open"}
    assert "| targetValidation | `pending` |" in world.comments(number)[0]
    assert world.cycle().result == "done"
    assert _issues(world) == {"a rollout did not end in time": "closed"}
    assert len(world.runs()) == 1 and "| targetValidation | `passed` |" in world.comments(number)[0]


def test_p17_the_lane_pauses_itself_and_a_person_lets_it_go_on(world: PullWorld) -> None:
    _fail(world, f"PipelineRun/{RUN}", "--task", "build-hwlab-notifier")
    world.rule(freshness="head")
    for at in range(4):
        world.pull(f"change-{at}")
    for _ in range(3):
        assert world.cycle().result == "failed"
    record = world.cycle()
    assert record.result == "waiting" and world.merges() == 3
    assert [one.reason for one in record.decision.lane] == ["3 failures in a row: the lane paused itself"]
    (said,) = [one for one in world.rows("statuses") if one["description"].startswith("3 failures")]
    assert said["state"] == "error"
    _fail(world, f"PipelineRun/{RUN}", "--undo")
    assert resume_paused_lane(world.place) == ()
    assert world.cycle().result == "done" and world.merges() == 4
    assert stored_pull_request_cycles(world.place).document()["latest-once-job"]["result"] == "done"


def test_r9_a_held_lane_merges_and_rolls_out_nothing(world: PullWorld) -> None:
    held = Hwplan(world.box.parent, ("--live", "box"))
    lane = ("--config", str(world.place.request.config), "--node", "D601", "--lane", "v03")
    held("hold", "set", *lane, "--reason", "an audit")
    world.pull("one")
    record = world.cycle()
    assert [one.code for one in record.decision.lane] == ["hold"] and world.merges() == 0
    held("hold", "release", *lane)
    assert world.cycle().result == "done"


def test_the_records_are_documents(world: PullWorld) -> None:
    world.pull("one")
    world.cycle()
    stored: Any = json.loads(json.dumps(stored_pull_request_cycles(world.place).document()))
    (cycle,) = stored["cycles"]
    (candidate,) = cycle["candidates"]
    assert (candidate["number"], candidate["position"], candidate["next"]) == (1, 1, "merge")
    (delivery,) = cycle["deliveries"]
    assert delivery["targetValidation"] == {"state": "passed"} and delivery["gitMirror"]["githubInSync"] is True


def test_a_rollout_that_could_not_be_begun_is_tried_again(world: PullWorld) -> None:
    """What a person has to apply first is no end of the rollout: the merge is delivered when it is there."""
    hwplan = Hwplan(world.box.parent, ())
    hwplan("sandbox", "delete", str(world.box), "Namespace/argocd")
    number, _ = world.pull("one")
    record = world.cycle()
    assert record.result == "failed" and "Namespace/argocd" in record.error
    assert [(one.pull, one.step) for one in record.deliveries] == [(number, DeliveryStep.MERGED)]
    lane = ("--config", str(world.place.request.config), "--node", "D601", "--lane", "v03", "--live", str(world.box))
    hwplan("apply", *lane, "--confirm", "-q")
    assert world.cycle().result == "done" and world.merges() == 1 and len(world.runs()) == 1
    assert "| targetValidation | `passed` |" in world.comments(number)[0]
