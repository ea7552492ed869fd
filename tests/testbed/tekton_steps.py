"""What the steps of a Tekton task do in the testbed: programs of Python, and the pods in which they seem to run.

kwok's stages (`stages/tekton.yaml`) begin a pod and end it as its annotations ask for; this owns the programs in
between, one for each task by the beginning of its name, and the writing of those annotations.
"""

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.testbed import kwok
from tests.testbed.api import ApiError
from tests.testbed.cluster import TestCluster
from tests.testbed.listening import LASTING
from tests.testbed.tekton_controller import PATHS
from tests.testbed.tekton_watch import Follower, Key

EXIT, MESSAGE, REASON = (f"testbed.hwplan/{name}" for name in ("exit", "message", "reason"))


@dataclass(frozen=True)
class Step:
    """The step of a task that begins: who runs it, and with what; `spec` is its task with parameters filled in. `over`
    is set when the testbed ends."""

    task: str
    run: str
    namespace: str
    params: Mapping[str, Any]
    results: tuple[str, ...]
    over: threading.Event
    spec: Mapping[str, Any] = field(default_factory=dict)
    run_uid: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a step ended. `log` is what it printed."""

    results: Mapping[str, str] = field(default_factory=dict)
    exit_code: int = 0
    log: str = ""


# None: it does not end.
Program: TypeAlias = Callable[[Step], Outcome | None]


def succeed(step: Step) -> Outcome:
    """Give each declared result a value made of its name."""
    return Outcome({name: f"{step.task}-{name}" for name in step.results})


def failing(log: str = "it does not work\n") -> Program:
    """A program that prints and fails."""
    return lambda _step: Outcome(exit_code=1, log=log)


def hang(_step: Step) -> None:
    """Never end."""
    return


@dataclass
class Player:
    """Runs the programs; `programs_of` gives those of a namespace, None where it plays nothing."""

    cluster: TestCluster
    programs_of: Callable[[str], Mapping[str, Program] | None]
    failures: list[str] = field(default_factory=list)
    _begun: set[str] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, LASTING))

    def start(self) -> None:
        """Begin."""
        self._follower = Follower(self.cluster.api(), {kind: PATHS[kind] for kind in ("Pod", "TaskRun")})
        self._follower.start()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; programs that run are reported so."""
        self._over.set()
        self._follower.stop()
        self._thread.join(10)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _loop(self) -> None:
        while not self._over.is_set():
            if (key := self._follower.next(0.25)) and key.kind == "Pod":
                self._look(key)

    def _look(self, key: Key) -> None:
        pod, programs = self._follower.get(key), self.programs_of(key.namespace)
        if pod is None or programs is None or (pod.get("status") or {}).get("phase") != "Running":
            return
        if (uid := pod["metadata"]["uid"]) not in self._begun:
            self._begun.add(uid)
            self._pool.submit(self._play, key, pod, programs)

    def _play(self, key: Key, pod: dict[str, Any], programs: Mapping[str, Program]) -> None:
        try:
            step = self._step(key, pod)
            fitting = [name for name in programs if step.task.startswith(name)]
            program = programs[max(fitting, key=len)] if fitting else succeed
            if (outcome := program(step)) is not None:
                self._end(key, outcome)
        except ApiError as error:
            if error.code != http.client.NOT_FOUND:  # the TaskRun may be gone: replaced
                self._failed(key, error)
        except Exception as error:
            self._failed(key, error)

    def _failed(self, key: Key, error: Exception) -> None:
        self.failures.append(f"{key}: {error!r}")
        with suppress(ApiError, OSError):
            self._end(key, Outcome(exit_code=2, log=f"the testbed failed: {error!r}\n"))

    def _step(self, key: Key, pod: dict[str, Any]) -> Step:
        labels = pod["metadata"]["labels"]
        path = f"/apis/tekton.dev/v1/namespaces/{key.namespace}/taskruns/{labels['tekton.dev/taskRun']}"
        run = self._with_spec(path)
        spec = (run.get("status") or {}).get("taskSpec") or run["spec"].get("taskSpec") or {}
        params = {one["name"]: one["default"] for one in spec.get("params") or () if "default" in one}
        params |= {one["name"]: one["value"] for one in run["spec"].get("params") or ()}
        results = tuple(one["name"] for one in spec.get("results") or ())
        task, name = labels["tekton.dev/pipelineTask"], labels["tekton.dev/pipelineRun"]
        return Step(task, name, key.namespace, params, results, self._over, spec, labels["tekton.dev/pipelineRunUID"])

    def _with_spec(self, path: str) -> dict[str, Any]:
        """The TaskRun with its task written down: the controller does so after it has made the pod."""
        for _ in range(100):
            run: dict[str, Any] = self.cluster.api().get(path)
            if (run.get("status") or {}).get("taskSpec") or self._over.wait(0.05):
                break
        return run

    def _end(self, key: Key, outcome: Outcome) -> None:
        if outcome.log:
            with self.cluster.pod_log.open("a") as log:
                log.write(kwok.log_lines(*outcome.log.splitlines()))
        said = [{"key": name, "value": value, "type": 1} for name, value in outcome.results.items()]
        annotations = {EXIT: str(outcome.exit_code), MESSAGE: json.dumps(said), REASON: _reason(outcome.exit_code)}
        path = f"/api/v1/namespaces/{key.namespace}/pods/{key.name}"
        with suppress(ApiError):  # the pod may be gone: cancelled
            self.cluster.api().merge(path, {"metadata": {"annotations": annotations}})


def _reason(exit_code: int) -> str:
    return {0: "Completed", 137: "OOMKilled"}.get(exit_code, "Error")
