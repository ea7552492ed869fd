"""What becomes of `hwplan trigger` when a part of the world fails, on real parts.

Each failure ends in its named state (R4, R5) with evidence and the next command; when its cause is gone, the command
that is shown goes on. All tests share one lane, and each leaves it aligned.
"""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path

import pytest

from tests.e2e.hwplan import changes
from tests.e2e.rollout.real_lane import GITOPS, NOTIFIER, RUN, RUNTIME, RealLane
from tests.testbed.denying_webhook import denying
from tests.testbed.git_server import GitRule
from tests.testbed.small_image import push_small_image
from tests.testbed.tekton_steps import failing

pytestmark = pytest.mark.timeout(900)
_QUOTA = f"/api/v1/namespaces/{RUNTIME}/resourcequotas/no-more-pods"


def test_r4_a_build_that_fails(settled: RealLane) -> None:
    """R4, R13, B8: failed, with the step and its last lines; blocked until it is told to run again."""
    lane, words = settled, f"undefined: {uuid.uuid4().hex}"
    lane.grow(NOTIFIER)
    lane.programs["build-hwlab-notifier"] = failing(f"{words}\n")
    try:
        ran = lane.trigger("--confirm", code=1)
        assert "task build-hwlab-notifier" in ran.out and words in ran.out, ran.out
        assert ran.out.rstrip().endswith("--rerun --confirm")
        found = lane.status(code=2)
        assert (found["blockers"][0]["code"], found["targetValidation"]["state"]) == ("run-failed", "failed")
        assert "--rerun --confirm" in found["next"]["command"]
    finally:
        del lane.programs["build-hwlab-notifier"]
    assert "the run of this name failed" in lane.trigger("--confirm", code=1).out
    lane.trigger("--rerun", "--confirm")
    lane.aligned()


def test_r4_a_webhook_that_denies(settled: RealLane, tmp_path: Path) -> None:
    """R4: nothing is made, and the words of the webhook are the evidence."""
    lane, words = settled, f"no runs today {uuid.uuid4().hex}"
    lane.grow(NOTIFIER)
    rule = {"apiGroups": ["tekton.dev"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["pipelineruns"]}
    with denying(lane.cluster, tmp_path, rule, words):
        ran = lane.trigger("--confirm", code=1)
        assert words in ran.out + ran.err, ran.out
        assert lane.run_name() not in lane.run_names()
        assert lane.blockers(2)[0] == "run-missing"
    lane.trigger("--confirm")
    lane.aligned()


def test_r4_a_quota_that_refuses_the_pod(settled: RealLane) -> None:
    """R4, B5: time is up, so pending (exit 4) and never failed; the status has the quota's own words."""
    lane = settled
    lane.grow(NOTIFIER)
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-more-pods"}}
    lane.api.apply(_QUOTA, {**body, "spec": {"hard": {"pods": "1"}}})
    try:
        while not (lane.api.get(_QUOTA).get("status") or {}).get("used"):
            time.sleep(0.2)
        ran = lane.trigger("--confirm", "--timeout", "25s", code=4)
        assert "failed" not in ran.out and ran.out.rstrip().endswith("--confirm"), ran.out
        found = lane.status(code=None)
        said = json.dumps(found["blockers"])
        assert "exceeded quota: no-more-pods" in said, said
    finally:
        lane.api.delete(_QUOTA)
    lane.trigger("--confirm")
    lane.aligned()


def test_r5_argo_cd_that_becomes_degraded(settled: RealLane) -> None:
    """R5: it fails early, by the transition that was seen; a new commit goes on when the cause is gone."""
    lane = settled
    with lane.with_file("sick.yaml", _sick()):
        lane.grow(NOTIFIER)
        ran = lane.trigger("--confirm", code=1)
        assert f"ArgoSync/{RUN}" in ran.out and "it became Degraded" in ran.out, ran.out
        assert "argo-unhealthy" in lane.blockers(2)
    lane.grow(NOTIFIER)
    lane.trigger("--confirm")
    lane.aligned()


def _sick() -> str:
    labels = {"app": "sick", "testbed.hwplan/pod": "never-ready"}
    container = {"name": "sick", "image": "registry.example/sick:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"app": "sick"}}, "progressDeadlineSeconds": 2, "template": template}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "sick"}, "spec": spec})


def test_r4_a_hook_job_that_fails(settled: RealLane) -> None:
    """R4: the sync failed, and the Job that did is named."""
    lane = settled
    with lane.with_file("hook.yaml", _failing_hook()):
        lane.grow(NOTIFIER)
        ran = lane.trigger("--confirm", code=1)
        assert f"Job/{RUNTIME}/hook: PreSync hook Failed" in ran.out, ran.out
        assert {"argo-behind", "argo-out-of-sync"} & set(lane.blockers(2))
    lane.grow(NOTIFIER)
    lane.trigger("--confirm")
    lane.aligned()


def _failing_hook() -> str:
    spec = {"restartPolicy": "Never", "containers": [{"name": "hook", "image": "registry.example/hook:1"}]}
    template = {"metadata": {"labels": {"testbed.hwplan/pod": "fail"}}, "spec": spec}
    annotations = {"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/hook-delete-policy": "HookSucceeded"}
    metadata = {"name": "hook", "annotations": annotations}
    job = {"backoffLimit": 0, "template": template}
    return json.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job})


