"""Twenty ways in which a GitHub can say that a merge was done as asked, and it was not. Each is really done in git.

A lie gets the repository, the request to merge and the number, and gives the reply. It answers 200 and `merged: true`.
"""

from collections.abc import Callable
from typing import Any

from providers.simulated_github.bare_repository import SimulatedBareRepository
from providers.simulated_github.pulls import close_as_merged, pull_request_row
from providers.simulated_github.request_and_reply import SimulatedReply, SimulatedRequest
from providers.simulated_github.store_file import StoredRepository
from tests.testbed.git_fixtures import BareRepository


class _Scene:
    """One request to merge, and what can be made of it."""

    def __init__(self, repo: StoredRepository, request: SimulatedRequest, number: int) -> None:
        self.repo, self.request = repo, request
        self.row = pull_request_row(repo, number)
        self.git, self.bare = SimulatedBareRepository(repo.git), BareRepository(repo.git)
        self.base = self.bare.at(f"refs/heads/{self.row['base']}")
        self.head = self.bare.at(f"refs/heads/{self.row['head']}")
        self.method = str(request.body.get("merge_method", "merge"))

    def honest(self) -> str:
        """The right commit, on no branch."""
        return self.git.merged(self.base, self.head, self.method, "merge")

    def tree(self, commit: str) -> str:
        return self.bare.git("rev-parse", f"{commit}^{{tree}}")

    def made(self, tree: str, *parents: str) -> str:
        named = [word for one in parents for word in ("-p", one)]
        return self.bare.git("commit-tree", tree, "-m", "merge", *named)

    def tree_with(self, line: str, drop: str = "") -> str:
        """The right tree with one more entry (`mode type id<TAB>name`), or without one."""
        lines = [
            one for one in self.bare.git("ls-tree", self.honest()).splitlines()
            if one.split("\t")[1] not in (drop, line.partition("\t")[2])
        ]  # fmt: skip
        lines += [line] if line else []
        return self.bare.git("mktree", stdin=("\n".join(lines) + "\n").encode())

    def blob(self, text: str) -> str:
        return self.bare.git("hash-object", "-w", "--stdin", stdin=text.encode())

    def says(self, commit: str, *, moves: bool = True, notes: bool = True, **more: Any) -> SimulatedReply:
        """Answer that it was merged as `commit`; the base branch is there, and the pull request says so."""
        if moves:
            self.bare.put(f"refs/heads/{self.row['base']}", commit)
        if notes:
            close_as_merged(self.repo, self.row, self.head, commit, self.request.login)
        self.row |= more
        return SimulatedReply(200, {"sha": commit, "merged": True, "message": "Pull Request successfully merged"})


def _file(scene: _Scene, name: str, text: str, mode: str = "100644") -> str:
    return scene.tree_with(f"{mode} blob {scene.blob(text)}\t{name}")


def _parents(scene: _Scene) -> tuple[str, ...]:
    return (scene.base, scene.head) if scene.method == "merge" else (scene.base,)


def _with_tree(tree: Callable[[_Scene], str]) -> Callable[[_Scene], SimulatedReply]:
    return lambda scene: scene.says(scene.made(tree(scene), *_parents(scene)))


def _with_parents(parents: Callable[[_Scene], tuple[str, ...]]) -> Callable[[_Scene], SimulatedReply]:
    return lambda scene: scene.says(scene.made(scene.tree(scene.honest()), *parents(scene)))


def _older_base(scene: _Scene) -> str:
    return scene.bare.git("rev-list", "--max-parents=0", scene.base).splitlines()[0]


def _another_head(scene: _Scene) -> str:
    return scene.made(scene.tree(scene.head), scene.git.merge_base(scene.base, scene.head))


def _elsewhere(scene: _Scene) -> SimulatedReply:
    made = scene.honest()
    scene.bare.put("refs/heads/elsewhere", made)
    return scene.says(made, moves=False)


def _rewritten(scene: _Scene) -> SimulatedReply:
    root = scene.made(scene.tree(scene.base))
    return scene.says(scene.made(scene.tree(scene.honest()), root, *_parents(scene)[1:]))


def _then_replaced(scene: _Scene) -> SimulatedReply:
    """The right merge, and then the branch is set back to where it was."""
    return scene.says(scene.honest(), moves=False)


def _another_name(scene: _Scene) -> SimulatedReply:
    """The right merge on the branch, and another commit is named."""
    made = scene.honest()
    scene.bare.put(f"refs/heads/{scene.row['base']}", made)
    return scene.says(_another_head(scene), moves=False)


_ALL: dict[str, Callable[[_Scene], SimulatedReply]] = {
    "tree-with-another-file": _with_tree(lambda scene: _file(scene, "backdoor.py", "evil\n")),
    "tree-of-the-base": _with_tree(lambda scene: scene.tree(scene.base)),
    "tree-of-the-head": _with_tree(lambda scene: scene.tree(scene.head)),
    "tree-without-a-file": _with_tree(lambda scene: scene.tree_with("", drop="README.md")),
    "tree-with-another-mode": _with_tree(lambda scene: _file(scene, "README.md", "shop\n", "100755")),
    "tree-with-a-link": _with_tree(lambda scene: _file(scene, "README.md", "/etc/passwd", "120000")),
    "tree-with-other-line-ends": _with_tree(lambda scene: _file(scene, "README.md", "shop\r\n")),
    "parents-swapped": _with_parents(lambda scene: (scene.head, scene.base)),
    "parent-missing": _with_parents(lambda scene: (scene.base,)),
    "parent-too-many": _with_parents(lambda scene: (scene.base, scene.head, _another_head(scene))),
    "parent-an-older-base": _with_parents(lambda scene: (_older_base(scene), scene.head)),
    "parent-another-head": _with_parents(lambda scene: (scene.base, _another_head(scene))),
    "rebased-instead": lambda scene: scene.says(scene.git.merged(scene.base, scene.head, "rebase", "")),
    "fast-forwarded-to-the-head": lambda scene: scene.says(scene.head),
    "not-merged-at-all": lambda scene: scene.says(scene.base, moves=False, notes=False),
    "not-on-the-branch": _then_replaced,
    "on-another-branch": _elsewhere,
    "history-rewritten": _rewritten,
    "names-a-commit-that-is-not-there": lambda scene: scene.says("0123456789" * 4, moves=False),
    "names-another-commit": _another_name,
    "another-head-was-merged": lambda scene: scene.says(scene.honest(), head_sha=_another_head(scene)),
}
LIES: dict[str, Callable[[StoredRepository, SimulatedRequest, int], SimulatedReply]] = {
    name: lambda repo, request, number, tell=tell: tell(_Scene(repo, request, number))  # type: ignore[misc]
    for name, tell in _ALL.items()
}
