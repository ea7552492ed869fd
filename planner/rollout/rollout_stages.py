"""The stages of a rollout, in the order in which a commit passes them, and the stage of a node of a plan. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum

from planner.address import Address


class RolloutStage(StrEnum):
    """A stage of a rollout, each measured by itself."""

    MIRROR = "mirror"  # upstream branches and the snapshot into the mirror, and what was left to flush
    CONTROL_PLANE = "control-plane"  # refresh of what builds and deploys
    PIPELINE = "pipeline"
    FLUSH = "flush"  # what was promoted back to the upstream
    ARGO = "argo"
    PROBE = "probe"


def rollout_stage_of_plan_node(address: Address, runs: Collection[str]) -> RolloutStage:
    """The stage of a rollout that a node of its plan belongs to. `runs` are the names of the PipelineRuns of the
    rollout: their flush has their name."""
    match address.kind:
        case _ if address.group:  # an object of the cluster; hwplan's own kinds have no group
            return RolloutStage.CONTROL_PLANE
        case "PipelineRun":
            return RolloutStage.PIPELINE
        case "ArgoSync":
            return RolloutStage.ARGO
        case "HttpProbe" | "PrometheusQuery":
            return RolloutStage.PROBE
        case "GitRef" if address.name in {f"flush-{run}" for run in runs}:
            return RolloutStage.FLUSH
        case "GitHead" | "GitRef" | "GitCommit":
            return RolloutStage.MIRROR
        case _:
            return RolloutStage.CONTROL_PLANE


def pipeline_run_names_in_plan(addresses: Iterable[Address]) -> frozenset[str]:
    """Names of the PipelineRuns among the nodes of a plan."""
    return frozenset(one.name for one in addresses if one.kind == "PipelineRun" and not one.group)
