"""Fleets for tests: one shard in every state."""

from __future__ import annotations

from planner.drift import ObjectDrift
from planner.errors import ConfigError, HwplanError, Problem, SelectionError
from planner.fleet import FleetReport, Shard, ShardResult, failed_shard, shard_result
from planner.plan import Action, BlockedResource, Plan
from planner.source_line_ref import SourceRef
from providers.http.errors import Unreachable
from tests.unit.drift import reports
from tests.unit.render.sample_plans import address, change, plan_of

CHANGED = plan_of(change("ConfigMap/shop/a", Action.CREATE), change("Service/shop/b", Action.DELETE))
QUIET = plan_of()
STUCK = plan_of(
    blocked=tuple(
        BlockedResource(address(f"Secret/shop/s{n}"), Action.CREATE, "no source", remedy="add it") for n in range(5)
    )
)
DOWN = Unreachable("cannot reach the API server: refused", where="10.0.0.1:6443", remedy="check that it runs")
BROKEN = ConfigError(
    (
        Problem(SourceRef("config/lanes.yaml", 7, 3), "unknown field replica", "did you mean replicas?"),
        Problem(SourceRef("templates/a.yaml.j2", 2), '"naem" is not defined', "did you mean name?"),
    )
)


def shard(index: int = 0, node: str = "D601", product: str = "hwlab", lane: str = "v03") -> Shard:
    return Shard(index, node, product, lane)


def planned(plan: Plan, *rows: ObjectDrift, at: Shard | None = None) -> ShardResult:
    """A shard with this plan, and these rows of drift."""
    return shard_result(at or shard(), plan, reports.report(*rows))


def failed(error: HwplanError, at: Shard | None = None) -> ShardResult:
    return failed_shard(at or shard(), error)


def every_state() -> FleetReport:
    """One shard in each state, the last with a problem of the command's words as well."""
    drifted = reports.EVERY[2]
    return FleetReport(
        (
            planned(QUIET, at=shard(0, lane="v02")),
            planned(CHANGED, at=shard(1)),
            planned(CHANGED, drifted, at=shard(2, product="agentrun", lane="v01")),
            planned(STUCK, at=shard(3, "G14")),
            failed(DOWN, shard(4, "JD01")),
            failed(BROKEN, shard(5, "JD01", lane="v04")),
            failed(SelectionError("no context named 'k3s'", where="kubeconfig", remedy="contexts are: a"), shard(6)),
        )
    )
