"""GitHub's kinds on the local GitHub: merges of pull requests, comments, issues and commit statuses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from planner.values import SecretValue, Vault
from tests.contract.case import SECRET
from tests.integration.github.github_world import REPO, GitHubWorld
from tests.integration.github.merge_world import declare, merging, provider_of
from tests.testbed.github_server import BOT, local_github


class _OnGitHub:
    """A GitHub with one repository and three pull requests. Its token is the secret that nothing may show."""

    vault: Vault
    effect = PreviewEffect.CREATE
    refused_as_a_whole = False

    def __init__(self, folder: Path) -> None:
        self.vault = {"file:a#P": SecretValue(SECRET)}
        self._open = ExitStack()
        place = folder / "github"
        place.mkdir()
        github = self._open.enter_context(local_github(place))
        self._github = github
        self._world = GitHubWorld(github, github.repository(), folder)
        self._pulls = [self._world.pull(f"b{n}") for n in range(3)]

    def close(self) -> None:
        """Stop the server."""
        self._open.close()

    def provider(self) -> Provider:
        return provider_of(self._world)

    def requests(self) -> int:
        """What the server was asked so far."""
        return len(self._github.log)

    def state(self) -> object:
        with self._github.stored() as rows:
            return json.dumps(rows.data, sort_keys=True), self._world.bare.refs()

    def break_it(self) -> None:
        self._github.tokens.clear()


class PullRequests(_OnGitHub):
    """Merges, each read back from git."""

    effect = PreviewEffect.RUN

    def wanted(self) -> Sequence[Resource]:
        return [merging(self._world, number, head) for number, head in self._pulls]

    def holds(self, resource: Resource) -> bool:
        head = str(resource.manifest["spec"]["headSha"])
        return head in self._world.bare.git("rev-list", "main").split()

    def meddle(self, resource: Resource) -> None:
        branch = f"b{int(resource.manifest['spec']['number']) - 1}"
        self._world.branch(branch, {"more.txt": "theirs\n"})


class Comments(_OnGitHub):
    """Comments on one pull request."""

    def wanted(self) -> Sequence[Resource]:
        where = {"number": self._pulls[0][0]}
        return [declare(self._world, "GitHubComment", f"c{n}", **where, marker=f"m-{n}", body=f"{n}") for n in range(3)]

    def holds(self, resource: Resource) -> bool:
        spec = resource.manifest["spec"]
        text = f"{spec['body']}\n\n<!-- hwplan:{spec['marker']} -->"
        with self._github.stored() as rows:
            return [(row["author"], row["body"]) for row in rows.rows("comments")].count((BOT, text)) == 1

    def meddle(self, resource: Resource) -> None:
        body = f"theirs\n\n<!-- hwplan:{resource.manifest['spec']['marker']} -->"
        self._world.client().create_comment(REPO, self._pulls[0][0], body)


class Issues(_OnGitHub):
    """Issues of one repository."""

    def wanted(self) -> Sequence[Resource]:
        return [declare(self._world, "GitHubIssue", f"i{n}", marker=f"m-{n}", title="t", body=f"{n}") for n in range(3)]

    def holds(self, resource: Resource) -> bool:
        spec = resource.manifest["spec"]
        text = f"{spec['body']}\n\n<!-- hwplan:{spec['marker']} -->"
        with self._github.stored() as rows:
            return [(row["body"], row["state"]) for row in rows.rows("issues")].count((text, "open")) == 1

    def meddle(self, resource: Resource) -> None:
        body = f"theirs\n\n<!-- hwplan:{resource.manifest['spec']['marker']} -->"
        self._world.client().create_issue(REPO, "theirs", body)


class Statuses(_OnGitHub):
    """Statuses of one commit."""

    def wanted(self) -> Sequence[Resource]:
        sha = self._pulls[0][1]
        return [
            declare(
                self._world, "GitHubStatus", f"s{n}", sha=sha, context=f"lane/{n}", state="success", description="d"
            )
            for n in range(3)
        ]

    def holds(self, resource: Resource) -> bool:
        context = resource.manifest["spec"]["context"]
        with self._github.stored() as rows:
            states = [row["state"] for row in rows.rows("statuses") if row["context"] == context]
        return states[-1:] == ["success"]

    def meddle(self, resource: Resource) -> None:
        spec = resource.manifest["spec"]
        self._world.client().set_status(REPO, spec["sha"], spec["context"], "error", "theirs")
