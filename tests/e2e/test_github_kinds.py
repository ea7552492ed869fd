"""GitHub's kinds by the command, in a sandbox with a repository: planned, approved, applied, and nothing left to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from providers.sandbox.git_repositories import SandboxRemote, create_repository
from providers.sandbox.initial_github_file import FILE, SandboxGitHubRepository, write_simulated_github
from tests.e2e.hwplan import Hwplan, changes
from tests.testbed.git_fixtures import BareRepository

URL, REPO = "ssh://git@github.example/demo/shop.git", "demo/shop"
_DOCUMENTS = """\
apiVersion: hwplan.dev/v1
kind: PullRequest
metadata: {{name: pr-1}}
spec: {{repo: demo/shop, number: 1, base: main, headSha: {head}, git: {{remote: "{url}"}}}}
---
apiVersion: hwplan.dev/v1
kind: GitHubComment
metadata: {{name: merged}}
spec:
  repo: demo/shop
  number: 1
  marker: rollout:v03
  body: !sub "Merged as ${{PullRequest/pr-1#mergeCommit}}."
---
apiVersion: hwplan.dev/v1
kind: GitHubStatus
metadata: {{name: merged}}
spec: {{repo: demo/shop, sha: {head}, context: hwplan/v03, state: success, description: merged}}
"""


@pytest.fixture
def bare(simulated: Hwplan) -> BareRepository:
    """A repository on the GitHub of the sandbox, with the example pull request."""
    box = Path(simulated.where[1])
    (box / "git").mkdir(exist_ok=True)
    create_repository(box / "git", SandboxRemote("shop", ("main",), URL))
    write_simulated_github(box, (SandboxGitHubRepository(REPO, "shop.git", "main"),))
    return BareRepository(box / "git/shop.git")


def _words(hwplan: Hwplan, bare: BareRepository) -> tuple[str, ...]:
    text = _DOCUMENTS.format(head=bare.at("refs/heads/example"), url=URL)
    (hwplan.folder / "pulls.yaml").write_text(text)
    return "-f", "pulls.yaml", "--name", "pulls"


def test_a_base_that_moves_on_leaves_the_approval_valid(simulated: Hwplan, bare: BareRepository) -> None:
    words = _words(simulated, bare)
    plan = simulated.plan(*words)
    assert changes(plan)["PullRequest/pr-1"] == "run" and not plan["blocked"]
    bare.write("refs/heads/main", {"later.txt": "later\n"}, "later")
    simulated("apply", *words, "--plan-id", plan["id"], "--confirm")
    simulated.empty(*words)
    merged = bare.at("refs/heads/main")
    assert bare.read("main", "EXAMPLE.md") and bare.read("main", "later.txt")
    (comment,) = json.loads((Path(simulated.where[1]) / FILE).read_text())["repositories"][REPO]["comments"]
    assert comment["body"].startswith(f"Merged as {merged}.")


def test_a_head_that_moves_on_does_not(simulated: Hwplan, bare: BareRepository) -> None:
    words = _words(simulated, bare)
    plan = simulated.plan(*words)
    before = bare.at("refs/heads/main")
    bare.write("refs/heads/example", {"EXAMPLE.md": "another\n"}, "another")
    simulated("apply", *words, "--plan-id", plan["id"], "--confirm", code=3)
    (blocked,) = [
        one for one in simulated("plan", *words, "--json", code=1).json["blocked"] if "pr-1" in one["address"]
    ]
    assert "was reviewed" in blocked["reason"] and bare.at("refs/heads/main") == before
