"""A lane of real parts for the status: git repositories, a registry, a probe, and objects on a real API server.

No controller runs: what Tekton and Argo CD would have written is written here, so that each state can be made exactly.
"""

from __future__ import annotations

import http.server
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.hwplan import Hwplan, Ran
from tests.testbed.api import Api
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.image_registry import ImageRegistry
from tests.testbed.listening import http_listening
from tests.testbed.small_image import push_small_image

MAIN, GITOPS = "refs/heads/main", "refs/heads/main-gitops"
SNAPSHOT = "refs/snapshots/main/"
AT = "2026-11-22T03:0{}:00Z"


@dataclass
class LaneWorld:
    """One lane in a namespace of its own."""

    hwplan: Hwplan
    api: Api
    registry: ImageRegistry
    upstream: BareRepository
    mirror: BareRepository
    namespace: str
    site: Site
    digests: dict[str, str] = field(default_factory=dict)

    # --- what the parts of a rollout leave behind -------------------------------------------------------------------

    def commit(self, text: str) -> str:
        """A commit on the branch, and its snapshot on the mirror."""
        made = self.upstream.grow(MAIN, text)
        self.mirror.take(self.upstream, made, SNAPSHOT + made)
        return made

    def build(self, commit: str, *, state: str = "True") -> str:
        """The image of a commit in the registry, its GitOps commit, and the run that says so; gives that commit."""
        repository = f"{self.namespace}/api"
        digest = push_small_image(self.registry, repository, commit, commit)
        self.digests[commit] = digest
        catalog = json.dumps({"image": f"{self.registry.host}/{repository}@{digest}", "sourceCommit": commit})
        gitops = self.mirror.write(GITOPS, {"app/catalog.json": catalog}, commit)
        self.flush()
        self._run(commit, digest, gitops, state)
        return gitops

    def flush(self) -> None:
        """What was promoted goes to the upstream."""
        self.upstream.take(self.mirror, self.mirror.at(GITOPS), GITOPS)

    def _run(self, commit: str, digest: str, gitops: str, state: str) -> None:
        name = f"shop-ci-poll-{commit[:12]}"
        path = f"/apis/tekton.dev/v1/namespaces/{self.namespace}/pipelineruns"
        body = {
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"pipelineRef": {"name": "shop"}, "params": [{"name": "source-commit", "value": commit}]},
        }
        self.api.create(path, body)
        results = [
            {"name": "API_IMAGE_URL", "value": f"{self.registry.host}/{self.namespace}/api:{commit}"},
            {"name": "API_IMAGE_DIGEST", "value": digest},
            {"name": "gitopsRevision", "value": gitops},
        ]
        reason = {"True": "Succeeded", "False": "Failed"}.get(state, "Running")
        condition = {"type": "Succeeded", "status": state, "reason": reason, "message": reason}
        status = {
            "conditions": [condition],
            "results": results,
            "startTime": AT.format(0),
            "completionTime": AT.format(1),
        }
        self.api.merge(f"{path}/{name}/status", {"status": status})

    def task(self, commit: str, task: str, pod: str, step: str) -> None:
        """A TaskRun of the run of a commit, with a step that failed in a pod."""
        runs = f"/apis/tekton.dev/v1/namespaces/{self.namespace}"
        run, name = f"shop-ci-poll-{commit[:12]}", f"{task}-{commit[:6]}"
        metadata = {"name": name, "labels": {"tekton.dev/pipelineRun": run}}
        body = {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "metadata": metadata, "spec": {}}
        self.api.create(f"{runs}/taskruns", body)
        steps = [{"name": step, "container": f"step-{step}", "terminated": {"exitCode": 3, "reason": "Error"}}]
        failed = {"type": "Succeeded", "status": "False", "reason": "Failed", "message": "step failed"}
        status = {"podName": pod, "steps": steps, "conditions": [failed]}
        self.api.merge(f"{runs}/taskruns/{name}/status", {"status": status})
        child = {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": name, "pipelineTaskName": task}
        self.api.merge(f"{runs}/pipelineruns/{run}/status", {"status": {"childReferences": [child]}})

    def argo(self, revision: str, *, sync: str = "Synced", health: str = "Healthy") -> None:
        """The Application as Argo CD would have it."""
        deployment = {
            "group": "apps",
            "kind": "Deployment",
            "namespace": self.namespace,
            "name": "api",
            "version": "v1",
        }
        operation = {
            "operation": {"sync": {"revision": revision}},
            "phase": "Succeeded",
            "syncResult": {"revision": revision},
            "startedAt": AT.format(2),
            "finishedAt": AT.format(3),
        }
        status = {
            "sync": {"status": sync, "revision": revision},
            "health": {"status": health},
            "operationState": operation,
            "resources": [deployment | {"status": sync, "health": {"status": health}}],
        }
        self.api.merge(self._application, {"status": status})

    @property
    def _application(self) -> str:
        return f"/apis/argoproj.io/v1alpha1/namespaces/{self.namespace}/applications/shop"

    def run_pods(self, *commits: str) -> None:
        """The workload, ready, with one pod for each commit; what ran before is gone."""
        pods, base = (
            f"/api/v1/namespaces/{self.namespace}/pods",
            f"/apis/apps/v1/namespaces/{self.namespace}/deployments",
        )
        for one in self.api.get(pods)["items"]:
            self.api.delete(f"{pods}/{one['metadata']['name']}?gracePeriodSeconds=0")
        for number, commit in enumerate(commits):
            self._pod(pods, f"api-{commit[:6]}-{number}", commit)
        image = self.image(commits[0])
        template = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "api", "image": image}]}}
        spec = {"replicas": len(commits), "selector": {"matchLabels": {"app": "api"}}, "template": template}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": spec}
        live = self.api.apply(f"{base}/api", body)
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), len(commits))
        available = {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}
        status = {"observedGeneration": live["metadata"]["generation"], **counts, "conditions": [available]}
        self.api.merge(f"{base}/api/status", {"status": status})

    def image(self, commit: str) -> str:
        """The image of a commit by its digest."""
        return f"{self.registry.host}/{self.namespace}/api@{self.digests[commit]}"

    def _pod(self, pods: str, name: str, commit: str) -> None:
        image = self.image(commit)
        metadata = {"name": name, "labels": {"app": "api", "pod-template-hash": commit[:6]}}
        spec = {"containers": [{"name": "api", "image": image}], "automountServiceAccountToken": False}
        self.api.create(pods, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        container = {"name": "api", "image": image, "imageID": image, "ready": True, "restartCount": 0,
                     "state": {"running": {"startedAt": AT.format(4)}}}  # fmt: skip
        status = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [container],
        }
        self.api.merge(f"{pods}/{name}/status", {"status": status})

    def roll_out(self, commit: str) -> str:
        """Everything, to the end; gives the GitOps commit."""
        gitops = self.build(commit)
        self.argo(gitops)
        self.run_pods(commit)
        self.site.commit = commit
        return gitops

    # --- the command ------------------------------------------------------------------------------------------------

    def __call__(self, *words: str, code: int | None = 0) -> Ran:
        """`hwplan status` of the lane."""
        return self.hwplan("status", *self.words, *words, code=code)

    def json(self, *words: str, code: int | None = 0) -> Any:
        """The same as a document."""
        return self(*words, "--json", code=code).json

    def blockers(self, *words: str, code: int | None = 2) -> list[str]:
        """Codes of the blockers."""
        return [one["code"] for one in self.json(*words, code=code)["blockers"]]

    @property
    def words(self) -> tuple[str, ...]:
        """Which lane is meant."""
        path = self.hwplan.folder / "lane.yaml"
        path.write_text(self._stack())
        return ("-f", str(path), "--name", self.namespace)

    def _stack(self) -> str:
        return f"""
apiVersion: hwplan.dev/v1
kind: GitHead
metadata: {{name: source}}
spec: {{remote: "{self.upstream.url}", branch: main}}
---
apiVersion: hwplan.dev/v1
kind: GitRef
metadata: {{name: snapshot}}
spec:
  mode: immutable
  from: {{remote: "{self.upstream.url}", commit: !ref GitHead/source#commit}}
  to: {{remote: "{self.mirror.url}", ref: !sub "{SNAPSHOT}${{GitHead/source#commit}}"}}
---
apiVersion: hwplan.dev/v1
kind: GitRef
metadata: {{name: flush}}
spec:
  mode: fast-forward
  from: {{remote: "{self.mirror.url}", ref: {GITOPS}}}
  to: {{remote: "{self.upstream.url}", ref: {GITOPS}}}
---
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {{name: shop, namespace: {self.namespace}}}
spec: {{tasks: []}}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: shop, namespace: {self.namespace}}}
spec:
  project: default
  source: {{repoURL: "{self.mirror.url}", path: app}}
  destination: {{namespace: {self.namespace}}}
---
apiVersion: hwplan.dev/v1
kind: HttpProbe
metadata: {{name: gate}}
spec:
  url: {self.site.url}
  role: gate
  provenance: {{commit: !ref GitHead/source#commit}}
"""


@dataclass
class Site:
    """What the public address answers: the commit of the build that runs there."""

    url: str = ""
    commit: str = ""
    status: int = 200


@contextmanager
def site() -> Iterator[Site]:
    """A site on 127.0.0.1."""
    found = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"commit": found.commit}).encode()
            self.send_response(found.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http_listening(Handler) as port:
        found.url = f"http://127.0.0.1:{port}/health"
        yield found


def new_world(hwplan: Hwplan, api: Api, registry: ImageRegistry, folder: Path, namespace: str, at: Site) -> LaneWorld:
    """An empty lane: a branch with nothing, an Application that was never compared."""
    upstream, mirror = (BareRepository.create(folder / f"{name}.git") for name in ("upstream", "mirror"))
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop"},
        "spec": {
            "project": "default",
            "source": {"repoURL": mirror.url, "path": "app"},
            "destination": {"namespace": namespace},
        },
    }
    api.create(f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications", application)
    return LaneWorld(hwplan, api, registry, upstream, mirror, namespace, at)
