"""A fleet as a JSON document, and back: every shard is looked at by a process of its own, which answers with one.

The document holds no times: the same fleet in the same state has the same bytes.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from planner.fleet import COUNTED, FleetReport, Shard, ShardProblem, ShardResult, ShardState
from planner.json_shape import json_shape_fault
from planner.plan import ClusterIdentity
from planner.values import JsonObject

SCHEMA_VERSION = 1
_ROW = {
    "state": str,
    "counts": dict.fromkeys((*COUNTED, "unchanged", "blocked", "drifted"), int),
    "plan": str,
    "cluster": {"uid": str, "server": str, "simulated": bool},
    "problems": [{"message": str, "where": str, "remedy": str}],
}


def fleet_document(report: FleetReport) -> JsonObject:
    """The whole report; its keys are in docs/fleet.md."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": report.simulated,
        "exitCode": report.exit_code,
        "summary": {"shards": len(report.results), **{str(state): report.count(state) for state in ShardState}},
        "shards": [_row(one) for one in report.results],
    }


def _row(result: ShardResult) -> JsonObject:
    return {
        **asdict(result.shard),
        "state": str(result.state),
        "counts": dict(result.counts) or None,
        "plan": result.plan or None,
        "cluster": asdict(result.cluster) if result.cluster is not None else None,
        "problems": [asdict(one) for one in result.problems],
    }


def shard_result_from_document(shard: Shard, document: Any) -> ShardResult | None:
    """The result of `shard` from the document of a fleet of this one shard; None for anything else."""
    rows = document.get("shards") if isinstance(document, dict) else None
    if not isinstance(rows, list) or len(rows) != 1:
        return None
    (row,) = rows
    if json_shape_fault(_ROW, row, null=True):
        return None
    try:
        if (row["node"], row["product"], row["lane"]) != (shard.node, shard.product, shard.lane):
            return None
        return ShardResult(
            shard,
            ShardState(row["state"]),
            row["counts"] or {},
            row["plan"] or "",
            ClusterIdentity(**row["cluster"]) if row["cluster"] else None,
            tuple(ShardProblem(**one) for one in row["problems"]),
        )
    except (KeyError, TypeError, ValueError):  # a field is missing, one is too many, or the state is none
        return None