def test_r6_a_probe_that_answers_from_the_old_pod(settled: RealLane) -> None:
    """R6, C5: provenance is compared; asked again alone when everything else is done."""
    lane = settled
    lane.stuck_on = lane.tip()
    try:
        lane.grow(NOTIFIER)
        ran = lane.trigger("--confirm", code=1)
        assert f"HttpProbe/{RUN}-gate-1" in ran.out and lane.stuck_on[:12] in ran.out, ran.out
        assert lane.blockers(2) == ["probe-provenance"]
    finally:
        lane.stuck_on = ""
    assert changes(lane.trigger("--json").json) == {f"HttpProbe/{RUN}-gate-1": "run"}
    lane.trigger("--confirm")
    lane.aligned()


@pytest.mark.parametrize(("listings", "code"), [(1, 0), (999, 1)])
def test_r11_a_flush_that_cannot_be_confirmed(settled: RealLane, listings: int, code: int) -> None:
    """R11, S16: pushed, and not seen: one recheck; where that fails too, it is named. One push in its log."""
    lane = settled
    lane.grow(NOTIFIER)
    before = len(lane.pushes(lane.upstream, GITOPS))

    def looks_after_the_push(_method: str, path: str) -> bool:
        return "service=git-upload-pack" in path and len(lane.pushes(lane.upstream, GITOPS)) > before

    lane.upstream_http.rules.append(GitRule("status", times=listings, matches=looks_after_the_push))
    try:
        ran = lane.trigger("--confirm", code=code)
    finally:
        lane.upstream_http.rules.clear()
    assert "partialSuccess=push-succeeded-fetch-failed" in ran.out, ran.out
    assert ("partialSuccessRecovered=true" in ran.out) == (code == 0), ran.out
    lane.trigger("--confirm", code=None)
    lane.aligned()
    assert len(lane.pushes(lane.upstream, GITOPS)) == before + 1


def test_r14_a_flush_whose_answer_is_lost(settled: RealLane) -> None:
    """R14: what became of the push is read, and it is not made again."""
    lane = settled
    lane.grow(NOTIFIER)
    before = len(lane.pushes(lane.upstream, GITOPS))
    rule = GitRule("lose-answer", matches=lambda method, path: method == "POST" and "/git-receive-pack" in path)
    lane.upstream_http.rules.append(rule)
    try:
        lane.trigger("--confirm")
    finally:
        lane.upstream_http.rules.clear()
    lane.aligned()
    assert len(lane.pushes(lane.upstream, GITOPS)) == before + 1


def test_c7_a_registry_that_is_down(settled: RealLane) -> None:
    """R4, C7: the build fails with what it said; what cannot be read is incomplete, never aligned."""
    lane = settled
    lane.grow(NOTIFIER)
    lane.registry.down()
    try:
        ran = lane.trigger("--confirm", code=1)
        assert "task build-hwlab-notifier" in ran.out and "refused" in ran.out, ran.out
        found = lane.status(code=None)
        assert found["targetValidation"]["state"] in ("incomplete", "failed") and not found["aligned"]
    finally:
        lane.registry.up()
    lane.trigger("--rerun", "--confirm")
    lane.aligned()


def test_c5_an_image_tag_that_was_moved_after_the_run(settled: RealLane) -> None:
    """C5: named, and no lie about what runs; the next commit goes on."""
    lane = settled
    commit = lane.grow(NOTIFIER)
    lane.trigger("--confirm")
    assert lane.registry.value is not None
    push_small_image(lane.registry.value, "hwlab/v03/hwlab-notifier", commit, "somebody else")
    found = lane.status(code=2)
    assert [one["code"] for one in found["blockers"]] == ["image-tag-moved"] and found["next"]["command"]
    lane.grow(NOTIFIER)
    lane.trigger("--confirm")
    lane.aligned()
