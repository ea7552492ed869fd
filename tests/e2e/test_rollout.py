"""From a commit to a healthy Application in one plan of the command: GitHead, PipelineRun, ArgoSync.

Argo CD is the real one, Tekton its stand-in; builds really push, the promotion really commits.
"""

from __future__ import annotations

import json
import signal
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.hwplan import Hwplan, changes
from tests.testbed import audit, image_registry
from tests.testbed.argocd import ArgoCd
from tests.testbed.fixtures import part
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.git_server import GitHttp
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.lane_steps import Lane
from tests.testbed.tekton import Tekton
from tests.testbed.tekton_steps import Outcome, Program, Step

pytestmark = pytest.mark.timeout(300)
_MAIN = "refs/heads/main"
_STEPS = [{"name": "run", "image": "registry.example/tools:1", "script": "true"}]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageRegistry]:
    with part(), image_registry.running(tmp_path_factory.mktemp("registry")) as running:
        yield running


@dataclass
class Shop:
    """A lane: a source repository, a GitOps repository that an Application follows, and the plan over both."""

    hwplan: Hwplan
    argo: ArgoCd
    tekton: Tekton
    lane: Lane
    source: BareRepository
    namespace: str
    wait: str = "90s"

    def stack(self) -> str:
        """The manifests of the rollout."""
        task = {"steps": _STEPS, "params": [{"name": "commit"}]}
        commit = [{"name": "commit", "value": "$(params.commit)"}]
        image = "$(tasks.build-web.results.IMAGE_URL)@$(tasks.build-web.results.IMAGE_DIGEST)"
        build = {**task, "results": [{"name": "IMAGE_URL"}, {"name": "IMAGE_DIGEST"}]}
        promote = {**task, "params": [*task["params"], {"name": "web"}], "results": [{"name": "gitopsRevision"}]}
        pipeline = {
            "params": [{"name": "commit"}],
            "tasks": [
                {"name": "build-web", "params": commit, "taskSpec": build},
                {"name": "gitops-promote", "params": [*commit, {"name": "web", "value": image}], "taskSpec": promote},
            ],
            "results": [{"name": "gitopsRevision", "value": "$(tasks.gitops-promote.results.gitopsRevision)"}],
        }
        return f"""
apiVersion: hwplan.dev/v1
kind: GitHead
metadata: {{name: source}}
spec: {{remote: "{self.source.url}", branch: main}}
---
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {{name: shop, namespace: {self.namespace}}}
spec: {json.dumps(pipeline)}
---
apiVersion: hwplan.dev/v1
kind: PipelineRun
metadata: {{name: build}}
spec:
  manifest:
    apiVersion: tekton.dev/v1
    kind: PipelineRun
    metadata: {{name: !sub "shop-ci-poll-${{GitHead/source#short}}", namespace: {self.namespace}}}
    spec:
      pipelineRef: {{name: shop}}
      params: [{{name: commit, value: !ref GitHead/source#commit}}]
  wait: {self.wait}
  evidence: {{taskRuns: [build-web]}}
---
apiVersion: hwplan.dev/v1
kind: ArgoSync
metadata: {{name: shop}}
spec: {{application: {self.namespace}, revision: !ref PipelineRun/build#gitopsRevision}}
"""

    @property
    def words(self) -> tuple[str, ...]:
        """Which stack is meant."""
        path = self.hwplan.folder / "stack.yaml"
        path.write_text(self.stack())
        return ("-f", str(path), "--name", self.namespace)

    def runs(self) -> list[str]:
        """Names of the PipelineRuns that there are."""
        path = f"/apis/tekton.dev/v1/namespaces/{self.namespace}/pipelineruns"
        return [one["metadata"]["name"] for one in self.argo.api.get(path)["items"]]

    def image(self) -> str:
        """The image that the workload has in the cluster."""
        found = self.argo.api.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/web")
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.fixture
def shop(
    argo: ArgoCd, tekton: Tekton, gitops: GitHttp, registry: ImageRegistry, namespace: str, tmp_path: Path
) -> Iterator[Shop]:
    repository = BareRepository.create(gitops.root / f"{uuid.uuid4().hex}.git")
    container = {"name": "web", "image": f"{registry.host}/{namespace}/web:none"}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    repository.write(_MAIN, {"app/web.yaml": json.dumps(body, indent=1)})
    source = BareRepository.create(tmp_path / "source.git")
    source.grow(_MAIN, "first")
    lane = Lane(registry, repository, namespace, source=(source, _MAIN))
    tekton.enable(namespace, lane.programs())
    argo.create(
        namespace,
        {"repoURL": gitops.url(repository.path.name), "path": "app", "targetRevision": "main"},
        namespace,
    )
    where = ("--kubeconfig", str(argo.cluster.kubeconfig), "--state", str(tmp_path / "state.db"))
    yield Shop(Hwplan(tmp_path, where), argo, tekton, lane, source, namespace)
    argo.delete(namespace)


