"""A sandbox of D601/v03 with its git repositories: commits that appear upstream, and what was promoted."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, Ran

RUN = "hwlab-v03-ci-poll"
_UPSTREAM = "hwlab.git"
_CATALOG = "v0.3-gitops:deploy/gitops/v03/catalog.json"


@dataclass(frozen=True)
class RolloutBox:
    """The sandbox; `hwplan` runs the command in it."""

    hwplan: Hwplan
    folder: Path

    def trigger(self, *words: str, code: int | None = 0, env: dict[str, str] | None = None) -> Ran:
        """`hwplan trigger` of the lane."""
        return self.hwplan("trigger", *LANE, *words, code=code, env=env)

    def fail(self, *words: str) -> None:
        """`hwplan sandbox fail`."""
        Hwplan(self.hwplan.folder, ())("sandbox", "fail", str(self.folder), *words)

    def git(self, *words: str, stdin: str | None = None) -> str:
        """What git says about the upstream."""
        where = self.folder / "git" / _UPSTREAM
        return subprocess.run(
            ["git", "-c", "user.name=dev", "-c", "user.email=dev@example.test", *words],
            cwd=where, input=stdin, check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip

    def tip(self) -> str:
        """The commit of the source branch."""
        return self.git("rev-parse", "v0.3")

    def grow(self, path: str) -> str:
        """A commit upstream that adds a file; its id."""
        inner = self.git("hash-object", "-w", "--stdin", stdin=path)
        kind = "100644 blob"
        for part in reversed(path.split("/")):
            inner = self.git("mktree", stdin=f"{kind} {inner}\t{part}\n")
            kind = "040000 tree"
        made = self.git("commit-tree", inner, "-p", "refs/heads/v0.3", "-m", f"Add {path}")
        self.git("update-ref", "refs/heads/v0.3", made)
        return made

    def catalog(self) -> Any:
        """What was promoted, as it stands upstream."""
        return json.loads(self.git("show", _CATALOG))

    def promotions(self) -> int:
        """Commits of the GitOps branch upstream, without its first."""
        return len(self.git("log", "--oneline", "v0.3-gitops").splitlines()) - 1

    def runs(self) -> list[str]:
        """Names of the PipelineRuns in the cluster."""
        folder = self.folder / "cluster"
        found = [path for path in folder.rglob(f"*{RUN}-*.yaml") if "\nkind: PipelineRun\n" in path.read_text()]
        return sorted(path.stem.split("_")[-1] for path in found)

    def application(self) -> str:
        """The Application as it is stored."""
        found = [p for p in (self.folder / "cluster").rglob("*.yaml") if "kind: Application\n" in p.read_text()]
        return found[0].read_text()
