"""`hwplan hold` and `trigger --hold` in a sandbox: an older commit on purpose, nothing else until it is released."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, changes
from tests.e2e.rollout_box import RUN, RolloutBox

pytestmark = pytest.mark.timeout(900)  # many commands, one after the other


@pytest.fixture
def box(lane_box: Hwplan) -> RolloutBox:
    """A sandbox whose lane is applied and has rolled a commit out."""
    lane_box("apply", *LANE, "--confirm", "-q")
    found = RolloutBox(lane_box, Path(lane_box.where[-1]))
    found.trigger("--confirm", "-q")
    return found


def test_r9_an_older_commit_is_rolled_out_and_the_lane_stays_there_until_it_is_released(box: RolloutBox) -> None:
    """R9, B9: the run of that commit is made anew, what is newer is refused by name, the release ends it."""
    old = box.tip()
    new = box.grow("services/notifier/main.go")
    box.trigger("--confirm", "-q")
    assert box.catalog()["sourceCommit"] == new

    words = ("--source-commit", old, "--hold", "the notifier loops")
    shown = box.trigger(*words, "--json").json
    (run,) = [one for one in shown["changes"] if one["address"] == f"PipelineRun/{RUN}"]
    assert any(field["path"] == "replaces" and "uid" in field["before"] for field in run["fields"])
    assert box.hwplan("hold", "show", *LANE).out == "no lane is held\n", "a plan holds nothing"
    done = box.trigger(*words, "--confirm", "--plan-id", shown["id"], "--json").json
    assert done["targetValidation"] == {"state": "passed"} and done["sourceCommit"] == old
    assert box.catalog()["sourceCommit"] == old and box.git("rev-parse", "v0.3-gitops") in box.application()
    assert box.hwplan("status", *LANE, "--json", code=None).json["hold"].endswith(": the notifier loops")
    assert box.promotions() == 3, "a commit more, nothing is taken back"

    refused = box.trigger("--confirm", code=3).err
    for word in (
        f"hwlab/D601/v03 is held at {old[:12]} by ",
        " since 20",
        "run ",
        ": the notifier loops",
        "hold release",
    ):
        assert word in refused, refused
    assert f"is held at {old[:12]}" in box.trigger().out and box.catalog()["sourceCommit"] == old
    assert "is held at" in box.hwplan("apply", *LANE, "--scope", "rollout", "--confirm", code=3).err
    (held,) = box.hwplan("hold", "show", *LANE, "--json").json["holds"]
    assert (held["lane"], held["commit"], held["reason"]) == ("hwlab/D601/v03", old, "the notifier loops")
    assert held["run"] == done["run"] and "@" in held["who"]

    for again in (words, ("--source-commit", old[:12])):
        ran = box.trigger(*again, "--confirm")
        assert ran.out.endswith("nothing to do\n"), ran.out
    assert box.hwplan("hold", "release", *LANE).out.startswith("released: hwlab/D601/v03 is held at")
    box.trigger("--confirm", "-q")  # its run is there from before: what it promoted is not on the branch any more
    assert box.catalog()["sourceCommit"] == new


def test_b9_a_snapshot_that_is_missing_is_made_where_the_branch_has_gone_through_the_commit(box: RolloutBox) -> None:
    """B9: a commit between two rollouts has no snapshot yet; one of another history is refused, and holds nothing."""
    skipped = box.grow("services/notifier/one.go")
    box.grow("services/notifier/two.go")
    mirror = box.folder / "git" / "git-mirror-hwlab.git"
    plan = box.trigger("--source-commit", skipped, "--hold", "look at one", "--json").json
    assert changes(plan)["GitRef/snapshot-hwlab-v0.3"] == "create", changes(plan)
    box.trigger("--source-commit", skipped, "--hold", "look at one", "--confirm")
    assert box.git(f"--git-dir={mirror}", "for-each-ref", "--points-at", skipped, "refs/unidesk/snapshots")
    assert box.catalog()["sourceCommit"] == skipped
    box.hwplan("hold", "release", *LANE)

    tree = box.git("rev-parse", "v0.3^{tree}")
    foreign = box.git("commit-tree", tree, "-m", "another history")
    ran = box.trigger("--source-commit", foreign, "--hold", "no", "--confirm", code=3)
    assert f"{foreign[:12]} is not in the history of v0.3" in ran.err, ran.err
    assert box.hwplan("hold", "show").out == "no lane is held\n"


def test_b9_what_a_hold_needs(box: RolloutBox) -> None:
    """B9: a commit, in full; an older one without a hold is refused with the word that is missing."""
    old = box.tip()
    box.grow("services/notifier/main.go")
    assert "--hold goes with --source-commit" in box.trigger("--hold", "x", code=1).err
    assert "full commit id" in box.trigger("--hold", "x", "--source-commit", old[:12], code=1).err
    assert "--hold REASON" in box.trigger("--source-commit", old, "--confirm", code=3).err
    assert "is not held" in box.hwplan("hold", "release", *LANE, code=1).err


def test_r9_a_lane_is_held_and_released_by_itself(box: RolloutBox) -> None:
    """R9: `hold set` without a rollout; what is there already needs no new run."""
    assert "is held by" in box.hwplan("hold", "set", *LANE, "--reason", "freeze").out
    assert box.trigger("--confirm").out.endswith("nothing to do\n")
    box.grow("services/notifier/main.go")
    assert ": freeze" in box.trigger("--confirm", code=3).err
    box.hwplan("hold", "release", *LANE)
    box.trigger("--confirm")


def test_r14_killed_after_the_hold_was_set_the_same_command_goes_on(box: RolloutBox) -> None:
    """R9, R14: kill -9 between the hold and the run: the hold stands, and the rollout is made once."""
    old = box.tip()
    box.grow("services/notifier/main.go")
    box.trigger("--confirm", "-q")
    words = ("--source-commit", old, "--hold", "back", "--confirm")
    box.trigger(*words, code=-9, env={"HWPLAN_FAILPOINT": "node.began=kill@1"})
    assert ": back" in box.hwplan("hold", "show", *LANE).out
    ran = box.trigger(*words)
    again = f"hwplan trigger --source-commit {old} --hold back --node D601 --lane v03"
    assert again in ran.out.splitlines()[-1], ran.out
    assert box.catalog()["sourceCommit"] == old and box.promotions() == 3
