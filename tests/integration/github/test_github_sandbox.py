"""The GitHub of a sandbox: the same kinds, the same checks, no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.address import address_of_document
from planner.errors import PermanentError
from planner.plan import Action, Change, Precondition
from planner.ports import PresentObject, PreviewEffect, UnreadableObject
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from providers.git.git_client import GitClient
from providers.git.git_merges import RemoteGitMergePredictor
from providers.git.object_cache import ObjectCache
from providers.git.remotes import open_remote_locations
from providers.github.github_clients import GitHubClientsByAccount, connect_to_simulated_github
from providers.github.provider import GitHubProvider
from providers.sandbox import SandboxContents, SandboxGitHubRepository, SandboxRemote, fill_sandbox
from providers.sandbox.initial_github_file import FILE
from providers.simulated_github.sandbox_github_web import LOGIN, SandboxGitHubWeb
from tests.testbed.git_fixtures import BareRepository

URL, REPO = "ssh://git@github.example/demo/shop.git", "demo/shop"


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """A sandbox as `hwplan sandbox create` fills it."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    remotes = (SandboxRemote("shop", ("main",), URL),)
    contents = SandboxContents("d1", "d1/v1", "", remotes, github=(SandboxGitHubRepository(REPO, "shop.git", "main"),))
    fill_sandbox(folder, contents, shown="sandbox")
    return folder


def provider(sandbox: Path) -> GitHubProvider:
    git = GitClient()
    merges = RemoteGitMergePredictor(
        git, ObjectCache(git, sandbox.parent / "cache"), open_remote_locations(sandbox, sandbox)
    )
    return GitHubProvider(
        GitHubClientsByAccount(sandbox, SandboxGitHubWeb(sandbox), connect_to_simulated_github), merges, lambda _: None
    )


def resource(kind: str, **spec: Any) -> Resource:
    access = {"tokenFile": "~/not/there"}  # is not read
    whole = {"repo": REPO, "access": access, **spec}
    document: dict[str, Any] = {"apiVersion": "hwplan.dev/v1", "kind": kind, "metadata": {"name": "x"}, "spec": whole}
    return Resource(
        address_of_document(document), "hwplan.dev/v1", document, "demo.D1.v1", "pulls", SourceRef("t.yaml")
    )


def put(sandbox: Path, wanted: Resource) -> dict[str, Any]:
    """Plan, apply and plan again; gives the outputs."""
    first = provider(sandbox)
    seen = first.read([wanted], (), ()).observations[wanted.address]
    preview = first.preview([(wanted, seen)])[wanted.address]
    assert preview.effect is not PreviewEffect.NONE and not preview.blocked, preview
    stands = seen.precondition if isinstance(seen, PresentObject) else Precondition(absent=True)
    change = Change(wanted.address, Action.RUN, "hwplan.dev/v1", "pulls", "", stands, wanted.source, preview.desired)
    outputs = provider(sandbox).apply(change, {}).outputs
    again = provider(sandbox)
    after = again.read([wanted], (), ()).observations[wanted.address]
    assert again.preview([(wanted, after)])[wanted.address].effect is PreviewEffect.NONE
    return outputs


def test_the_example_is_merged_and_verified(sandbox: Path) -> None:
    bare = BareRepository(sandbox / "git/shop.git")
    head = bare.at("refs/heads/example")
    outputs = put(sandbox, resource("PullRequest", number=1, headSha=head, base="main", git={"remote": URL}))
    assert outputs["mergeCommit"] == bare.at("refs/heads/main") and bare.read("main", "EXAMPLE.md")
    assert json.loads((sandbox / FILE).read_text())["repositories"][REPO]["pulls"][0]["merged_by"] == LOGIN


def test_comments_issues_and_statuses_are_in_the_file(sandbox: Path) -> None:
    head = BareRepository(sandbox / "git/shop.git").at("refs/heads/example")
    url = put(sandbox, resource("GitHubComment", number=1, marker="a-mark", body="hello"))["url"]
    assert url.startswith("https://github.com/demo/shop/issues/1#")
    put(sandbox, resource("GitHubIssue", marker="a-mark", title="broken", body="1 time", labels=["hwplan"]))
    put(sandbox, resource("GitHubStatus", sha=head, context="hwplan/v1", state="success"))
    stored = json.loads((sandbox / FILE).read_text())["repositories"][REPO]
    assert [len(stored[kind]) for kind in ("comments", "issues", "statuses")] == [1, 1, 1]


@pytest.mark.parametrize("text", ["{", "[]", '{"repositories": {"a/b": 7}}', '{"repositories": {"a/b": {"git": 1}}}'])
def test_a_damaged_file_is_unreadable_and_named(sandbox: Path, text: str) -> None:
    (sandbox / FILE).write_text(text)
    wanted = resource("GitHubComment", number=1, marker="a-mark", body="hello")
    seen = provider(sandbox).read([wanted], (), ()).observations[wanted.address]
    assert isinstance(seen, UnreadableObject) and FILE in seen.reason
    with pytest.raises(PermanentError):
        SandboxGitHubWeb(sandbox).request("GET", f"https://api.github.com/repos/{REPO}/pulls", {}, b"")


def test_the_same_sandbox_each_time(sandbox: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    remotes = (SandboxRemote("shop", ("main",), URL),)
    contents = SandboxContents("d1", "d1/v1", "", remotes, github=(SandboxGitHubRepository(REPO, "shop.git", "main"),))
    fill_sandbox(again, contents, shown="sandbox")
    assert (again / FILE).read_bytes() == (sandbox / FILE).read_bytes()
