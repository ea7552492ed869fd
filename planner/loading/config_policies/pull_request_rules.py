"""What pull requests of lanes have to keep, each alone and all together: one node merges into a branch (B10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.dataclass import dataclass
from planner.loading.document_origin import Path
from planner.spec.git import GitRemote
from planner.spec.lane import Lane
from planner.spec.node import NodeConfig


@dataclass(frozen=True, slots=True)
class PullRequestRuleFault:
    """What is wrong: the field below the lane, the message, the remedy."""

    path: Path
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class LaneTakingPullRequests:
    """A lane that takes pull requests, on one node; `repo` is `owner/name`."""

    node: str
    product: str
    name: str
    repo: str
    branch: str
    authority: str


def git_remote_of_lane_pull_requests(lane: Lane, node: NodeConfig) -> GitRemote | None:
    """The remote that the pull requests of a lane are of; None where the node has none of this name."""
    remotes = node.git_mirror.remotes if node.git_mirror is not None else {}
    return remotes.get(lane.remote) if lane.remote is not None else None


def pull_request_rule_faults(lane: Lane, node: NodeConfig) -> Iterator[PullRequestRuleFault]:
    """What one lane alone shows to be wrong."""
    rules = lane.pulls
    if rules is None:
        return
    remote = git_remote_of_lane_pull_requests(lane, node)
    if lane.remote is None or (remote is not None and remote.repo is None):
        yield PullRequestRuleFault(
            ("pulls",), "pulls: the lane has no repository on GitHub", "name a `remote` that has `repo`"
        )
    if lane.source_branch is None:
        yield PullRequestRuleFault(("pulls",), "pulls: the lane has no branch to merge into", "write `sourceBranch`")
    quorum, people = rules.approvals.quorum, {name.lower() for name in rules.approvals.people}
    if quorum > len(people):
        text = f"pulls.approvals: {quorum} have to approve, and {len(people)} may"
        yield PullRequestRuleFault(
            ("pulls", "approvals"), text, "name more `people`, or lower `quorum` (0: nobody approves plans)"
        )
    both = sorted({*rules.checks.required} & {*rules.checks.optional})
    if both:
        text = f"pulls.checks: {', '.join(both)} cannot be both required and optional"
        yield PullRequestRuleFault(("pulls", "checks"), text, "take it out of one of the lists")


def comparable_lane_taking_pull_requests(
    lane: Lane, node: NodeConfig, *, product: str, named: str, at: str
) -> LaneTakingPullRequests | None:
    """The lane `named` of `product` on the node `at` as it is compared with others; None where it takes no pull
    requests, or its faults are its own."""
    remote = git_remote_of_lane_pull_requests(lane, node)
    if lane.pulls is None or remote is None or remote.repo is None or lane.source_branch is None:
        return None
    return LaneTakingPullRequests(at, product, named, remote.repo, lane.source_branch, lane.pulls.authority)


def lane_merge_authority_fault(
    one: LaneTakingPullRequests, lanes: Sequence[LaneTakingPullRequests], nodes: Sequence[str]
) -> PullRequestRuleFault | None:
    """Whether the authority of a lane is a node that has the lane, and the only one that merges into the branch."""
    path: Path = ("pulls", "authority")
    if one.authority not in nodes:
        text = f"pulls.authority: {one.authority} does not have the lane {one.name}"
        return PullRequestRuleFault(path, text, f"one of {', '.join(nodes)}")
    for other in lanes:
        if (other.repo.lower(), other.branch) != (one.repo.lower(), one.branch):
            continue
        if (other.product, other.name, other.authority) != (one.product, one.name, one.authority):
            text = (
                f"pulls.authority: {one.authority} for {one.name} and {other.authority} for {other.name} of "
                f"{other.node} would both merge into {one.branch} of {one.repo}"
            )
            return PullRequestRuleFault(path, text, "one node merges into a branch, for one lane")
    return None
