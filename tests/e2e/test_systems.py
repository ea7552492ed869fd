"""One plan across systems, in the sandbox: real pushes into bare repositories, and what a snapshot knows of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import LANE, REPOSITORY
from tests.e2e.hwplan import Hwplan, change_of, changes

BRANCH, GITOPS = "refs/heads/v0.3", "refs/heads/v0.3-gitops"
SNAPSHOTS = "refs/unidesk/snapshots/hwlab-node-runtime/v0.3/"


@pytest.fixture
def box(lane_box: Hwplan) -> Path:
    """The folder of the lane's sandbox."""
    return Path(lane_box.where[1])


def _git(repository: Path, *words: str, stdin: str = "") -> str:
    who = {
        f"GIT_{role}_{what}": "somebody@example.invalid"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["git", "-C", str(repository), *words], input=stdin, capture_output=True, text=True, check=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(repository), **who}, timeout=60,
    )  # fmt: skip
    return done.stdout.strip()


def _commit(repository: Path, ref: str, message: str) -> str:
    """A new commit on `ref`, as somebody else pushes it."""
    tree = _git(repository, "rev-parse", f"{ref}^{{tree}}")
    commit = _git(repository, "commit-tree", tree, "-p", ref, "-m", message)
    _git(repository, "update-ref", ref, commit)
    return commit


def test_sync_brings_branch_and_snapshot_into_the_mirror(lane_box: Hwplan, box: Path) -> None:
    upstream, mirror = box / "git" / "hwlab.git", box / "git" / "git-mirror-hwlab.git"
    lane_box("mirror", "sync", *LANE, "--confirm")
    tip = _git(upstream, "rev-parse", BRANCH)
    assert _git(mirror, "rev-parse", BRANCH) == tip
    assert _git(mirror, "rev-parse", SNAPSHOTS + tip) == tip
    moved = _commit(upstream, BRANCH, "more")
    plan = lane_box("mirror", "sync", *LANE, "--json").json
    assert changes(plan) == {"GitRef/sync-hwlab-v0.3": "update", "GitRef/snapshot-hwlab-v0.3": "create"}
    (field,) = change_of(plan, "GitRef/sync-hwlab-v0.3")["fields"]
    assert (field["path"], field["before"], field["after"]) == ("commit", tip, moved)
    lane_box("mirror", "sync", *LANE, "--plan-id", plan["id"], "--confirm")
    assert _git(mirror, "rev-parse", SNAPSHOTS + moved) == moved
    assert _git(mirror, "rev-parse", SNAPSHOTS + tip) == tip, "what was built from stays"


def test_flush_brings_promoted_commits_back_and_status_tells(lane_box: Hwplan, box: Path) -> None:
    upstream, mirror = box / "git" / "hwlab.git", box / "git" / "git-mirror-hwlab.git"
    lane_box("mirror", "sync", *LANE, "--confirm")
    assert lane_box("mirror", "status", *LANE, "--json").json["githubInSync"] is True
    page = lane_box("mirror", "status", *LANE).out
    assert "http://git-mirror" in page and "(secret)" not in page, "a URL that also stands in a Secret is no secret"
    promoted = _commit(mirror, GITOPS, "promote")
    status = lane_box("mirror", "status", *LANE, "--json").json
    assert status["pendingFlush"] is True and status["localGitops"] == promoted != status["githubGitops"]
    lane_box("mirror", "flush", *LANE, "--confirm")
    status = lane_box("mirror", "status", *LANE, "--json").json
    assert status["pendingFlush"] is False and status["githubGitops"] == promoted
    assert _git(upstream, "rev-parse", GITOPS) == promoted


