"""Runs the container of a Job on this machine as a kubelet would: its exact command and environment, mounts as folders.

Owns one process per call, with nothing of ours in its environment but the PATH. kwok runs no container: `Kubelet` does
so in its place, for Jobs whose pods it only holds (label `testbed.hwplan/pod: never-ready`).
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.testbed import processes
from tests.testbed.api import MERGE
from tests.testbed.cluster import TestCluster


@dataclass(frozen=True)
class Ended:
    """How the container ended: its exit code, its termination message, and all that it printed."""

    code: int
    message: str
    printed: str


def container_of(job: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The container of that name in a Job, or in a pod."""
    spec = job["spec"]["template"]["spec"] if "template" in job["spec"] else job["spec"]
    found: Mapping[str, Any] = next(one for one in spec["containers"] if one["name"] == name)
    return found


def run_container(container: Mapping[str, Any], folder: Path, **instead: str) -> Ended:
    """Run it in `folder`, which is to be empty. `instead` replaces what its environment says about mounts."""
    work, message = folder / "work", folder / "message"
    work.mkdir(parents=True)
    environment = {one["name"]: one.get("value", "").replace("$$", "$") for one in container["env"]}
    environment |= {"PATH": os.environ["PATH"], "WORK": str(work), "REPORT": str(message), **instead}
    command = [*container["command"], *container.get("args", ())]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
    return Ended(done.returncode, message.read_text() if message.exists() else "", done.stdout + done.stderr)


@dataclass
class Kubelet:
    """Plays the containers `name` of the pods of one namespace that kwok holds as running, one at a time, when asked.

    The pod then has the exit code and the termination message of the real process, and the Job controller goes on.
    """

    cluster: TestCluster
    namespace: str
    folder: Path
    name: str
    instead: Mapping[str, str] = field(default_factory=dict)
    played: list[str] = field(default_factory=list)

    def play(self) -> Ended:
        """Wait for the next pod, run its container and end the pod with what came of it."""
        found: list[Mapping[str, Any]] = []

        def is_there() -> bool:
            pods = self.cluster.api().get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
            found[:] = [pod for pod in pods if self._is_next(pod)]
            return bool(found)

        processes.wait_until("a pod runs", is_there, deadline=60)
        metadata = found[0]["metadata"]
        self.played.append(metadata["uid"])
        ended = run_container(container_of(found[0], self.name), self.folder / metadata["name"], **self.instead)
        self._end(metadata["name"], found[0], ended)
        return ended

    def _is_next(self, pod: Mapping[str, Any]) -> bool:
        return pod["status"].get("phase") == "Running" and pod["metadata"]["uid"] not in self.played

    def _end(self, pod_name: str, pod: Mapping[str, Any], ended: Ended) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        terminated = {
            "exitCode": ended.code, "reason": "Error" if ended.code else "Completed", "message": ended.message,
            "startedAt": now, "finishedAt": now,
        }  # fmt: skip
        statuses = [
            {**status, "ready": False, "started": False, "state": {"terminated": terminated}}
            for status in pod["status"]["containerStatuses"]
        ]
        status = {"phase": "Failed" if ended.code else "Succeeded", "containerStatuses": statuses}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod_name}/status"
        self.cluster.api().request("PATCH", path, {"status": status}, MERGE)
