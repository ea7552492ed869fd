"""The life of a set on a real server: plan, apply, nothing to do, no drift, destroy, nothing left; and taken over after
`kubectl create`, `kubectl apply` and `kubectl apply --server-side`.

kubectl is the oracle: what it refuses in a dry run is no set for anybody. Every step that does not end as it should is
an exception with the words of the command.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.corpora.manifest_sets import ManifestSet
from tests.testbed.warm_commands import WARM

_SECONDS = 240
WAYS = (("create",), ("apply",), ("apply", "--server-side"))
_PENDING = 4


@dataclass(frozen=True)
class Where:
    """A cluster: its kubeconfig, and a kubectl."""

    kubeconfig: Path
    kubectl: Path
    timeout: str = "60s"


@dataclass
class Outcome:
    """What became of a set: `skipped` says why kubectl takes it neither; `exceptions` are steps with their words."""

    file: Path
    objects: int
    skipped: str = ""
    exceptions: list[str] = field(default_factory=list)


def tell(found: ManifestSet, where: Where, number: int, ways: Sequence[Sequence[str]] = WAYS) -> Outcome:
    """Take one set through its life, in a namespace of its own; the cluster is afterwards as it was before."""
    outcome = Outcome(found.file, found.objects)
    with (
        tempfile.TemporaryDirectory() as folder,
        _Stage(found, where, number, Path(folder), outcome).standing() as stage,
    ):
        refused = stage.kubectl("apply", "--server-side", "--dry-run=server", "--force-conflicts", *stage.files())
        stage.drop_namespaces(found.declared)  # they were there for the dry run alone
        if refused.returncode and not stage.makes_its_own_kinds():
            outcome.skipped = _last(refused.stderr)
            return outcome
        stage.live_and_die()
        for way in ways:
            stage.take_over(way)
    return outcome


@dataclass
class _Stage:
    """One set, its namespace and its state. Objects that name no namespace stand in that of the context, as the
    kubeconfig of the stage has it: with `-n` kubectl refuses those that name another."""

    found: ManifestSet
    where: Where
    number: int
    folder: Path
    outcome: Outcome

    @property
    def namespace(self) -> str:
        return f"corpus-{os.getpid()}-{self.number}"

    @contextmanager
    def standing(self) -> Iterator[_Stage]:
        """With its namespaces made before, and everything taken away after."""
        shutil.copyfile(self.where.kubeconfig, self.kubeconfig)
        self.kubectl("config", "set-context", "--current", "--namespace", self.namespace)
        for one in (self.namespace, *self.found.namespaces):
            self.kubectl("create", "namespace", one)
        try:
            yield self
        finally:
            self.kubectl("delete", "--ignore-not-found", "--wait=false", *self.files())
            self.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")
            self.drop_namespaces((*self.found.namespaces, *self.found.declared))

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def files(self) -> tuple[str, ...]:
        return "-f", str(self.found.file)

    def drop_namespaces(self, names: Sequence[str]) -> None:
        """Delete namespaces that other sets may name as well, and wait until they are gone."""
        if names:
            self.kubectl("delete", "namespace", *names, "--ignore-not-found", "--timeout=90s")

    def makes_its_own_kinds(self) -> bool:
        """Whether a dry run cannot know its kinds yet, because the set itself defines them."""
        return "kind: CustomResourceDefinition" in self.found.file.read_text(errors="replace")

    def live_and_die(self) -> None:
        """From nothing to nothing."""
        self.step("plan", "plan", "--detailed-exitcode", good=(0, 2))
        self.step("apply", "apply", "--confirm", "--timeout", self.where.timeout)
        self.settled("apply")
        self.gone("apply")

    def take_over(self, way: Sequence[str]) -> None:
        """What kubectl made is adopted whole."""
        name = f"kubectl {' '.join(way)}"
        made = self.kubectl(*way, *self.files())
        if made.returncode:
            self.kubectl(*way, *self.files())  # kinds that the set defines are served by now
        self.step(f"adopt after {name}", "apply", "--confirm", "--timeout", self.where.timeout)
        self.settled(name)
        self.gone(name)

    def settled(self, after: str) -> None:
        """Nothing to do, and no drift."""
        self.step(f"plan after {after}", "plan", "--detailed-exitcode")
        self.step(f"drift after {after}", "drift")

    def gone(self, after: str) -> None:
        """Nothing left."""
        self.step(f"destroy after {after}", "destroy", "--confirm", "--timeout", self.where.timeout)
        left = self.hwplan("destroy", "--json")
        if left.returncode == 0 and json.loads(left.stdout)["changes"]:
            names = [change["address"] for change in json.loads(left.stdout)["changes"]]
            self.outcome.exceptions.append(f"left after {after}: {', '.join(names[:5])}")

    def step(self, name: str, verb: str, *words: str, good: Sequence[int] = (0,)) -> None:
        """One command; an exit code that is not good is an exception."""
        ran = self.hwplan(verb, *words)
        if ran.returncode not in good:
            self.outcome.exceptions.append(f"{name}: exit {ran.returncode}: {_words(ran.stdout + ran.stderr)}")

    def hwplan(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        """The command as its users run it."""
        where = (*self.files(), "--name", self.namespace)
        place = ("--kubeconfig", str(self.kubeconfig), "--state", str(self.folder / "state.db"))
        return WARM.run((verb, *words, *where, *place), self.folder, _environment(), timeout=_SECONDS)

    def kubectl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The oracle."""
        return self._run(str(self.where.kubectl), "--kubeconfig", str(self.kubeconfig), *words)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=_environment(), capture_output=True, text=True, timeout=_SECONDS, check=False
        )


def _environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "160"}


def _words(text: str) -> str:
    """The lines that say what is wrong."""
    telling = ("error", "failed", "blocked", "stale", "pending", "  ~", "drifted", "unknown", "still")
    lines = [" ".join(line.split()) for line in text.splitlines() if any(word in line for word in telling)]
    return " | ".join(lines[:6])[:600] or _last(text)


def _last(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")[:300]
