"""GitCommit on real git: a folder of a branch holds exactly what was rendered, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planner.errors import PreconditionError
from planner.plan import FieldOp
from planner.resource import Resource
from planner.values import OutputTemplate, parse_output_ref
from tests.testbed.git_fixtures import BareRepository
from tests.unit.git.git_world import World, blocked, declare, follow, side

BRANCH = "refs/heads/gitops"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def mirror(tmp_path: Path) -> BareRepository:
    made = BareRepository.create(tmp_path / "mirror.git")
    made.write(BRANCH, {"README": "others\n", "deploy/v1/a.yaml": "a: 1\n", "deploy/v1/old.yaml": "old\n"})
    return made


def commit(mirror: BareRepository, files: dict[str, Any], **more: Any) -> Resource:
    spec = {"remote": mirror.url, "branch": "gitops", "path": "deploy/v1", "message": "render v1", "files": files}
    return declare("GitCommit", "render", {**spec, **more})


def test_a_folder_holds_these_files_and_the_rest_of_the_tree_stays(world: World, mirror: BareRepository) -> None:
    before = mirror.at(BRANCH)
    resource = commit(mirror, {"a.yaml": "a: 2\n", "new/b.yaml": "b: 1\n"})
    change = world.change(resource)
    assert [(field.path[1], field.op, field.before, field.after) for field in change.fields] == [
        ("deploy/v1/a.yaml", FieldOp.CHANGE, "a: 1\n", "a: 2\n"),
        ("deploy/v1/new/b.yaml", FieldOp.ADD, None, "b: 1\n"),
        ("deploy/v1/old.yaml", FieldOp.REMOVE, "old\n", None),
    ]
    written = world.converge(resource)
    made = mirror.at(BRANCH)
    assert written.outputs == {"commit": made, "short": made[:12]} and made == change.expects
    assert mirror.git("rev-parse", f"{made}^") == before
    names = mirror.git("ls-tree", "-r", "--name-only", made).split()
    assert names == ["README", "deploy/v1/a.yaml", "deploy/v1/new/b.yaml"]


def test_every_machine_plans_the_same_commit(tmp_path: Path, mirror: BareRepository) -> None:
    resource = commit(mirror, {"a.yaml": "a: 2\n"})
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = World(tmp_path / "one").change(resource), World(tmp_path / "two").change(resource)
    assert one.expects == two.expects != ""


def test_a_branch_that_moved_on_is_refused_and_nothing_is_forced(world: World, mirror: BareRepository) -> None:
    """A2: the parent is pinned, and the working copy of nobody is touched."""
    change = world.change(commit(mirror, {"a.yaml": "a: 2\n"}))
    moved = mirror.write(BRANCH, {"README": "somebody else\n"})
    with pytest.raises(PreconditionError):
        world.again().apply(change)
    assert mirror.at(BRANCH) == moved


def test_what_was_pushed_already_is_found_done(world: World, mirror: BareRepository) -> None:
    """After a crash between the push and its answer."""
    change = world.change(commit(mirror, {"a.yaml": "a: 2\n"}))
    assert not world.apply(change).already
    assert world.again().apply(change).already


def test_the_cache_may_be_gone_at_the_apply(world: World, mirror: BareRepository, tmp_path: Path) -> None:
    change = world.change(commit(mirror, {"a.yaml": "a: 2\n"}))
    (tmp_path / "cache").rename(tmp_path / "gone")
    world.again().apply(change)
    assert mirror.at(BRANCH) == change.expects


def test_a_branch_that_is_not_there_is_made_only_when_it_is_said(world: World, mirror: BareRepository) -> None:
    files = {"a.yaml": "a: 1\n"}
    assert "has no branch other" in blocked(world.look(commit(mirror, files, branch="other")))
    made = world.converge(commit(mirror, files, branch="other", createBranch=True)).outputs["commit"]
    assert mirror.git("rev-list", str(made)).split() == [made]


def test_a_file_that_waits_for_an_output_is_shown_with_it(world: World, mirror: BareRepository) -> None:
    leaf = OutputTemplate(("image: ", parse_output_ref("RegistryImage/api#digest"), "\n"))
    look = world.look(commit(mirror, {"a.yaml": leaf, "old.yaml": "old\n"}))
    assert look.change is not None and look.change.expects == ""
    assert [field.after for field in look.change.fields] == [leaf]


def test_the_commit_flows_on_into_a_push_of_the_same_plan(world: World, mirror: BareRepository, tmp_path: Path) -> None:
    upstream = BareRepository.create(tmp_path / "upstream.git")
    upstream.take(mirror, mirror.at(BRANCH), BRANCH)
    planned = world.look(commit(mirror, {"a.yaml": "a: 2\n"})).change
    assert planned is not None
    origin = {"remote": mirror.url, "commit": planned.expects}
    flush = world.look(follow(origin, side(upstream.url, BRANCH), "fast-forward"))
    assert flush.change is not None and flush.change.expects == planned.expects


def test_text_of_another_mode_or_kind_is_made_plain(world: World, mirror: BareRepository) -> None:
    """A script that was executable, and a folder where a file is wanted."""
    blob = mirror.git("hash-object", "-w", "--stdin", stdin=b"a: 1\n")
    tree = mirror.git("mktree", stdin=f"100755 blob {blob}\ta.yaml\n".encode())
    inner = mirror.git("mktree", stdin=f"040000 tree {tree}\tb.yaml\n100755 blob {blob}\ta.yaml\n".encode())
    outer = mirror.git("mktree", stdin=f"040000 tree {inner}\tv1\n".encode())
    root = mirror.git("mktree", stdin=f"040000 tree {outer}\tdeploy\n".encode())
    mirror.put(BRANCH, mirror.git("commit-tree", root, "-m", "odd"))
    world.converge(commit(mirror, {"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"}))
    assert {line.split()[0] for line in mirror.git("ls-tree", "-r", BRANCH).splitlines()} == {"100644"}
