"""Merges of a local GitHub: a provider of the four kinds, and documents for it."""

from __future__ import annotations

from typing import Any

from planner.address import address_of_document
from planner.plan import Action, Change, Precondition
from planner.ports import PresentObject, Preview, Written
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from providers.git.git_client import GitClient
from providers.git.git_merges import RemoteGitMergePredictor
from providers.git.object_cache import ObjectCache
from providers.git.remotes import RemoteLocations
from providers.github.credentials import GitHubCredential, WebSender
from providers.github.github_clients import GitHubClientsByAccount
from providers.github.provider import GitHubProvider
from providers.github.rate_limits import WritePace
from providers.github.send_requests import GitHubConnection
from providers.http.retries import RetryLimits
from providers.web.bounded_http_client import BoundedHttpClient
from tests.integration.github.github_world import REPO, GitHubWorld
from tests.testbed.github_server import BOT_TOKEN


def provider_of(world: GitHubWorld, cache: str = "cache") -> GitHubProvider:
    """The provider of a new command, which loses no time."""

    def connect(web: WebSender, base: str, credential: GitHubCredential) -> GitHubConnection:
        pace, retries = WritePace(between=0.0), RetryLimits(sleep=world.pauses.append)
        return GitHubConnection(web, base, credential, pace, retries, sleep=world.pauses.append)

    git = GitClient()
    merges = RemoteGitMergePredictor(git, ObjectCache(git, world.folder / cache), RemoteLocations(world.folder))
    return GitHubProvider(
        GitHubClientsByAccount(world.folder, BoundedHttpClient(), connect), merges, world.pauses.append
    )


def declare(world: GitHubWorld, kind: str, name: str, **spec: Any) -> Resource:
    """A document of one of the kinds, on this GitHub with the token of the bot."""
    token = world.folder / "token"
    if not token.exists():  # others may be reading it
        token.write_text(BOT_TOKEN)
    access = {"url": world.github.url, "tokenFile": "token"}
    whole = {"repo": REPO, "access": access, **spec}
    document: dict[str, Any] = {"apiVersion": "hwplan.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": whole}
    return Resource(
        address_of_document(document), "hwplan.dev/v1", document, "demo.D1.v1", "pulls", SourceRef("t.yaml")
    )


def merging(world: GitHubWorld, number: int, head: str, method: str = "merge") -> Resource:
    """The document that has a pull request merged."""
    git = {"remote": world.bare.url}
    return declare(
        world, "PullRequest", f"pr-{number}", number=number, headSha=head, base="main", method=method, git=git
    )


def planned(world: GitHubWorld, resource: Resource) -> tuple[Preview, Change]:
    """What a plan says of a resource, and the change that it makes of it."""
    provider = provider_of(world)
    seen = provider.read([resource], (), ()).observations[resource.address]
    preview = provider.preview([(resource, seen)])[resource.address]
    stands = seen.precondition if isinstance(seen, PresentObject) else Precondition(absent=True)
    change = Change(
        resource.address, Action.RUN, "hwplan.dev/v1", "pulls", "test", stands, resource.source,
        desired=preview.desired or resource.manifest, fields=preview.fields, expects=preview.expects,
    )  # fmt: skip
    return preview, change


def merge(world: GitHubWorld, number: int, head: str, method: str = "merge") -> Written:
    """Plan and apply a merge, each as a command of its own."""
    preview, change = planned(world, merging(world, number, head, method))
    assert not preview.blocked, preview.blocked
    return provider_of(world).apply(change, {})
