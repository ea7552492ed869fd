"""Which lane on which node a monitor is about, and how its repository is reached. From the configuration alone."""

from __future__ import annotations

from dataclasses import field, replace

from planner.app.lane_holds import lane_state_key
from planner.app.load_desired import load_configuration
from planner.app.request import Request
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.loading.config_policies.pull_request_rules import git_remote_of_lane_pull_requests
from planner.loading.selection import resolve_selection
from planner.plan import Selection
from planner.spec.git import GitRemote
from planner.spec.lane import Lane
from planner.spec.node import NodeConfig
from planner.spec.pull_requests import PullRequestRules
from planner.values import JsonObject, document_digest


@dataclass(frozen=True, slots=True)
class MonitoredLane:
    """One lane on one node. `request` selects exactly it; `access` and `git` are those of the documents that are made
    for it. `merges` says whether this node is the authority of the branch (B10). `sets` are all owned sets of the
    product, `digest` is that of the rules."""

    request: Request
    product: str
    node: str
    lane: str
    spec: Lane
    rules: PullRequestRules
    repo: str
    branch: str
    merges: bool
    context: str
    cluster_uid: str
    sets: frozenset[str]
    digest: str
    access: JsonObject = field(repr=False)
    git: JsonObject = field(repr=False)

    @property
    def key(self) -> str:
        """The name of the lane in the state."""
        return lane_state_key(self.product, self.node, self.lane)


def find_monitored_lane(request: Request) -> MonitoredLane:
    """The one lane that `request` selects; without --node on the node that merges for it.

    Raises SelectionError where the words do not select one lane with pull requests.
    """
    if request.plain or request.scopes or request.targets or request.exclude:
        raise SelectionError("a monitor takes a lane, and a node", remedy="hwplan prs --lane LANE [--node NODE]")
    config = load_configuration(request)
    with_pulls = sorted({one.name for one in config.lanes if one.spec.pulls is not None})
    nodes = request.nodes
    if not nodes:
        named = [one for one in config.lanes if one.name in request.lanes and request.product in ("", one.product)]
        nodes = tuple(dict.fromkeys(one.spec.pulls.authority for one in named if one.spec.pulls is not None))
        if not nodes:
            text = f"no lane {request.lanes[0]} takes pull requests" if request.lanes else "which lane?"
            remedy = f"lanes that take pull requests: {', '.join(with_pulls) or 'none, write `pulls` of one'}"
            raise SelectionError(text, where="--lane", remedy=remedy)
    found = resolve_selection(config, Selection(request.product, "", nodes, request.lanes))
    lanes = [(node, lane) for node, taken in found.nodes for lane in taken]
    if len(lanes) != 1:
        listed = ", ".join(f"{node.name}/{lane.name}" for node, lane in lanes)
        raise SelectionError("a monitor is of one lane of one node", where=listed, remedy="--node NODE --lane LANE")
    node, lane = lanes[0]
    rules, remote = lane.spec.pulls, git_remote_of_lane_pull_requests(lane.spec, node.spec)
    if rules is None or remote is None or remote.repo is None or lane.spec.source_branch is None:
        raise SelectionError(
            f"{node.name}/{lane.name} takes no pull requests",
            where="--lane",
            remedy=f"write `pulls` of the lane; lanes that have them: {', '.join(with_pulls) or 'none'}",
        )
    product = found.product.name
    return MonitoredLane(
        request=replace(request, product=product, nodes=(node.name,), lanes=(lane.name,)),
        product=product,
        node=node.name,
        lane=lane.name,
        spec=lane.spec,
        rules=rules,
        repo=remote.repo,
        branch=lane.spec.source_branch,
        merges=rules.authority == node.name,
        context=node.spec.kube_context,
        cluster_uid=node.spec.cluster_uid or "",
        sets=config.sets_of(product),
        digest=document_digest([remote.repo, rules.model_dump(mode="json")]),
        access=rules.access.model_dump(mode="json", by_alias=True, exclude_none=True),
        git=git_field_of_pull_request_document(node.spec, remote),
    )


def git_field_of_pull_request_document(node: NodeConfig, remote: GitRemote) -> JsonObject:
    """The field `git` of a PullRequest document: how git reaches the upstream."""
    mirror = node.git_mirror
    assert mirror is not None  # the remote is one of its
    transport = mirror.github_transport
    side: JsonObject = {
        "remote": remote.url,
        "transport": transport.mode,
        "retry": mirror.retry.model_dump(mode="json", by_alias=True),
    }
    if transport.mode == "ssh":
        ssh: JsonObject = {"knownHosts": list(transport.known_hosts)}
        if transport.proxy == "node-egress" and node.egress_proxy is not None:
            ssh["proxy"] = node.egress_proxy.url
        if transport.identity_file:
            ssh["identityFile"] = transport.identity_file
        side["ssh"] = ssh
    return side
