"""Runs the steps of a lane's tasks as they are declared: the shipped scripts themselves, in a folder for each run.

What a step mounts lies in folders of this machine, a ConfigMap with its files, and paths in its command and script are
those. `buildctl-daemonless.sh` is a program of ours that really pushes a small image; whatever else a script calls
(git, node, bash) is the real one. Names of hosts that only pods know are led to `hosts`.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.testbed.tekton_steps import Outcome, Step

_REPOSITORY = Path(__file__).parent.parent.parent
_BUILDER = f"""\
#!{sys.executable}
import json, os, re, sys
sys.path.insert(0, {str(_REPOSITORY)!r})
from tests.testbed.small_image import push_image
words = " ".join(sys.argv)
metadata = sys.argv[sys.argv.index("--metadata-file") + 1]
image = re.search(r"type=image,name=([^,\\s]+)", words)[1]
host, _, rest = image.partition("/")
repository, _, tag = rest.rpartition(":")
digest = push_image(host, repository, tag, tag)
with open(metadata, "w") as file:
    json.dump({{"containerimage.digest": digest}}, file)
"""


@dataclass(frozen=True)
class LaneScripts:
    """Where the tasks of a lane run. `config_map` gives the files of a ConfigMap by its namespace and name; `hosts` are
    URLs that pods use, and those that lead there from here."""

    config_map: Callable[[str, str], Mapping[str, str]]
    folder: Path
    hosts: Mapping[str, str]

    def __call__(self, step: Step) -> Outcome:
        """Run all steps of a task in their order; the first that fails ends it. A Program of tekton_steps."""
        run = self.folder / step.run_uid
        places = self._places(step, run)
        said = ""
        for one in step.spec["steps"]:
            argv = self._argv(one, places, run, step.task)
            declared = {item["name"]: _here(str(item.get("value", "")), places) for item in one.get("env") or ()}
            done = subprocess.run(
                argv,
                env=self._environment(run) | declared,
                cwd=run,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            said += done.stdout + done.stderr
            if done.returncode:
                return Outcome(exit_code=done.returncode, log=said)
        results = run / f"results-{step.task}"
        found = {name: results / name for name in step.results}
        return Outcome({name: path.read_text() for name, path in found.items() if path.exists()}, log=said)

    def _places(self, step: Step, run: Path) -> dict[str, str]:
        """What stands in a command or script -> what stands there when it runs here. A path that begins with `/` counts
        as a word of its own, so that a folder of that name in the workspace is none."""
        work, results, temp = (run / name for name in ("work", f"results-{step.task}", f"tmp-{step.task}"))
        for path in (work, results, temp):
            path.mkdir(parents=True, exist_ok=True)
        found = {"$(workspaces.work.path)": str(work), "/tekton/results": str(results), "/tmp": str(temp)}
        found |= {f"$(results.{name}.path)": str(results / name) for name in step.results}
        sources = {one["name"]: one for one in step.spec.get("volumes") or ()}
        mounts = [mount for one in step.spec["steps"] for mount in one.get("volumeMounts") or ()]
        for mount in mounts:
            target = run / f"mount-{step.task}-{mount['name']}"
            self._fill(target, step.namespace, sources[mount["name"]], {"/tmp": str(temp)})
            found[mount["mountPath"]] = str(target)
        return found

    def _fill(self, target: Path, namespace: str, volume: Mapping[str, Any], places: Mapping[str, str]) -> None:
        target.mkdir(exist_ok=True)
        if "configMap" in volume:
            for name, text in self.config_map(namespace, volume["configMap"]["name"]).items():
                (target / name).write_text(_here(text, places))

    def _argv(self, one: Mapping[str, Any], places: Mapping[str, str], run: Path, task: str) -> list[str]:
        if "script" not in one:
            return [_here(word, places) for word in (*one["command"], *one.get("args", ()))]
        path = run / f"script-{task}-{one.get('name', 'run')}"
        path.write_text(_here(one["script"], places))
        path.chmod(0o755)
        return [str(path)]

    def _environment(self, run: Path) -> dict[str, str]:
        """An empty home, and git led to the hosts that are meant."""
        programs = run / "bin"
        if not programs.exists():
            programs.mkdir()
            builder = programs / "buildctl-daemonless.sh"
            builder.write_text(_BUILDER)
            builder.chmod(builder.stat().st_mode | stat.S_IXUSR)
        led: dict[str, str] = {}
        for at, (there, here) in enumerate(self.hosts.items()):
            led |= {f"GIT_CONFIG_KEY_{at}": f"url.{here}.insteadOf", f"GIT_CONFIG_VALUE_{at}": there}
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(run), "LC_ALL": "C", "GIT_CONFIG_COUNT": str(len(self.hosts)), **led}


def _here(text: str, places: Mapping[str, str]) -> str:
    """The text with all places replaced in one pass: what was put in is not looked at again."""
    words = (
        rf"(?<![\w./)]){re.escape(name)}(?=[/\s\"']|$)" if name.startswith("/") else re.escape(name) for name in places
    )
    return re.sub("|".join(words), lambda found: places[found[0]], text)
