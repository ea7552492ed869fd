"""`hwplan plan --pr`: the whole way of a pull request on one page, and one id before the merge and after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan
from tests.e2e.manifests import PULL
from tests.testbed.git_fixtures import BareRepository


@pytest.fixture(autouse=True)
def applied(lane_box: Hwplan) -> None:
    """The lane stands: only its rollout is left."""
    lane_box("apply", *LANE, "--confirm")


@pytest.fixture
def upstream(lane_box: Hwplan) -> BareRepository:
    """The repository behind the GitHub of the sandbox."""
    return BareRepository(Path(lane_box.where[1]) / "git" / "hwlab.git")


def identifier(box: Hwplan) -> str:
    """What an approval of the pull request names."""
    return str(box("plan", *LANE, "--pr", "1", "--json").json["approval"]["id"])


def test_the_whole_way_on_one_page(lane_box: Hwplan) -> None:
    page = lane_box("plan", *LANE, "--pr", "1", "--format", "markdown").out
    stages = [line.split("**")[1] for line in page.splitlines() if line[:1].isdigit() and ". **" in line]
    assert stages == ["merge", "mirror", "run", "GitOps", "Argo CD", "pods", "gate", "unknown"]
    for words in (
        "1 file changes: `EXAMPLE.md`",
        "`pull request 1` `An example change`, by `pikasTech`, commit `",
        "Its merge into `v0.3`, which changes 1 file, starts a run that builds 6 services and reuses 0. ",
        "`hwlab-cloud-api`, `hwlab-cloud-web`: 2 pods start; nothing is deleted.",
        "PipelineRun `hwlab-v03-ci-poll-(known after: PullRequest/pr-1.short)`, waited for up to 1h00m. Builds 6: `",
        "until it is Synced and Healthy, for up to 5m00s.",
        "all tries of one within ",
        "one commit on `v0.3-gitops`: `hwlab-artifact-store.yaml` (new)",
        "syncs `hwlab-v03` at the promoted revision",
        "`hwlab-cloud-api`: 2 pods start",
        "asks `https://hwlab.pikapython.com/health`; diagnostic only: `http://203.0.113.61:20666/health`",
        "on `v0.3 ",
        "alone on a line",
        "the monitor of `D601` merges",
    ):
        assert words in page, words
    assert "gone since" not in page, "the snapshot of a commit that is not made yet is not the one of the last run"
    assert "approval" not in lane_box("plan", *LANE, "--json").json
    said = lane_box("plan", *LANE, "--pr", "1", "--json").json["change"]
    assert (said["name"], said["title"], said["author"]) == ("pull request 1", "An example change", "pikasTech")
    assert said["head"] in page.replace(said["head"][:12], said["head"]) and said["baseName"] == "v0.3"


def test_one_id_before_the_merge_and_after_it(lane_box: Hwplan, upstream: BareRepository) -> None:
    approved = identifier(lane_box)
    upstream.write("refs/heads/v0.3", {"later.txt": "later\n"}, "the base moves on")
    assert identifier(lane_box) == approved
    (lane_box.folder / "pull.yaml").write_text(PULL.format(head=upstream.at("refs/heads/example")))
    lane_box("apply", "-f", "pull.yaml", "--name", "pulls", "--confirm")
    merged = upstream.at("refs/heads/v0.3")
    after = lane_box("plan", *LANE, "--pr", "1", "--json").json
    assert after["approval"]["id"] == approved
    run = next(one for one in after["changes"] if one["kind"] == "PipelineRun")
    assert run["desired"]["spec"]["manifest"]["metadata"]["name"] == f"hwlab-v03-ci-poll-{merged[:12]}"
    assert f"merged as {merged[:12]}" in after["approval"]["way"][0]["text"]


def test_a_push_is_another_id(lane_box: Hwplan, upstream: BareRepository) -> None:
    approved = identifier(lane_box)
    upstream.write("refs/heads/example", {"EXAMPLE.md": "another\n"}, "a push")
    assert identifier(lane_box) != approved


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pr", "99"), "99"),
        (("--pr", "1", "--scope", "infra"), "takes a lane"),
        (("--pr", "1", "--out", "x.json"), "--pr takes a lane and a format"),
    ],
)
def test_what_has_no_way(words: tuple[str, ...], said: str, lane_box: Hwplan) -> None:
    refused = lane_box("plan", *LANE, *words, code=None)
    assert refused.code != 0 and said in refused.err


def test_what_a_guard_will_refuse_is_said(lane_box: Hwplan) -> None:
    """The monitor would be refused: its page says so, and offers no command."""
    lost = Hwplan(lane_box.folder, (*lane_box.where, "--state", str(lane_box.folder / "other.db")))
    page = lost("plan", *LANE, "--pr", "1", code=None).out
    assert "refused without --allow missing-state" in page and "to apply exactly this plan" not in page
    assert "without --allow" not in lane_box("plan", *LANE, "--pr", "1").out
