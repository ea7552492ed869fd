"""`hwplan status`, the closeout record and `hwplan verify` on real parts: git, a registry, an API server, a site."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan
from tests.e2e.lane_world import GITOPS, MAIN, SNAPSHOT, LaneWorld, new_world, site
from tests.testbed import audit, crds, image_registry
from tests.testbed.cluster import TestCluster
from tests.testbed.fixtures import part
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.small_image import push_small_image

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with part(), image_registry.running(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def world(
    real: Hwplan, api_server: TestCluster, api_namespace: str, registry: ImageRegistry, tmp_path: Path
) -> Iterator[LaneWorld]:
    crds.install(api_server.api(), [*crds.tekton_crds(), *crds.argo_crds()])
    hwplan = Hwplan(real.folder, real.where, {"XDG_CACHE_HOME": str(tmp_path / "cache")})
    with site() as running:
        yield new_world(hwplan, api_server.api(), registry, tmp_path, api_namespace, running)


def test_a_lane_from_nothing_to_aligned(world: LaneWorld) -> None:
    """S04, S12: each step brings the next blocker, and at the end there is none."""
    commit = world.commit("one")
    first = world.json(code=2)
    assert (first["blockers"][0]["code"], first["targetValidation"]["state"]) == ("run-missing", "pending")
    assert "trigger" in first["next"]["command"] or "rollout" in first["next"]["command"]
    gitops = world.build(commit)
    assert world.blockers()[:1] == ["argo-behind"]
    world.argo(gitops)
    assert world.blockers()[:1] == ["runtime-missing"]
    world.run_pods(commit)
    assert world.blockers() == ["probe-provenance"]
    world.site.commit = commit
    found = world.json()
    assert (found["aligned"], found["blockers"], found["argoSyncedToGitops"]) == (True, [], True)
    assert found["next"]["command"] is None
    assert "aligned=true" in world().out


def test_c6_a_status_costs_few_requests(world: LaneWorld, api_server: TestCluster) -> None:
    """Everything is read twice for one moment, in bulk: under 25 requests to the API server."""
    world.roll_out(world.commit("one"))
    since = audit.mark(api_server)
    world.json()
    asked = audit.requests(api_server, since, user_agent="hwplan")
    assert 0 < len(asked) < 25, [(one.verb, one.uri) for one in asked]


def test_c7_a_registry_that_is_down_is_incomplete(world: LaneWorld, tmp_path: Path) -> None:
    """C7: exit 1, and never aligned."""
    with part(), image_registry.running(tmp_path / "own") as own:
        world.registry = own
        world.roll_out(world.commit("one"))
        assert world.json()["aligned"]
    found = world.json(code=1)
    assert (found["aligned"], found["targetValidation"]["state"]) == (False, "incomplete")
    assert {one["code"] for one in found["blockers"]} == {"unreadable"}


def test_c5_an_image_tag_that_moved_after_the_run(world: LaneWorld) -> None:
    commit = world.commit("one")
    world.roll_out(commit)
    push_small_image(world.registry, f"{world.namespace}/api", commit, "somebody else")
    assert world.blockers() == ["image-tag-moved"]


def test_c5_pods_of_two_revisions(world: LaneWorld) -> None:
    old, new = world.commit("one"), world.commit("two")
    world.build(old)
    world.roll_out(new)
    world.run_pods(new, old)
    assert world.blockers() == ["runtime-digest-differs"]


def test_r3_argo_at_a_descendant_commit_contains_ours(world: LaneWorld) -> None:
    """R3, C5: a later GitOps commit that contains ours is good, one that does not is not."""
    world.roll_out(world.commit("one"))
    later = world.mirror.write(GITOPS, {"app/more.json": "{}"})
    world.flush()
    world.argo(later)
    assert world.json()["aligned"]
    stranger = world.mirror.commit("stranger")
    world.mirror.put("refs/heads/stranger", stranger)
    world.argo(stranger)
    assert world.blockers() == ["argo-behind"]


def test_c5_the_probe_answers_from_the_old_pod(world: LaneWorld) -> None:
    old = world.commit("one")
    world.roll_out(old)
    world.roll_out(world.commit("two"))
    world.site.commit = old
    assert world.blockers() == ["probe-provenance"]


def test_s31_a_lane_that_was_overtaken(world: LaneWorld) -> None:
    """S31, B12: the overtaken commit closes as superseded, with the proof that the tip contains it."""
    old = world.commit("one")
    world.roll_out(old)
    new = world.commit("two")
    world.roll_out(new)
    pinned = world.json("--source-commit", old[:12])
    assert pinned["target"] == {"commit": old, "pinned": True}
    assert (pinned["superseded"], pinned["targetValidation"]["state"]) == (True, "superseded")
    by_run = world.json("--pipeline-run", f"shop-ci-poll-{old[:12]}")
    assert by_run["target"]["commit"] == old
    assert world.json()["target"]["commit"] == new
    record = world("--source-commit", old, "--closeout", "--json").json
    assert record["tip"] == {"commit": new, "containsSource": True}


def test_c1_a_closeout_is_written_once_and_can_be_checked_offline(world: LaneWorld, tmp_path: Path) -> None:
    """C1, C9 and 4.4: the same bytes twice, and every edge checked by git, registry and cluster."""
    commit = world.commit("one")
    world.roll_out(commit)
    text = world("--closeout", "--json").out
    assert world("--closeout", "--json").out == text
    assert "written to the state" not in world("--closeout").out
    record = tmp_path / "record.json"
    record.write_text(text)
    facts = ("--git", str(world.mirror.path), "--git", str(world.upstream.path), "--registry", "--cluster")
    found = world.hwplan("verify", str(record), *facts, "--json").json
    assert found["verified"]
    assert {"snapshot", "tip", "registry/api", "run", "argo/shop", "workload/Deployment/api"} <= set(found["checked"])


def _edges(world: LaneWorld, record: Path, *facts: str, code: int = 2) -> list[str]:
    found = world.hwplan("verify", str(record), *facts, "--json", code=code).json
    return [one["edge"] for one in found["broken"]]


def test_verify_names_the_edge_that_is_broken(world: LaneWorld, tmp_path: Path) -> None:
    """The world moves under a record: each part names its own edge."""
    commit = world.commit("one")
    world.roll_out(commit)
    record = tmp_path / "record.json"
    record.write_text(world("--closeout", "--json").out)
    git = ("--git", str(world.mirror.path), "--git", str(world.upstream.path))
    push_small_image(world.registry, f"{world.namespace}/api", commit, "somebody else")
    assert _edges(world, record, "--registry") == ["registry/api"]
    other = world.commit("two")
    world.mirror.put(SNAPSHOT + commit, other)
    assert _edges(world, record, *git) == ["snapshot"]
    world.roll_out(other)
    assert _edges(world, record, "--cluster") == ["argo/shop", "workload/Deployment/api"]
    empty = tmp_path / "empty.git"
    type(world.mirror).create(empty)
    assert "tip" in _edges(world, record, "--git", str(empty), code=1)
    document = json.loads(record.read_text())
    document["verdict"]["aligned"] = False
    record.write_text(json.dumps(document))
    assert "verdict.aligned" in _edges(world, record)


def test_c1_killed_at_each_write_of_a_closeout(world: LaneWorld) -> None:
    """C1: a writer that dies leaves none or one; the next one gives one."""
    world.roll_out(world.commit("one"))
    for point in ("closeout.write.begin", "closeout.write.commit", "closeout.written"):
        killed = world.hwplan(
            "status", *world.words, "--closeout", code=None, env={"HWPLAN_FAILPOINT": f"{point}=kill"}
        )
        assert killed.code == -9
    assert "in the state already" in world("--closeout").out


def test_a12_the_log_of_a_step_of_a_named_run(world: LaneWorld) -> None:
    """A12: the failed step by default, a named one, and a pod that is gone is said."""
    commit = world.commit("one")
    world.build(commit, state="False")
    world.task(commit, "build-api", "pod-1", "publish")
    run = ("--pipeline-run", f"shop-ci-poll-{commit[:12]}")
    assert world.json(*run, code=2)["targetValidation"]["state"] == "failed"
    for words in (("--logs",), ("--logs", "build-api"), ("--logs", "build-api/publish")):
        ran = world(*run, *words)
        assert "build-api/publish · failed" in ran.out
        assert "the pod pod-1 is gone" in ran.out
    assert 'did you mean "build-api"?' in world(*run, "--logs", "build-ap", code=1).err
    assert "--pipeline-run" in world("--logs", code=1).err


def test_a_rewritten_branch_is_no_alignment(world: LaneWorld) -> None:
    """C5: the tip does not contain the commit any more."""
    commit = world.commit("one")
    world.roll_out(commit)
    world.upstream.put(MAIN, world.upstream.commit("another history"))
    found = world.json("--source-commit", commit, code=2)
    assert [one["code"] for one in found["blockers"]] == ["branch-drift"]
    assert (found["superseded"], found["branchDrift"]) == (False, True)


def test_the_sandbox_of_a_lane_ends_aligned(lane_box: Hwplan, tmp_path: Path) -> None:
    """S07, A20, S12: from nothing, scope by scope, to a closeout that is checked again; without any cluster."""
    empty = lane_box("status", *LANE, "--scope", "infra", "--json", code=2).json
    missing = {one["address"] for one in empty["next"]["blockers"] if one["missing"]}
    assert "RegistryImage/ci-node-tools" in missing  # an output image of the node
    assert lane_box("status", *LANE, "--json", code=2).json["targetValidation"]["state"] == "pending"
    lane_box("apply", *LANE, "--confirm")
    converged = lane_box("status", *LANE, "--scope", "infra", "--json").json
    assert (converged["aligned"], converged["next"]["blockers"]) == (True, [])
    lane_box("apply", *LANE, "--scope", "rollout", "--confirm")
    found = lane_box("status", *LANE, "--json").json
    assert (found["aligned"], found["blockers"], found["simulated"]) == (True, [], True)
    record = tmp_path / "record.json"
    record.write_text(lane_box("status", *LANE, "--closeout", "--json").out)
    checked = lane_box("verify", str(record), "--registry", "--cluster", "--json").json
    assert checked["verified"], checked


def test_c1_a_trigger_leaves_the_record_that_status_would_write(lane_box: Hwplan) -> None:
    """C1, C10: one record of the same values, whoever asks; the newest are in the status, and have an in-toto form."""
    lane_box("apply", *LANE, "--confirm", "-q")
    closed = lane_box("trigger", *LANE, "--confirm", "--json").json["closeout"]
    assert closed["aligned"] is True and closed["targetValidation"] == {"state": "passed"}
    assert "in the state already" in lane_box("status", *LANE, "--closeout").out
    record = lane_box("status", *LANE, "--closeout", "--json").json
    assert record["digest"] == closed["digest"] and record["budget"]["warnAfter"] == 120.0
    assert (
        lane_box("status", *LANE, "--closeout", "--format", "in-toto").json["predicate"]["digest"] == closed["digest"]
    )
    (listed,) = lane_box("status", *LANE, "--json").json["closeouts"]
    assert (listed["digest"], listed["state"]) == (closed["digest"], "passed")
    assert "--closeout" in lane_box("status", *LANE, "--format", "in-toto", code=1).err
