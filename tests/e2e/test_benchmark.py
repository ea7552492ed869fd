"""`hwplan benchmark` in a sandbox (S11, A23, B7, B19, B20): one run, judged by its tasks, times and the proxy."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import LANE, REPOSITORY
from tests.e2e.hwplan import Hwplan, Ran, changes
from tests.e2e.rollout_box import RolloutBox

PROFILE = "no-mirror-full"
RUN = f"hwlab-v03-bench-{PROFILE}"


@pytest.fixture
def box(lane_box: Hwplan) -> RolloutBox:
    """A sandbox whose lane is applied."""
    lane_box("apply", *LANE, "--confirm", "-q")
    return RolloutBox(lane_box, Path(lane_box.where[-1]))


def _bench(box: RolloutBox, *words: str, code: int | None = 0) -> Ran:
    return box.hwplan("benchmark", *LANE, "--profile", PROFILE, *words, code=code)


def _runs(box: RolloutBox) -> list[Path]:
    return [
        one for one in (box.folder / "cluster").rglob(f"{RUN}-*.yaml") if "\nkind: PipelineRun\n" in one.read_text()
    ]


def _count_traffic(box: RolloutBox, total: float) -> None:
    """Canned answers to the questions that the status of the run asks."""
    asked = _bench(box, "status", "--json", code=None).json["proxyEvidence"]["promql"]
    queries = {asked: total, asked.replace("sum(increase(", "sum(rate("): total / 60}
    rows = "".join(f"  - {json.dumps({'promql': promql, 'value': value})}\n" for promql, value in queries.items())
    answers = box.folder / "probes.yaml"
    answers.write_text(answers.read_text().partition("queries:")[0] + "queries:\n" + rows)


def test_b7_a_job_follows_the_run_and_ends_with_its_verdict(box: RolloutBox) -> None:
    started = _bench(box, "--confirm", "--json").json
    job = started["job"]["id"]
    assert _bench(box, "--confirm", "--json").json["job"] is None, "the second finds the run, and follows nothing"
    end = time.monotonic() + 60
    while (found := box.hwplan("job", "status", job, "--json", code=None).json["job"])["ended"] is None:
        assert time.monotonic() < end, found
        time.sleep(0.2)
    assert found["exitCode"] == _bench(box, "status", code=None).code == 2, "no evidence of the proxy: inconclusive"
    assert "inconclusive" in box.hwplan("job", "logs", job).out


def test_s11_exactly_one_run_without_cache_on_a_branch_of_its_own(box: RolloutBox) -> None:
    """S11, B7, B20: shown first; one PipelineRun however often; nothing that is deployed moves by it."""
    shown = _bench(box, "--json").json
    assert changes(shown) == {f"PipelineRun/benchmark-{PROFILE}": "run"} and not _runs(box)
    before = (box.promotions(), box.runs(), box.git("rev-parse", "v0.3-gitops"))
    done = _bench(box, "--confirm").out
    assert f"--profile {PROFILE} status" in done and f"--profile {PROFILE} logs" in done
    assert _bench(box, "--confirm").out.count("nothing to do") == 2
    (run,) = _runs(box)
    text = run.read_text()
    assert "value: disabled" in text and f"deploy/catalog/benchmark/{run.stem}.json" in text
    assert (box.promotions(), box.runs(), box.git("rev-parse", "v0.3-gitops")) == before
    box.hwplan.empty(*LANE)
    assert "run-missing" in box.hwplan("status", *LANE, code=None).out, "a benchmark is no rollout of the commit"


def test_b19_without_proxy_evidence_it_claims_nothing_and_is_inconclusive(box: RolloutBox) -> None:
    _bench(box, "--confirm")
    found = _bench(box, "status", "--json", code=2).json
    assert (found["state"], found["failureFamily"]) == ("inconclusive", "proxy-evidence-missing")
    assert found["throughProxy"] is None and found["proxyEvidence"]["bytes"] is None
    assert "no evidence: nothing is claimed" in _bench(box, "status", code=2).out
    _count_traffic(box, 0)
    assert _bench(box, "status", "--json", code=1).json["failureFamily"] == "traffic-not-through-proxy"
    _count_traffic(box, 6_000_000)
    passed = _bench(box, "status", "--json").json
    assert (passed["state"], passed["throughProxy"]) == ("passed", True)
    assert passed["proxyEvidence"]["bytes"] == 6_000_000 and passed["proxyEvidence"]["client"] == "hwlab-ci"
    assert set(passed["phases"]) == {"source-fetch", "plan-artifacts", "build", "publish", "gitops-promote"}
    assert _bench(box, "--wait", "--confirm").out.rstrip().endswith("passed")


def test_s11_a_missing_build_task_is_a_cache_hit(box: RolloutBox) -> None:
    """S11: a run that succeeded without a TaskRun for every service does not pass, whatever the proxy counted."""
    pipelines = box.folder / "pipelines.yaml"
    text = pipelines.read_text()
    rows = [json.loads(line.removeprefix("  - ")) for line in text.splitlines() if line.startswith("  - ")]
    rows[0]["services"] = [one for one in rows[0]["services"] if one["name"] != "hwlab-notifier"]
    pipelines.write_text(text.partition("  - ")[0] + "".join(f"  - {json.dumps(row)}\n" for row in rows))
    _bench(box, "--confirm")
    _count_traffic(box, 6_000_000)
    failed = _bench(box, "status", code=1).out
    assert "failed: cache-hit-forbidden" in failed and "not run: build-hwlab-notifier" in failed


@pytest.mark.parametrize(
    ("task", "family"),
    [
        ("source-fetch", "source-fetch-failed"),
        ("build-hwlab-notifier", "image-build-failed"),
        ("gitops-promote", "promote-failed"),
    ],
)
def test_s11_a_failure_has_the_name_that_the_profile_gives_it(box: RolloutBox, task: str, family: str) -> None:
    box.fail(f"PipelineRun/benchmark-{PROFILE}", "--task", task)
    _bench(box, "--confirm", code=None)
    failed = _bench(box, "status", "--json", code=1).json
    assert (failed["state"], failed["failureFamily"]) == ("failed", family)
    assert f"/{'run'} · failed" in _bench(box, "logs").out and task in _bench(box, "logs").out
    box.fail(f"PipelineRun/benchmark-{PROFILE}", "--undo")
    _bench(box, "--rerun", "--confirm")
    assert len(_runs(box)) == 1 and _bench(box, "status", "--json", code=2).json["run"]["state"] == "succeeded"


def test_a_profile_that_is_not_there_is_named_with_those_that_are(lane_box: Hwplan) -> None:
    ran = lane_box("benchmark", *LANE, "--profile", "no-miror-full", code=1)
    assert "no benchmark no-miror-full" in ran.err and PROFILE in ran.err
    assert "was not run yet" in lane_box("benchmark", *LANE, "--profile", PROFILE, "status", code=1).err


def test_a_profile_that_wants_evidence_of_nobody_is_refused(tmp_path: Path) -> None:
    """A profile that could never pass is an error of the configuration, with its line."""
    for part in ("config", "templates"):
        shutil.copytree(REPOSITORY / part, tmp_path / part)
    file = tmp_path / "config" / "hwlab-node-control-plane.yaml"
    file.write_text(file.read_text().replace("      proxyClient: hwlab-ci\n", ""))
    ran = Hwplan(tmp_path, ())("validate", "--config", str(tmp_path / "config"), *LANE[2:], code=1)
    assert "needs `proxyClient`" in ran.err and "hwlab-node-control-plane.yaml:" in ran.err
