"""`hwplan trigger` in a sandbox: once for a commit, whatever happens to the client; each fault has its named end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, changes
from tests.e2e.rollout_box import RUN, RolloutBox


@pytest.fixture
def box(lane_box: Hwplan) -> RolloutBox:
    """A sandbox whose lane is applied."""
    lane_box("apply", *LANE, "--confirm", "-q")
    return RolloutBox(lane_box, Path(lane_box.where[-1]))


def test_s14_shown_first_then_done_then_there_is_nothing_to_do(box: RolloutBox) -> None:
    """S05, S14, R1, R2, B7: nothing happens without --confirm; the second time finds one run and nothing to do."""
    shown = box.trigger()
    assert "what it will probably take: unknown" in shown.out and "--plan-id" in shown.out and box.runs() == []
    done = box.trigger("--confirm", "--wait")
    assert "git mirror pendingFlush=false githubInSync=true" in done.out and "all 5 done" in done.out
    assert "warning" not in done.out
    assert box.trigger("--confirm").out.endswith("nothing to do\n")
    assert box.runs() == [f"{RUN}-{box.tip()[:12]}"] and box.promotions() == 1
    assert box.catalog()["sourceCommit"] == box.tip()
    told = box.hwplan("status", *LANE)
    assert "aligned=true · target=passed" in told.out and "pendingFlush=false" in told.out


def test_guards_are_said_before_they_refuse(box: RolloutBox) -> None:
    lost = ("--state", str(box.hwplan.folder / "other.db"))
    assert "refused without --allow missing-state" in box.trigger(*lost).out
    assert [one["name"] for one in box.trigger(*lost, "--json").json["guards"]] == ["missing-state"]
    assert "without --allow" not in box.trigger(*lost, "--allow", "missing-state").out
    assert "missing-state" in box.trigger(*lost, "--confirm", code=3).err


def test_b1_a_plain_plan_starts_no_run(box: RolloutBox) -> None:
    """B1: only its verb or its scope takes the rollout."""
    assert not [one for one in changes(box.hwplan.plan(*LANE)) if one.startswith(("PipelineRun/", "ArgoSync/"))]
    found = changes(box.hwplan.plan(*LANE, "--scope", "rollout"))
    assert found == changes(box.trigger("--json").json) and f"PipelineRun/{RUN}" in found


def test_b14_images_are_real_and_a_later_commit_builds_what_it_changes(box: RolloutBox) -> None:
    """B14, A13: blobs in the registry under the digests that were promoted; the rest is reused."""
    box.trigger("--confirm")
    before = box.catalog()["services"]
    for service in before.values():
        digest = service["image"].partition("@sha256:")[2]
        assert (box.folder / "registry" / "blobs" / "sha256" / digest).is_file()
    box.grow("services/notifier/main.go")
    box.trigger("--confirm")
    after = box.catalog()["services"]
    assert [name for name in after if after[name] != before[name]] == ["hwlab-notifier"]


def test_r6_a_gate_that_did_not_hold_is_asked_again(box: RolloutBox) -> None:
    """R6: after a gate that failed there is something to do, although everything else is done."""
    answers = box.folder / "probes.yaml"
    good = answers.read_text()
    answers.write_text(good.replace("status: 200", "status: 503"))
    box.trigger("--confirm", code=1)
    assert f"HttpProbe/{RUN}-gate-1" in changes(box.trigger("--json").json)
    answers.write_text(good)
    assert changes(box.trigger("--json").json) == {f"HttpProbe/{RUN}-gate-1": "run"}, "it did not hold in the last run"
    box.trigger("--confirm")
    assert changes(box.trigger("--json").json) == {}


def test_the_confirmed_plan_is_the_one_that_was_shown(box: RolloutBox) -> None:
    shown = box.trigger("--json").json
    assert shown["forecast"]["breaksBudget"] == "unknown" and shown["forecast"]["budget"] == 120.0
    box.trigger("--confirm", "--plan-id", "sha256:" + "0" * 64, code=3)
    assert box.runs() == []
    done = box.trigger("--confirm", "--plan-id", shown["id"], "--json").json
    assert done["targetValidation"] == {"state": "passed"} and done["sourceCommit"] == box.tip()
    assert set(done["spent"]["stages"]) == {"pipeline", "flush", "argo", "probe"}


def test_r12_the_second_rollout_is_forecast_from_the_first(box: RolloutBox) -> None:
    """R12: expected and p90 per stage and the critical path, from the journal of the lane."""
    box.trigger("--confirm")
    box.grow("services/notifier/main.go")
    shown = box.trigger().out
    assert "what it will probably take, from 1 rollout of D601/v03" in shown and "critical path" in shown
    assert "within the budget" in shown


def test_a_lane_of_a_node_with_several_rolls_out_alone(tmp_path: Path) -> None:
    """S05: refs of other lanes of the mirror are not touched."""
    box, lane = tmp_path / "g14", ("--config", LANE[1], "--node", "G14", "--lane", "v02")
    Hwplan(tmp_path, ())("sandbox", "create", str(box), *lane)
    hwplan = Hwplan(tmp_path, ("--live", str(box)))
    hwplan("apply", *lane, "--confirm", "-q")
    hwplan("trigger", *lane, "--confirm")
    assert len(list((box / "cluster").rglob("*hwlab-v02-ci-poll-*.yaml"))) > 1
    assert changes(hwplan("trigger", *lane, "--json").json) == {}


def test_b8_a_run_that_failed_is_run_again_only_when_told(box: RolloutBox) -> None:
    """B8, R2, R13: exit 1 with the failed step and the next command; blocked; then deleted by its uid and made anew."""
    box.fail(f"PipelineRun/{RUN}", "--task", "build-hwlab-notifier")
    failed = box.trigger("--confirm", code=1)
    assert "task build-hwlab-notifier, step run" in failed.out and failed.out.rstrip().endswith("--rerun --confirm")
    assert box.promotions() == 0
    box.fail(f"PipelineRun/{RUN}", "--undo")
    assert "the run of this name failed" in box.trigger("--confirm", code=1).out
    plan = box.trigger("--rerun", "--json").json
    (run,) = [one for one in plan["changes"] if one["address"] == f"PipelineRun/{RUN}"]
    assert any(field["path"] == "replaces" and "uid" in field["before"] for field in run["fields"])
    box.trigger("--rerun", "--confirm")
    assert len(box.runs()) == 1 and box.promotions() == 1
    assert box.trigger("--rerun", "--confirm").out.endswith("nothing to do\n")


@pytest.mark.parametrize("address", [f"ArgoSync/{RUN}", f"GitRef/flush-{RUN}", f"HttpProbe/{RUN}-gate-1"])
def test_each_later_step_fails_by_name_and_the_next_trigger_goes_on(box: RolloutBox, address: str) -> None:
    box.fail(address)
    assert f"{address}  simulated" in box.trigger("--confirm", code=1).out
    if address.startswith("ArgoSync/"):
        found = box.hwplan("status", *LANE, "--json", code=2).json
        assert (found["blockers"][0]["code"], found["targetValidation"]["state"]) == ("argo-behind", "pending")
    box.fail(address, "--undo")
    box.trigger("--confirm")
    assert len(box.runs()) == 1 and box.promotions() == 1


def test_b12_a_commit_during_the_wait_supersedes(box: RolloutBox) -> None:
    """B2, B3, B12, R7: exit 3, the sync is not begun; the next trigger rolls the new commit out."""
    old = box.tip()
    words = [sys.executable, "-m", "planner", "trigger", *LANE, "--confirm", *box.hwplan.where]
    env = {**os.environ, "HWPLAN_FAILPOINT": "node.effected=sleep:3000@1", "NO_COLOR": "1"}
    with subprocess.Popen(words, cwd=box.hwplan.folder, env=env, stdout=subprocess.PIPE, text=True) as running:
        while not box.runs():
            assert running.poll() is None
            time.sleep(0.05)
        new = box.grow("services/notifier/main.go")
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 3 and f"superseded by {new[:12]}" in out, out
    assert old not in box.application() and "operationState" not in box.application()
    box.trigger("--confirm")
    assert len(box.runs()) == 2 and box.catalog()["sourceCommit"] == new


def test_a_commit_that_the_branch_does_not_stand_on_is_refused(box: RolloutBox) -> None:
    old = box.tip()
    box.grow("services/notifier/main.go")
    assert "superseded" in box.trigger("--confirm", "--source-commit", old, code=3).err
    assert "7 to 64 hexadecimal digits" in box.trigger("--confirm", "--source-commit", box.tip()[:6], code=1).err
    assert box.runs() == []
    box.trigger("--confirm", "--source-commit", box.tip()[:12])


def test_r4_what_is_not_over_in_time_is_pending(box: RolloutBox) -> None:
    """R4, B5: exit 4, never a failed build; the next trigger goes on."""
    env = {"HWPLAN_FAILPOINT": "node.effected=sleep:1500@1"}
    ran = box.trigger("--confirm", "--timeout", "1s", code=4, env=env)
    assert "failed" not in ran.out and ran.out.rstrip().endswith("--confirm")
    box.trigger("--confirm")
    assert len(box.runs()) == 1 and box.promotions() == 1


def test_a13_a_catalog_that_was_lost_is_diagnosed(box: RolloutBox) -> None:
    """A13, S14: everything is built for a small diff: a warning, and no rerun."""
    box.trigger("--confirm")
    mirror = box.folder / "git" / "git-mirror-hwlab.git"
    pipelines = box.folder / "pipelines.yaml"
    assert mirror.is_dir()
    pipelines.write_text(pipelines.read_text().replace("v03/catalog.json", "v03/elsewhere.json"))
    box.grow("services/notifier/main.go")
    told = box.trigger("--confirm").out
    assert "warning: catalog-not-hydrated: the commit changes" in told and "do not rerun" in told


# Nodes in the order in which they begin: the run, then the sync and the flush, then the probes.
@pytest.mark.parametrize(
    "point",
    ["node.began=kill@1", "node.effected=kill@1", "node.wait=kill@1", "node.ended=kill@1", "node.effected=kill@2",
     "node.effected=kill@3", "node.ended=kill@3"],
)  # fmt: skip
def test_r14_killed_anywhere_there_is_one_of_each(box: RolloutBox, point: str) -> None:
    """R14, R15: kill -9 of the client, then the same command again: one run, one promotion, all at that commit."""
    box.trigger("--confirm", code=-signal.SIGKILL, env={"HWPLAN_FAILPOINT": point})
    box.trigger("--confirm")
    assert box.runs() == [f"{RUN}-{box.tip()[:12]}"] and box.promotions() == 1
    assert box.catalog()["sourceCommit"] == box.tip()
    assert box.git("rev-parse", "v0.3-gitops") in box.application()
    assert changes(box.trigger("--json").json) == {}


def test_b2_an_older_waiter_gives_way_to_a_target_that_was_posted_after_it(box: RolloutBox) -> None:
    """B2, B9, R7: the branch stands still, and somebody rolls an older commit out on purpose: the one that waits ends
    `superseded` and frees the lease for which the other one waits."""
    box.trigger("--confirm", "-q")
    old = box.tip()
    new = box.grow("services/notifier/main.go")
    words = [sys.executable, "-m", "planner", "trigger", *LANE, "--confirm", *box.hwplan.where]
    env = {**os.environ, "HWPLAN_FAILPOINT": "node.effected=sleep:40000@3", "NO_COLOR": "1"}
    with subprocess.Popen(words, cwd=box.hwplan.folder, env=env, stdout=subprocess.PIPE, text=True) as running:
        while len(box.runs()) < 2:
            assert running.poll() is None
            time.sleep(0.05)
        box.trigger("--source-commit", old, "--hold", "back", "--confirm", "--lock-timeout", "2m")
        out, _ = running.communicate(timeout=120)
    assert running.returncode == 3 and f"superseded by {old[:12]}" in out, out
    assert box.catalog()["sourceCommit"] == old != new
