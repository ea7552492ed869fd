"""Runs the installed command as its users do: a process, its output, its exit code. Nothing is imported from hwplan."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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

    def __call__(self, *words: str, code: int | None = 0, stdin: str = "", env: Mapping[str, str] | None = None) -> Ran:
        """Run it in `folder`. Fails the test when the exit code is not `code` (None: any)."""
        done = subprocess.run(
            [sys.executable, "-m", "planner", *words, *self.where],
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120", **self.env, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        assert code is None or ran.code == code, (
            f"hwplan {' '.join(words)}: {ran.code}\n{ran.out[-4000:]}\n{ran.err[-4000:]}"
        )
        assert "Traceback" not in ran.err, ran.err
        return ran

    def plan(self, *words: str) -> Any:
        """The plan as a document."""
        return self("plan", *words, "--json").json

    def empty(self, *words: str) -> None:
        """Assert that there is nothing to do."""
        ran = self("plan", *words, "--json", "--detailed-exitcode", code=None)
        assert ran.code == 0, ran.out[-3000:] + ran.err[-2000:]


def changes(plan: Any) -> dict[str, str]:
    """Address -> action."""
    return {change["address"]: change["action"] for change in plan["changes"]}


def change_of(plan: Any, address: str) -> Any:
    """The change of one address."""
    return next(change for change in plan["changes"] if change["address"] == address)
