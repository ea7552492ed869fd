"""Replays recordings of the real Tekton on the stand-in: creates each recorded run, plays its pods as the recording's
script did, sends what its client sent, and notes every version of every object.

Both sides become the same kind of history: for each object the sequence of what can be distinguished, times and uids
aside.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from tests.testbed.api import Api, ApiError
from tests.testbed.tekton_controller import PATHS
from tests.testbed.tekton_tasks import condition_of
from tests.testbed.tekton_watch import Follower, Key

Document = dict[str, Any]
# What can be distinguished of one object, version by version.
History: TypeAlias = list[tuple[Any, ...]]
NAMESPACE = "rec"
_IMAGE = "docker://sha256:" + "0" * 64
_HASHED = re.compile(r"(pvc|affinity-assistant)-[0-9a-f]{10}")
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def data_folder() -> Path | None:
    """The folder of recordings: beside the checkout, or where `HWPLAN_TEKTON_CRDS` says; None where there is none."""
    named = os.environ.get("HWPLAN_TEKTON_CRDS")
    beside = Path(__file__).parents[3] / "shared" / "data" / "tekton"
    candidates = [Path(named).parent] if named else []
    return next((one for one in [*candidates, beside] if (one / "recordings").is_dir()), None)


@dataclass(frozen=True)
class Recording:
    """A recorded run: its manifest, and what was seen and sent afterwards."""

    name: str
    manifest: Document
    events: tuple[Document, ...]

    @classmethod
    def read(cls, path: Path) -> Recording:
        """The recording of a file."""
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return cls(path.stem, lines[0]["object"], tuple(lines[1:]))

    def histories(self, until: int | None = None) -> dict[tuple[str, str], History]:
        """The history of each object, by kind and name; of the first `until` events only."""
        found: dict[tuple[str, str], History] = {}
        for event in self.events[:until]:
            if event["event"] != "REQUEST":
                _note(found.setdefault((event["kind"], event["name"]), []), event["event"], event)
        return found


def _note(history: History, what: str, event: Mapping[str, Any]) -> None:
    state = _pod_state(what, event) if event["kind"] == "Pod" else _run_state(event)
    if state is not None and (not history or history[-1] != state):
        history.append(state)


def _pod_state(what: str, event: Mapping[str, Any]) -> tuple[Any, ...]:
    return (what == "DELETED", event.get("phase"), tuple(event.get("containers") or ()))


def _run_state(event: Mapping[str, Any]) -> tuple[Any, ...] | None:
    status = event.get("status") or {}
    condition = next(iter(status.get("conditions") or ()), None)
    if condition is None:
        return None
    shown = {key: status[key] for key in ("results", "skippedTasks", "podName", "artifacts") if key in status}
    shown["children"] = [one["pipelineTaskName"] for one in status.get("childReferences") or ()]
    shown["steps"] = [_step(one) for one in status.get("steps") or ()]
    shown["retries"] = [one["conditions"][0]["reason"] for one in status.get("retriesStatus") or ()]
    shown["times"] = sorted(key for key in status if key.endswith("Time"))
    return (condition["status"], condition["reason"], condition["message"], json.dumps(shown, sort_keys=True))


def _step(step: Mapping[str, Any]) -> Document:
    retained = {key: value for key, value in step.items() if key not in ("running", "provenance")}
    for name, state in retained.items():
        if name in ("terminated", "waiting"):
            retained[name] = {key: value for key, value in state.items() if not key.endswith("At")}
    return retained | ({"running": True} if "running" in step else {})


def constant(event: Mapping[str, Any], key: str) -> Any:
    """Labels, annotations, owner or spec of an object, without what is new each time."""
    text = json.dumps(event.get(key) or None, sort_keys=True)
    return json.loads(_HASHED.sub(r"\1-HASH", _UID.sub("UID", text)))


@dataclass
class Observed(Follower):
    """Keeps every version of everything."""

    events: list[Document] = field(default_factory=list)

    def _event(self, kind: str, event: Document) -> None:
        live = event["object"]
        metadata, status = live["metadata"], live.get("status") or {}
        self.events.append(
            {
                "event": event["type"],
                "kind": kind,
                "name": metadata["name"],
                "labels": metadata.get("labels"),
                "annotations": metadata.get("annotations"),
                "owner": [f"{one['kind']}/{one['name']}" for one in metadata.get("ownerReferences") or ()],
                "spec": live["spec"],
                "status": status,
                "phase": status.get("phase"),
                "containers": [one["name"] for one in live["spec"].get("containers") or ()],
            }
        )
        super()._event(kind, event)

    def of(self, run: str) -> tuple[Document, ...]:
        """All events of a run and what belongs to it."""
        mine = {"tekton.dev/pipelineRun": run}.items()
        return tuple(one for one in list(self.events) if one["name"] == run or mine <= (one["labels"] or {}).items())


_ANSWERED = 5.0  # seconds for what follows a request in its recording; some of it needs a container to go on


def replay(api: Api, observed: Observed, script: Script, recording: Recording, deadline: float) -> Recording:
    """Do what the recorded client did, each request once the run is where it was then; what came of it, as a
    recording. Until then `script` ends no container that still ran in the recording."""
    end = time.monotonic() + deadline
    path = f"/apis/tekton.dev/v1/namespaces/{NAMESPACE}/pipelineruns"
    wanted = recording.histories()

    def seen() -> Recording:
        return Recording(recording.name, recording.manifest, observed.of(recording.name))

    def wait(target: Mapping[tuple[str, str], History], seconds: float = deadline) -> None:
        until = min(end, time.monotonic() + seconds)
        while time.monotonic() < until:
            got = seen().histories()
            if all(len(got.get(key) or ()) >= len(history) for key, history in target.items()):
                return
            time.sleep(0.1)

    for at, event in enumerate(recording.events):
        if event["event"] != "REQUEST":
            continue
        if "create" in event:
            api.create(path, recording.manifest)
        else:
            script.awaited[recording.name] = recording.histories(at)
            wait(recording.histories(at))
            with suppress(ApiError):  # where the run went another way, the histories say so
                api.merge(f"{path}/{recording.name}", event["patch"])
            wait(recording.histories(at + 2), _ANSWERED)  # what came of the request, before any container goes on
            script.awaited.pop(recording.name)
    wait(wanted)
    return seen()


@dataclass
class Script:
    """Plays pods as the script of the recordings did, by the beginning of a task's name. That one took its time between
    the states of a pod; this one goes on when the TaskRun says the state before."""

    api: Api
    observed: Observed
    # The histories at which a client's request is due, by run; as long as they stand there, nothing goes past them.
    awaited: dict[str, Mapping[tuple[str, str], History]] = field(default_factory=dict)

    def start(self) -> None:
        """Begin; ends with `stop`."""
        self._follower = Follower(self.api, {kind: PATHS[kind] for kind in ("Pod", "TaskRun")})
        self._follower.start()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._follower.stop()
        self._thread.join(10)

    def _loop(self) -> None:
        while not self._over.is_set():
            self._follower.next(0.05)
            for pod in self._follower.all("Pod"):
                try:
                    self._play(pod)
                except ApiError as error:
                    if error.code not in (404, 409):
                        raise

    def _play(self, pod: Document) -> None:
        task, phase = pod["metadata"]["labels"]["tekton.dev/pipelineTask"], pod["status"]["phase"]
        name = pod["metadata"]["labels"]["tekton.dev/taskRun"]
        run = self._follower.get(Key("TaskRun", NAMESPACE, name)) or {}
        status = run.get("status") or {}
        reason = condition_of(run).get("reason") if status.get("podName") == pod["metadata"]["name"] else None
        if phase == "Pending" and reason == "Pending" and not pod["status"].get("containerStatuses"):
            if task.startswith("pull"):
                words = 'Back-off pulling image "nope:1"'
                self._put(pod, "Pending", {"waiting": {"reason": "ImagePullBackOff", "message": words}})
            else:
                self._put(pod, "Running", {"running": {"startedAt": _now()}})
        elif phase == "Running" and reason == "Running" and not task.startswith("hang") and not self._is_held(pod):
            self._end(pod, task)

    def _is_held(self, pod: Document) -> bool:
        """Whether the container still ran when the client of the recording sent the request that is due next."""
        run, key = pod["metadata"]["labels"]["tekton.dev/pipelineRun"], ("Pod", pod["metadata"]["name"])
        awaited = self.awaited.get(run)
        if awaited is None:
            return False
        seen = Recording(run, {}, self.observed.of(run)).histories().get(key, ())
        return len(seen) >= len(awaited.get(key, ()))

    def _end(self, pod: Document, task: str) -> None:
        began = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
        if task.startswith("gone"):
            key = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}"
            self.api.delete(f"{key}?gracePeriodSeconds=0", pod["metadata"]["uid"])  # and not the pod that follows it
            return
        fails = task.startswith("fail") or (
            task.startswith("flaky") and not pod["metadata"]["name"].endswith("-retry1")
        )
        code = 137 if task.startswith("oom") else 1 if fails else 0
        said = [{"key": "StartedAt", "value": began, "type": 3}]
        if not code:
            said += [{"key": name, "value": f"{task}-{name}", "type": 1} for name in self._declared(pod)]
        reason = {137: "OOMKilled", 1: "Error"}.get(code, "Completed")
        ended = {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": _now()}
        phase = "Failed" if code else "Succeeded"
        self._put(pod, phase, {"terminated": {**ended, "message": json.dumps(said)}})

    def _declared(self, pod: Document) -> Iterator[str]:
        name = pod["metadata"]["labels"]["tekton.dev/taskRun"]
        run = self.api.get(f"/apis/tekton.dev/v1/namespaces/{NAMESPACE}/taskruns/{name}")
        return (one["name"] for one in run["spec"]["taskSpec"].get("results") or ())

    def _put(self, pod: Document, phase: str, state: Document) -> None:
        name = pod["spec"]["containers"][0]["name"]
        entry = {"name": name, "image": "x", "imageID": _IMAGE, "ready": False, "restartCount": 0, "state": state}
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}/status"
        body = {**pod, "apiVersion": "v1", "kind": "Pod"}
        body["status"] = {**pod["status"], "phase": phase, "containerStatuses": [entry]}
        self._follower.learn("Pod", self.api.request("PUT", path, body))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def first(recording: Recording, key: tuple[str, str]) -> Document | None:
    """The first event of an object."""
    return next((one for one in recording.events if (one.get("kind"), one.get("name")) == key), None)


def last(recording: Recording, key: tuple[str, str]) -> Document | None:
    """The last event of an object that is not its end."""
    mine = (one for one in recording.events if (one.get("kind"), one.get("name")) == key)
    return next((one for one in reversed(list(mine)) if one["event"] != "DELETED"), None)


__all__ = ["NAMESPACE", "Key", "Observed", "Recording", "Script", "constant", "data_folder", "first", "last", "replay"]
