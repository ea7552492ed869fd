"""A ref pushed by a Job in the cluster: made once, looked after, reported by the ref; its script runs for real."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from planner.kind_hook_types import DocumentContext
from planner.loading.git_push_job import git_ref_with_job_template
from tests.e2e import manifests
from tests.e2e.hwplan import Hwplan
from tests.testbed import audit
from tests.testbed.cluster import TestCluster
from tests.testbed.git_fixtures import BareRepository, mirror_of, upstream_of
from tests.testbed.job_script import Kubelet

MAIN = "refs/heads/main"


@pytest.fixture
def upstream(tmp_path: Path) -> BareRepository:
    return upstream_of(tmp_path)


@pytest.fixture
def mirror(tmp_path: Path, upstream: BareRepository) -> BareRepository:
    """A mirror that is one promotion ahead."""
    return mirror_of(upstream, tmp_path, ahead=True)


class Place:
    """A namespace of the cluster with the command in front of it, and a kubelet that runs the scripts."""

    def __init__(self, cluster: TestCluster, namespace: str, folder: Path) -> None:
        self.cluster, self.namespace, self.folder = cluster, namespace, folder
        where = ("--kubeconfig", str(cluster.kubeconfig), "--state", str(folder / "state.db"))
        self.hwplan = Hwplan(folder, where, {"XDG_CACHE_HOME": str(folder / "cache")})
        self.kubelet = Kubelet(cluster, namespace, folder / "pods", "push", {"RETRY_DELAY": "0"})

    def declare(self, origin: BareRepository, target: BareRepository, *, pod: str = "never-ready", **to: Any) -> str:
        """Write the document of a flush; gives its file."""
        document: dict[str, Any] = {
            "apiVersion": "hwplan.dev/v1", "kind": "GitRef",
            "metadata": {"name": "flush", "namespace": self.namespace},
            "spec": {
                "mode": "fast-forward", "via": "job", "job": {"image": "registry.example/git:1"},
                "from": {"remote": origin.url, "ref": MAIN}, "to": {"remote": target.url, "ref": MAIN, **to},
            },
        }  # fmt: skip
        document = git_ref_with_job_template(document, DocumentContext(), lambda *problem: pytest.fail(str(problem)))
        if to.get("reach") == "cluster":
            document["spec"]["from"] = {"remote": origin.url, "commit": origin.at(MAIN)}
        if pod:
            document["spec"]["jobTemplate"]["spec"]["template"]["metadata"] = {"labels": {"testbed.hwplan/pod": pod}}
        return manifests.write(self.folder, "ref.yaml", json.dumps(document))

    def jobs(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self.cluster.api().get(f"/apis/batch/v1/namespaces/{self.namespace}/jobs")[
            "items"
        ]
        return found

    def apply(self, *words: str, code: int | None = 0, play: int = 1) -> str:
        """Apply, while the kubelet runs that many pods; gives all that the command said."""
        with ThreadPoolExecutor(1) as pool:
            pods = [pool.submit(self.kubelet.play) for _ in range(play)]
            ran = self.hwplan("apply", *words, "--confirm", "--timeout", "60s", code=code)
            assert all(one.result(60) for one in pods)
        return ran.out + ran.err


@pytest.fixture
def place(cluster: TestCluster, namespace: str, tmp_path: Path) -> Place:
    return Place(cluster, namespace, tmp_path)


def test_a_job_pushes_once_and_the_next_plan_is_empty(
    place: Place, upstream: BareRepository, mirror: BareRepository
) -> None:
    words = ("-f", place.declare(mirror, upstream), "--name", place.namespace)
    old, new = upstream.at(MAIN), mirror.at(MAIN)
    [change] = place.hwplan.plan(*words)["changes"]
    reported = {field["path"]: field["after"] for field in change["fields"]}
    assert reported["commit"] == new and place.jobs() == []
    place.apply(*words)
    [job] = place.jobs()
    assert reported["job"] == f"Job.batch/{place.namespace}/{job['metadata']['name']}"
    [container] = job["spec"]["template"]["spec"]["containers"]
    environment = {one["name"]: one.get("value", "") for one in container["env"]}
    assert (environment["OLD"], environment["NEW"]) == (old, new) and upstream.at(MAIN) == new
    place.hwplan.empty(*words)
    newer = mirror.grow(MAIN, "promoted again")
    place.apply(*words)
    assert upstream.at(MAIN) == newer and len(place.jobs()) == 2, "another push is another Job"


@pytest.mark.parametrize("point", ["node.effect", "node.effected", "node.applied", "node.wait", "node.end"])
def test_killed_and_resumed_it_is_one_job(
    place: Place, upstream: BareRepository, mirror: BareRepository, point: str
) -> None:
    words = ("-f", place.declare(mirror, upstream), "--name", place.namespace)
    since = audit.mark(place.cluster)
    with ThreadPoolExecutor(1) as pool:
        pod = pool.submit(place.kubelet.play)
        kill = {"HWPLAN_FAILPOINT": f"{point}=kill"}
        place.hwplan("apply", *words, "--confirm", code=-signal.SIGKILL, env=kill)
        place.hwplan("apply", "--resume", "--confirm")
        pod.result(60)
    assert upstream.at(MAIN) == mirror.at(MAIN)
    assert len(place.jobs()) == 1 and len(place.kubelet.played) == 1
    found = audit.requests(place.cluster, since, user_agent="hwplan/")
    made = [one for one in found if one.resource == "jobs" and one.verb in ("create", "patch") and one.code == 201]
    assert [one.namespace for one in made] == [place.namespace]
    place.hwplan.empty(*words)


def test_a_job_that_does_not_deliver_is_a_failure_and_is_made_anew(
    place: Place, upstream: BareRepository, mirror: BareRepository
) -> None:
    words = ("-f", place.declare(mirror, upstream), "--name", place.namespace)
    hook = upstream.path / "hooks" / "pre-receive"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    said = place.apply(*words, code=1)
    assert "the server refused the push" in said and "kubectl -n" in said
    [first] = place.jobs()
    hook.unlink()
    place.apply(*words)
    [second] = place.jobs()
    assert first["metadata"]["name"] == second["metadata"]["name"]
    assert first["metadata"]["uid"] != second["metadata"]["uid"]
    assert upstream.at(MAIN) == mirror.at(MAIN)


def test_a_partial_success_that_recovered_is_said(
    place: Place, upstream: BareRepository, mirror: BareRepository
) -> None:
    """The Job pushed, and could not look twice; we can: the push is done, and the run says what happened."""
    words = ("-f", place.declare(mirror, upstream), "--name", place.namespace)
    tool = place.folder / "bin" / "git"
    tool.parent.mkdir()
    real, counted = shutil.which("git"), place.folder / "listings"
    tool.write_text(
        f'#!/bin/sh\ncase " $* " in *" ls-remote "*) echo x >>{counted}\n'
        f'[ "$(wc -l <{counted})" -eq 1 ] || {{ echo kex_exchange_identification >&2; exit 128; }};; esac\n'
        f'exec {real} "$@"\n'
    )
    tool.chmod(0o755)
    place.kubelet.instead = {"PATH": f"{tool.parent}:{os.environ['PATH']}"}
    said = place.apply(*words)
    assert "partialSuccess=push-succeeded-fetch-failed" in said and "partialSuccessRecovered=true" in said
    assert upstream.at(MAIN) == mirror.at(MAIN) and counted.read_text() == "x\n" * 3


def test_a_job_that_completes_without_a_word_is_believed_only_by_the_ref(
    place: Place, upstream: BareRepository, mirror: BareRepository
) -> None:
    """kwok completes a Job without running anything."""
    old = upstream.at(MAIN)
    words = ("-f", place.declare(mirror, upstream, pod=""), "--name", place.namespace)
    said = place.apply(*words, code=1, play=0)
    assert "its pod left no word" in said and upstream.at(MAIN) == old


def test_a_target_that_only_the_cluster_reaches(place: Place, upstream: BareRepository, mirror: BareRepository) -> None:
    """The first plan knows nothing and says so; the Job refuses and reports; the second plan starts from that."""
    words = ("-f", place.declare(mirror, upstream, reach="cluster"), "--name", place.namespace)
    old, new = upstream.at(MAIN), mirror.at(MAIN)
    plan = place.hwplan.plan(*words)
    assert [change["action"] for change in plan["changes"]] == ["create"]
    assert "from the cluster alone" in plan["warnings"][0]
    said = place.apply(*words, code=1)
    assert "the target is not where the plan saw it" in said and upstream.at(MAIN) == old
    plan = place.hwplan.plan(*words)
    assert plan["changes"][0]["fields"][0]["before"] == old and not plan["warnings"]
    place.apply(*words)
    assert upstream.at(MAIN) == new
    place.hwplan.empty(*words)


def test_somebody_who_pushes_first_is_never_overwritten(
    place: Place, upstream: BareRepository, mirror: BareRepository
) -> None:
    words = ("-f", place.declare(mirror, upstream), "--name", place.namespace)
    plan = place.hwplan.plan(*words)
    theirs = upstream.grow(MAIN, "somebody else")
    place.hwplan("apply", *words, "--plan-id", plan["id"], "--confirm", code=3)
    assert place.jobs() == [] and upstream.at(MAIN) == theirs
