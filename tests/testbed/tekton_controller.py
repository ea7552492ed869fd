"""The loop of the stand-in for Tekton's controller: reads what changed, asks what comes next, writes it.

Owns requests and the order of writes; what comes next is decided by `tekton_runs.py` and `tekton_tasks.py`. It acts in
the namespaces that it is given, and in no other.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.testbed.api import Api, ApiError
from tests.testbed.tekton_graph import Pipeline
from tests.testbed.tekton_references import Values, filled
from tests.testbed.tekton_refusals import Refusal, no_pipeline, refusal_of
from tests.testbed.tekton_runs import RunMove
from tests.testbed.tekton_runs import judge as judge_run
from tests.testbed.tekton_tasks import RELEASE, is_done, pod_name, time_text, with_condition
from tests.testbed.tekton_tasks import judge as judge_task
from tests.testbed.tekton_watch import Follower, Key

Document = dict[str, Any]
_TEKTON = "/apis/tekton.dev/v1"
_TICK = 0.25  # seconds between looks at the clock of what has a time-out
PATHS = {
    "PipelineRun": f"{_TEKTON}/pipelineruns",
    "TaskRun": f"{_TEKTON}/taskruns",
    "Pod": "/api/v1/pods?labelSelector=tekton.dev%2FtaskRun",
}
_PLURALS = {"PipelineRun": "pipelineruns", "TaskRun": "taskruns", "Pipeline": "pipelines", "Task": "tasks"}


@dataclass
class Controller:
    """The stand-in's controller; `is_ours` says whether it acts in a namespace, `failures` what stopped a step."""

    api: Api
    is_ours: Callable[[str], bool]
    failures: list[str] = field(default_factory=list)
    _follower: Follower = field(init=False)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. Raises ApiError when the kinds are not served."""
        self._follower = Follower(self.api, PATHS)
        self._follower.start()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; returns when nothing is written any more."""
        self._over.set()
        self._follower.stop()
        if self._thread is not None:
            self._thread.join(10)

    def _loop(self) -> None:
        ticked = time.monotonic()
        while not self._over.is_set():
            if key := self._follower.next(_TICK):
                self._guarded(key)
            if time.monotonic() - ticked >= _TICK:
                ticked = time.monotonic()
                for kind in ("TaskRun", "PipelineRun"):
                    for one in self._follower.all(kind):
                        if not is_done(one):
                            self._guarded(Key(kind, one["metadata"]["namespace"], one["metadata"]["name"]))

    def _guarded(self, key: Key) -> None:
        """A conflict means that something changed: its event comes. What else fails is tried again by the clock."""
        if not self.is_ours(key.namespace):
            return
        try:
            self._reconcile(key)
        except ApiError as error:
            if error.code not in (404, 409):
                self.failures.append(f"{key}: {error}")
        except OSError as error:
            self.failures.append(f"{key}: {error!r}")

    def _reconcile(self, key: Key) -> None:
        match key.kind:
            case "Pod":
                pod = self._follower.get(key)
                name = pod["metadata"]["labels"]["tekton.dev/taskRun"] if pod else _run_of(key.name)
                self._task_run(Key("TaskRun", key.namespace, name))
            case "TaskRun":
                self._task_run(key)
            case _:
                self._pipeline_run(key)

    # --- TaskRuns --------------------------------------------------------------------------------------------------

    def _task_run(self, key: Key) -> None:
        run = self._follower.get(key)
        if run is None or run["metadata"].get("deletionTimestamp"):
            return
        if not is_done(run):
            self._move_task(key, run)
        if name := (run["metadata"].get("labels") or {}).get("tekton.dev/pipelineRun"):
            self._pipeline_run(Key("PipelineRun", key.namespace, name))

    def _move_task(self, key: Key, run: Document) -> None:
        pod_key = Key("Pod", key.namespace, pod_name(run))
        pod = self._follower.get(pod_key)
        if pod is not None and pod["metadata"].get("deletionTimestamp"):
            return
        move = judge_task(run, self._task_of(run), pod, time.time())
        pods = f"/api/v1/namespaces/{key.namespace}/pods"
        if move.create is not None:
            self._follower.learn("Pod", self.api.create(pods, move.create))
            run = self._annotate(run)
        if move.delete_pod:
            with suppress(ApiError):
                self.api.delete(f"{pods}/{pod_key.name}?gracePeriodSeconds=0")
        if pod is not None and _runs(pod) and "tekton.dev/ready" not in (pod["metadata"].get("annotations") or {}):
            ready = {"metadata": {"annotations": {"tekton.dev/ready": "READY"}}}
            self._follower.learn("Pod", self.api.merge(f"{pods}/{pod_key.name}", ready))
        self._write("TaskRun", run, move.status)

    def _annotate(self, run: Document) -> Document:
        if set(RELEASE) <= set(run["metadata"].get("annotations") or {}):
            return run
        made: Document = self.api.merge(_path("TaskRun", run), {"metadata": {"annotations": RELEASE}})
        self._follower.learn("TaskRun", made)
        return made

    def _task_of(self, run: Document) -> Document:
        """The spec of its task with parameters filled in."""
        if known := (run.get("status") or {}).get("taskSpec"):
            return dict(known)
        spec = run["spec"].get("taskSpec")
        if spec is None:
            spec = self._named("Task", run["metadata"]["namespace"], run["spec"]["taskRef"]["name"])["spec"]
        given = {one["name"]: one["default"] for one in spec.get("params") or () if "default" in one}
        given |= {one["name"]: one["value"] for one in run["spec"].get("params") or ()}
        values = Values({f"params.{name}": value for name, value in given.items()})
        return {**spec, "steps": filled(spec["steps"], values)}

    # --- PipelineRuns ----------------------------------------------------------------------------------------------

    def _pipeline_run(self, key: Key) -> None:
        run = self._follower.get(key)
        if run is None or is_done(run) or run["metadata"].get("deletionTimestamp"):
            return
        run = self._label(run)
        spec = self._pipeline_of(run)
        if isinstance(spec, Refusal):
            self._refuse(run, spec)
            return
        children = self._children(run)
        move = judge_run(run, Pipeline(spec), children, time.time())
        for claim in move.claims if move.create else ():
            with suppress(ApiError):
                self.api.create(f"/api/v1/namespaces/{key.namespace}/persistentvolumeclaims", claim)
        self._carry_out(key.namespace, move)
        self._write("PipelineRun", run, move.status)

    def _carry_out(self, namespace: str, move: RunMove) -> None:
        for child in move.create:
            path = f"{_TEKTON}/namespaces/{namespace}/taskruns"
            self._follower.learn("TaskRun", self.api.create(path, child))
        for name in move.cancel:
            path = f"{_TEKTON}/namespaces/{namespace}/taskruns/{name}"
            cancelled = {"spec": {"status": "TaskRunCancelled", "statusMessage": move.said}}
            self._follower.learn("TaskRun", self.api.merge(path, cancelled))

    def _label(self, run: Document) -> Document:
        if "tekton.dev/pipeline" in (run["metadata"].get("labels") or {}):
            return run
        name = (run["spec"].get("pipelineRef") or {}).get("name") or run["metadata"]["name"]
        made: Document = self.api.merge(
            _path("PipelineRun", run), {"metadata": {"labels": {"tekton.dev/pipeline": name}}}
        )
        self._follower.learn("PipelineRun", made)
        return made

    def _pipeline_of(self, run: Document) -> Document | Refusal:
        """The spec that is run: as it was when the run began."""
        if known := (run.get("status") or {}).get("pipelineSpec"):
            return dict(known)
        spec, namespace = run["spec"].get("pipelineSpec"), run["metadata"]["namespace"]
        if spec is None:
            try:
                spec = self._named("Pipeline", namespace, run["spec"]["pipelineRef"]["name"])["spec"]
            except ApiError as error:
                if error.code != 404:
                    raise
                return no_pipeline(run)
        return refusal_of(run, spec, lambda name: self._exists(namespace, name)) or spec

    def _exists(self, namespace: str, task: str) -> bool:
        return self.api.find(f"{_TEKTON}/namespaces/{namespace}/tasks/{task}") is not None

    def _named(self, kind: str, namespace: str, name: str) -> Document:
        found: Document = self.api.get(f"{_TEKTON}/namespaces/{namespace}/{_PLURALS[kind]}/{name}")
        return found

    def _refuse(self, run: Document, refusal: Refusal) -> None:
        now = time.time()
        status = {**(run.get("status") or {}), "startTime": time_text(now)}
        self._write("PipelineRun", run, with_condition(status, now, "False", refusal.reason, refusal.message))

    def _children(self, run: Document) -> dict[str, Document]:
        metadata = run["metadata"]
        return {
            one["metadata"]["labels"]["tekton.dev/pipelineTask"]: one
            for one in self._follower.all("TaskRun", metadata["namespace"])
            if (one["metadata"].get("labels") or {}).get("tekton.dev/pipelineRunUID") == metadata["uid"]
        }

    def _write(self, kind: str, run: Document, status: Document | None) -> None:
        if status is None or status == (run.get("status") or {}):
            return
        body = {**run, "apiVersion": "tekton.dev/v1", "kind": kind, "status": status}
        self._follower.learn(kind, self.api.request("PUT", f"{_path(kind, run)}/status", body))


def _path(kind: str, document: Document) -> str:
    metadata = document["metadata"]
    return f"{_TEKTON}/namespaces/{metadata['namespace']}/{_PLURALS[kind]}/{metadata['name']}"


def _run_of(pod: str) -> str:
    """The TaskRun of a pod that is gone."""
    return pod.rpartition("-retry")[0].removesuffix("-pod") if "-pod-retry" in pod else pod.removesuffix("-pod")


def _runs(pod: Document) -> bool:
    return bool((pod.get("status") or {}).get("phase") == "Running")
