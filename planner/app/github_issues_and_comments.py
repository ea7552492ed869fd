"""Issues and comments that a verb writes beside a plan: found by marker and author, written only where they differ.

They are no part of the configuration, so the state has no record of them and no lock is needed: what GitHub has decides
(docs/github.md).
"""

from __future__ import annotations

from collections.abc import Sequence

from planner.address import Address
from planner.app.load_desired import load_configuration
from planner.app.read_and_preview import preview_with_all_providers, read_with_all_providers
from planner.app.request import Request
from planner.app.session import Session
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.events import Event
from planner.executor import ExecutionOptions, execute_plan
from planner.graph import build_graph
from planner.loading.config_policies.pull_request_rules import git_remote_of_lane_pull_requests
from planner.plan import Action, Change, Plan, Selection
from planner.planning import PlanInputs, make_plan
from planner.ports import AbsentObject, Provider
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.spec.lane import Lane
from planner.values import JsonObject

_API = "hwplan.dev/v1"
_COMMAND = SourceRef("the command line")


@dataclass(frozen=True, slots=True)
class LaneGitHubRepository:
    """The repository of a lane on GitHub: `owner/name`, and how it is asked."""

    repo: str
    access: JsonObject
    lane: Lane


@dataclass(frozen=True, slots=True)
class GitHubIssueOrCommentResult:
    """What is to become, or became, of one issue or comment. `problem` says why it is not as it should be."""

    address: Address
    action: Action
    url: str = ""
    problem: str = ""


def lane_issue_repository(request: Request, product: str, node: str, lane: str) -> LaneGitHubRepository:
    """The GitHub repository that holds the issues and comments about a lane. Raises SelectionError where its remote
    has no `repo`."""
    config = load_configuration(request)
    found = next((one.spec for one in config.lanes_of(product, node) if one.name == lane), None)
    remote = git_remote_of_lane_pull_requests(found, config.nodes[node].spec) if found is not None else None
    if found is None or remote is None or remote.repo is None:
        raise SelectionError(
            f"{node}/{lane} has no repository on GitHub",
            where="gitMirror.remotes",
            remedy="name a `remote` of the lane that has `repo: owner/name`",
        )
    access = found.pulls.access.model_dump(mode="json", by_alias=True, exclude_none=True) if found.pulls else {}
    return LaneGitHubRepository(remote.repo, access, found)


def github_issue_or_comment_resource(kind: str, name: str, spec: JsonObject) -> Resource:
    """The resource of a GitHub issue or comment, for a plan."""
    manifest: JsonObject = {"apiVersion": _API, "kind": kind, "metadata": {"name": name}, "spec": spec}
    return Resource(Address("", kind, "", "", name), _API, manifest, "", "", _COMMAND)


def update_github_issues_and_comments(
    session: Session, wanted: Sequence[Resource], *, confirm: bool
) -> tuple[GitHubIssueOrCommentResult, ...]:
    """Create, update or close the issues and comments on GitHub until they are as wanted; with `confirm` False only
    say what would be done. What is to be closed and was never opened is left out. One result for each that is not as
    it should be; what cannot be read is a problem, never an absence."""
    plan, urls = _planned(session, wanted)
    blocked = tuple(GitHubIssueOrCommentResult(one.address, one.action, problem=one.reason) for one in plan.blocked)
    todo = [one for one in plan.changes if one.action is not Action.NOOP]
    if not (confirm and todo):
        return (
            *blocked,
            *(GitHubIssueOrCommentResult(one.address, one.action, urls.get(one.address, "")) for one in todo),
        )

    def provider_of(change: Change) -> Provider:
        return session.world.providers.of(change.api_version, change.address.kind)

    result = execute_plan(plan, provider_of, session.stack.vault, _Unwatched(), session.world.clock, ExecutionOptions())
    written = []
    for one in todo:
        ended = result.outcomes.get(one.address)
        well = ended is not None and ended.result.value in ("done", "unchanged")
        problem = "" if well else (ended.message if ended is not None and ended.message else "not done")
        url = str(result.outputs.get(one.address, {}).get("url") or urls.get(one.address, ""))
        written.append(GitHubIssueOrCommentResult(one.address, one.action, url, problem))
    return (*blocked, *written)


def _planned(session: Session, wanted: Sequence[Resource]) -> tuple[Plan, dict[Address, str]]:
    providers = session.world.providers
    seen, unsupported = read_with_all_providers(providers, wanted, (), ())
    closed = {
        one.address
        for one in wanted
        if isinstance(seen.observations.get(one.address), AbsentObject)
        and one.manifest["spec"].get("state") == "closed"
    }
    resources = {one.address: one for one in wanted if one.address not in closed}
    graph = build_graph(list(resources.values()))
    predicted = preview_with_all_providers(providers, resources, seen.observations, graph)
    inputs = PlanInputs(
        selection=Selection(),
        cluster=session.world.identity(),
        config_digest="",
        graph=graph,
        resources=predicted.resources,
        observations=predicted.observations,
        previews=predicted.previews,
        unsourced=unsupported,
        prune=False,
    )
    urls = {address: str(one.outputs.get("url") or "") for address, one in predicted.previews.items()}
    return make_plan(inputs), urls


class _Unwatched:
    """Takes events and does nothing: what GitHub has is the record."""

    def on(self, event: Event) -> None:
        """See planner.events.EventObserver."""
