"""The layers of a lane, and the remotes that the lanes of a node add to its git mirror, with their branches."""

from __future__ import annotations

from collections.abc import Sequence

from planner.loading.config_layers import ConfigLayer, MergedConfig, merge_layers
from planner.loading.document_origin import DocumentOrigin
from planner.loading.problems import Problems
from planner.spec.git import GitRemote
from planner.spec.node import NodeConfig
from planner.spec.product import LanesDocument


def merge_lane_layers(document: LanesDocument, origin: DocumentOrigin, node: str, name: str) -> MergedConfig:
    """A lane on a node: `defaults`, `lanes.<lane>`, `nodes.<node>.<lane>`."""
    return merge_layers(
        [
            ConfigLayer(document.defaults, origin, ("defaults",)),
            ConfigLayer(document.lanes[name], origin, ("lanes", name)),
            ConfigLayer(document.nodes[node][name] or {}, origin, ("nodes", node, name)),
        ]
    )


def node_with_remotes_of_lanes(
    node: NodeConfig,
    name: str,
    merged: MergedConfig,
    documents: Sequence[tuple[LanesDocument, DocumentOrigin]],
    problems: Problems,
) -> NodeConfig:
    """The node whose mirror also holds what its lanes' products add. One remote stands in one place only."""
    if node.git_mirror is None:
        return node
    remotes = dict(node.git_mirror.remotes)
    for document, origin in documents:
        for remote, spec in document.remotes.items() if name in document.nodes else ():
            if remote in remotes:
                text = f"the git mirror of {name} has the remote {remote} already"
                origin.problem(problems, ("remotes", remote), text, "keep one of them")
                continue
            remotes[remote] = _with_branches(spec, remote, document, origin, name)
    mirror = node.git_mirror.model_copy(update={"remotes": remotes})
    return node.model_copy(update={"git_mirror": mirror})


def _with_branches(
    spec: GitRemote, remote: str, document: LanesDocument, origin: DocumentOrigin, node: str
) -> GitRemote:
    """The remote with the branches of the lanes of the node that build from it."""
    known = [one for one in document.nodes[node] if one in document.lanes]
    lanes = [merge_lane_layers(document, origin, node, one).value for one in known]
    ours = [lane for lane in lanes if lane.get("remote") == remote]
    sources = (*spec.branches, *(str(lane["sourceBranch"]) for lane in ours if lane.get("sourceBranch")))
    gitops = (*spec.gitops_branches, *(str(lane["gitopsBranch"]) for lane in ours if lane.get("gitopsBranch")))
    added = {"branches": tuple(dict.fromkeys(sources)), "gitops_branches": tuple(dict.fromkeys(gitops))}
    return spec.model_copy(update=added)
