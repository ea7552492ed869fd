"""Runs the container of a Job on this machine as a kubelet would: its exact command and environment, mounts as folders.

Owns one process per call, with nothing of ours in its environment but the PATH.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    environment = {one["name"]: one["value"].replace("$$", "$") for one in container["env"]}
    environment |= {"PATH": os.environ["PATH"], "WORK": str(work), "REPORT": str(message), **instead}
    command = [*container["command"], *container.get("args", ())]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
    return Ended(done.returncode, message.read_text() if message.exists() else "", done.stdout + done.stderr)
