"""The GitHub of a sandbox as it is at first: each repository that a remote is on GitHub, with one open pull request.

Owns the name of the file and what is in it at first; what happens to it afterwards is providers.simulated_github.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from planner.dataclass import dataclass
from planner.values import JsonObject
from providers.sandbox.git_repositories import run_git

FILE = "github.json"
BRANCH = "example"
_WHEN = "2026-01-01T00:00:00Z"
_ROWS = ("issues", "comments", "reviews", "statuses")


@dataclass(frozen=True, slots=True, order=True)
class SandboxGitHubRepository:
    """A repository on GitHub: `owner/name`, the folder below `git/` that has its commits, and the branch that its
    example pull request is for."""

    name: str
    git: str
    base: str


def write_simulated_github(folder: Path, repositories: Sequence[SandboxGitHubRepository]) -> None:
    """Write the file of the sandbox in `folder`, and a branch with one commit for each pull request.

    Raises PermanentError when git fails.
    """
    rows = {one.name: _repository(folder / "git" / one.git, one) for one in sorted(set(repositories))}
    (folder / FILE).write_text(json.dumps({"repositories": rows}, indent=1, ensure_ascii=False) + "\n")


def _repository(git: Path, one: SandboxGitHubRepository) -> JsonObject:
    head = _branch(git, one.base)
    times = {"created_at": _WHEN, "updated_at": _WHEN}
    pull = {"number": 1, "title": "An example change", "body": "Adds EXAMPLE.md.", "author": one.name.partition("/")[0]}
    check = {"id": 2, "head_sha": head, "name": "ci", "status": "completed", "conclusion": "success", **times}
    return {
        "git": one.git,
        "last_id": 2,
        "pulls": [{"id": 1, **pull, "state": "open", "head": BRANCH, "base": one.base, "labels": [], **times}],
        "check_runs": [check],
        **{kind: [] for kind in _ROWS},
    }


def _branch(git: Path, base: str) -> str:
    """A commit on top of the base that adds a file; gives its id."""
    blob = run_git(git, "hash-object", "-w", "--stdin", stdin=b"An example change.\n")
    entries = f"{run_git(git, 'ls-tree', base)}\n100644 blob {blob}\tEXAMPLE.md\n"
    tree = run_git(git, "mktree", stdin=entries.encode())
    commit = run_git(git, "commit-tree", tree, "-p", base, "-m", "An example change")
    run_git(git, "update-ref", f"refs/heads/{BRANCH}", commit)
    return commit