def test_a_node_may_have_its_refs_pushed_by_jobs(tmp_path: Path) -> None:
    """In the sandbox the Job stands in the cluster, and its part is played: the push into the repository is real."""
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    shutil.copytree(REPOSITORY / "templates", config / "templates")
    nodes = config / "hwlab-node-control-plane.yaml"
    nodes.write_text(nodes.read_text().replace("    port: 8080\n", "    port: 8080\n    via: job\n", 1))
    lane = ("--config", str(config), "--node", "D601", "--lane", "v03")
    box = tmp_path / "box"
    Hwplan(tmp_path, ())("sandbox", "create", str(box), *lane)
    hwplan = Hwplan(tmp_path, ("--live", str(box)))
    plan = hwplan("mirror", "sync", *lane, "--json").json
    (change,) = [one for one in plan["changes"] if one["name"].startswith("sync-")]
    job = next(one["after"] for one in change["fields"] if one["path"] == "job")
    assert change["address"] == "GitRef/devops-infra/sync-hwlab-v0.3" and job.startswith("Job.batch/devops-infra/")
    refused = hwplan("mirror", "sync", *lane, "--confirm", code=1)
    assert "namespace devops-infra does not exist" in refused.out, "a Job has to run somewhere"
    hwplan("apply", *lane, "--scope", "infra", "--confirm")
    hwplan("mirror", "sync", *lane, "--plan-id", plan["id"], "--confirm")
    assert (box / "cluster" / "devops-infra" / "Job.batch" / f"{job.rpartition('/')[2]}.yaml").is_file()
    tip = _git(box / "git" / "hwlab.git", "rev-parse", BRANCH)
    assert _git(box / "git" / "git-mirror-hwlab.git", "rev-parse", BRANCH) == tip
    assert hwplan("mirror", "sync", *lane, "--json").json["changes"] == []
    ways = hwplan("why", "GitRef/devops-infra/flush-hwlab-v0.3-gitops", *lane).out
    assert "volumes[name=ssh].secret.secretName" in ways, "its key comes first"


def test_a_rewritten_upstream_is_refused_and_named(lane_box: Hwplan, box: Path) -> None:
    upstream, mirror = box / "git" / "hwlab.git", box / "git" / "git-mirror-hwlab.git"
    lane_box("mirror", "sync", *LANE, "--confirm")
    before = _git(mirror, "rev-parse", BRANCH)
    tree = _git(upstream, "rev-parse", f"{BRANCH}^{{tree}}")
    _git(upstream, "update-ref", BRANCH, _git(upstream, "commit-tree", tree, "-m", "history made anew"))
    ran = lane_box("mirror", "sync", *LANE, "--confirm", code=1)
    assert "GitRef/sync-hwlab-v0.3" in ran.out and "force-pushed" in ran.out
    assert _git(mirror, "rev-parse", BRANCH) == before


def test_a_snapshot_answers_for_other_systems_and_asks_nobody(lane_box: Hwplan, box: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    lane_box("snapshot", str(saved), *LANE)
    here = lane_box("mirror", "sync", *LANE, "--json").json
    (box / "git").rename(box / "git-gone")
    elsewhere = Hwplan(tmp_path, ("--live", str(saved), "--state", str(tmp_path / "other.db")))
    there = elsewhere("mirror", "sync", *LANE, "--json").json
    assert changes(there) == changes(here) != {}
    for address in changes(here):
        assert change_of(there, address)["fields"] == change_of(here, address)["fields"]
    refused = elsewhere("mirror", "sync", *LANE, "--confirm", code=3)
    assert "a saved snapshot cannot be written" in refused.out + refused.err


def test_a_gate_that_is_taken_away_does_not_go_unnoticed(lane_box: Hwplan, tmp_path: Path) -> None:
    """Nothing of it lives in a cluster, so no plan has a delete of it: those who know that it was there say so."""
    lane_box("apply", *LANE, "--confirm")
    saved = tmp_path / "saved.json"
    lane_box("snapshot", str(saved), *LANE)
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    lanes = config / "hwlab-node-lanes.yaml"
    gate = "          - url: https://hwlab.pikapython.com/health\n"
    assert gate in lanes.read_text()
    lanes.write_text(lanes.read_text().replace(gate, ""))
    words = ("--config", str(config), *LANE[2:])
    job = Hwplan(tmp_path, ("--live", str(saved), "--state", str(tmp_path / "job.db")))
    # To the snapshot the probe that is left has another declaration than the one that was seen, so that it is blocked.
    for where, code, known in ((lane_box, 0, "applied by run 1"), (job, 1, "declared when the snapshot was saved")):
        reported = where("plan", *words, "--format", "markdown", code=code).out
        assert "- warning: `HttpProbe/v03-" in reported and f"HttpProbe/v03-gate-1: {known}, no longer" in reported


def test_a_probe_is_never_gone_and_one_that_is_declared_otherwise_is_told(lane_box: Hwplan, tmp_path: Path) -> None:
    lane_box("apply", *LANE, "--confirm")
    config = tmp_path / "config"
    shutil.copytree(REPOSITORY / "config", config)
    lanes = config / "hwlab-node-lanes.yaml"
    lanes.write_text(lanes.read_text().replace("pikapython.com/health\n", "pikapython.com/api/health\n"))
    reported = lane_box("plan", "--config", str(config), *LANE[2:]).out
    assert "HttpProbe/v03-gate-1: its declaration changed since run 1" in reported
    assert "HttpProbe/v03-diagnostic-2" not in reported and "gone since" not in reported
