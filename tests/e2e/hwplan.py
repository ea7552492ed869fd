"""Runs the command as its users do: a process, its output, its exit code. Nothing is imported from hwplan here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.testbed.warm_commands import WARM


@dataclass(frozen=True)
class Ran:
    """One finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Hwplan:
    """The command with a world: `where` are the options that say which cluster and which state."""

    folder: Path
    where: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 240.0  # seconds; longer than whatever the command itself waits for
    fresh: bool = False  # start a new interpreter, which takes half a second of processor time

    def __call__(self, *words: str, code: int | None = 0, stdin: str = "", env: Mapping[str, str] | None = None) -> Ran:
        """Run it in `folder`. Fails the test when the exit code is not `code` (None: any)."""
        given = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120", **self.env, **(env or {})}
        started = _started if self.fresh or _of_the_interpreter(self.env, env or {}) else _forked
        ran = started([*words, *self.where], self.folder, given, stdin, self.timeout)
        assert code is None or ran.code == code, (
            f"hwplan {' '.join(words)}: {ran.code}\n{ran.out[-4000:]}\n{ran.err[-4000:]}"
        )
        assert "Traceback" not in ran.err, ran.err
        return ran

    def plan(self, *words: str) -> Any:
        """The plan as a document. Fails the test unless the exit code says whether anything is blocked."""
        ran = self("plan", *words, "--json", code=None)
        assert ran.code == (1 if ran.json["blocked"] else 0), ran.err
        return ran.json

    def empty(self, *words: str) -> None:
        """Assert that there is nothing to do."""
        ran = self("plan", *words, "--json", "--detailed-exitcode", code=None)
        assert ran.code == 0, ran.out[-3000:] + ran.err[-2000:]


def _of_the_interpreter(*given: Mapping[str, str]) -> bool:
    return any(name.startswith(("PYTHON", "LC_", "LANG")) for env in given for name in env)


def _started(words: Sequence[str], folder: Path, env: Mapping[str, str], stdin: str, timeout: float) -> Ran:
    argv = [sys.executable, "-m", "planner", *words]
    done = subprocess.run(
        argv, cwd=folder, env=env, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def _forked(words: Sequence[str], folder: Path, env: Mapping[str, str], stdin: str, timeout: float) -> Ran:
    done = WARM.run(words, folder, env, stdin=stdin, timeout=timeout)
    return Ran(done.returncode, done.stdout, done.stderr)


def changes(plan: Any) -> dict[str, str]:
    """Address -> action."""
    return {change["address"]: change["action"] for change in plan["changes"]}


def change_of(plan: Any, address: str) -> Any:
    """The change of one address."""
    return next(change for change in plan["changes"] if change["address"] == address)