def test_a_commit_becomes_a_run_a_promotion_and_a_healthy_application(shop: Shop) -> None:
    """R1, R2, R3, R14: shown before anything happens, done once, and then there is nothing to do."""
    commit = shop.source.at(_MAIN)
    plan = shop.hwplan.plan(*shop.words)
    assert set(changes(plan).values()) == {"create", "run"} and not plan["blocked"]
    assert shop.runs() == []
    since = audit.mark(shop.argo.cluster)
    ran = shop.hwplan("apply", *shop.words, "--confirm")
    assert shop.runs() == [f"shop-ci-poll-{commit[:12]}"], ran.err
    tip = shop.lane.gitops.at(_MAIN)
    status = shop.argo.application(shop.namespace)["status"]
    assert (status["sync"]["status"], status["sync"]["revision"], status["health"]["status"]) == (
        "Synced",
        tip,
        "Healthy",
    )
    assert f":{commit[:12]}@sha256:" in shop.image()
    shop.hwplan.empty(*shop.words)
    shop.hwplan("apply", *shop.words, "--confirm")
    made = audit.requests(shop.argo.cluster, since, user_agent="hwplan/")
    writes = [one for one in made if one.verb in ("patch", "create") and not one.dry_run and one.namespace]
    assert [one.resource for one in writes].count("pipelineruns") == 1
    assert [one.resource for one in writes].count("applications") == 1
    second = shop.source.grow(_MAIN, "second")
    shop.hwplan("apply", *shop.words, "--confirm")
    assert f":{second[:12]}@sha256:" in shop.image() and len(shop.runs()) == 2
    found = shop.hwplan("status", *shop.words, "--json", code=None).json
    assert (found["target"]["commit"], found["argoSyncedToGitops"]) == (second, True)
    assert found["pipelineRun"]["state"] == "succeeded" and found["images"]
    runs = {one["name"]: one["result"] for one in found["equations"] if one["name"].startswith("Deployment/web runs ")}
    assert runs == {f"Deployment/web runs {name}": "holds" for name in found["images"]}, found["equations"]
    assert (found["aligned"], found["blockers"], found["targetValidation"]["state"]) == (True, [], "passed")


# The first effect is the Pipeline, the second the run, the third the sync.
@pytest.mark.parametrize("point", ["node.effected=kill@2", "node.wait=kill@2", "node.effected=kill@3"])
def test_r14_killed_in_the_middle_there_is_one_run_and_one_sync_in_the_end(shop: Shop, point: str) -> None:
    since = audit.mark(shop.argo.cluster)
    shop.hwplan("apply", *shop.words, "--confirm", code=-signal.SIGKILL, env={"HWPLAN_FAILPOINT": point})
    shop.hwplan("apply", "--resume", "--confirm")
    made = audit.requests(shop.argo.cluster, since, user_agent="hwplan/")
    writes = [one for one in made if one.verb in ("patch", "create") and not one.dry_run]
    assert [one.resource for one in writes].count("pipelineruns") == 1
    assert [one.name for one in writes if one.resource == "applications"] == [shop.namespace]
    assert len(shop.runs()) == 1 and "@sha256:" in shop.image()
    shop.hwplan.empty(*shop.words)


def test_a_build_that_fails_shows_its_log_and_nothing_is_deployed(shop: Shop) -> None:
    """R13: the first failed step, and the next command."""
    words = f"undefined: {uuid.uuid4().hex}"
    shop.tekton.programs[shop.namespace]["build-"] = lambda _step: Outcome(exit_code=1, log=f"{words}\n")
    ran = shop.hwplan("apply", *shop.words, "--confirm", code=1)
    assert "task build-web, step run: StepFailed" in ran.out + ran.err
    assert words in ran.out + ran.err and "--rerun" in ran.out + ran.err
    assert "operationState" not in (shop.argo.application(shop.namespace).get("status") or {})
    plan = shop.hwplan.plan(*shop.words)
    assert [one["address"] for one in plan["blocked"]] == ["PipelineRun/build", "ArgoSync/shop"], plan["blocked"]


def test_a_build_that_takes_too_long_is_pending_and_a_later_command_goes_on(shop: Shop) -> None:
    """R4, R15: exit code 4, never a failed build; one run in the end."""
    gate = threading.Event()

    def slow(build: Program) -> Program:
        def run(step: Step) -> Outcome | None:
            gate.wait(120)
            return build(step)

        return run

    shop.tekton.programs[shop.namespace]["build-"] = slow(shop.lane.build)
    shop.wait = "3s"
    ran = shop.hwplan("apply", *shop.words, "--confirm", code=4)
    assert "running since" in ran.out + ran.err
    gate.set()
    shop.wait = "90s"
    shop.hwplan("apply", *shop.words, "--confirm")
    assert len(shop.runs()) == 1 and "@sha256:" in shop.image()
