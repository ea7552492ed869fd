"""What a new sandbox answers: every declared probe and query as it is expected, every declared scrape target up.

So that what is declared holds there at once; whoever wants to see it fail edits the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.address import is_hwplan_kind
from planner.loading.config import LaneEntry
from planner.resource import Resource
from planner.spec.node import NodeConfig
from planner.values import JsonObject
from providers.sandbox import CannedAnswer, CannedQuery, CannedTarget


def canned_probe_answers(resources: Iterable[Resource], lanes: Iterable[LaneEntry]) -> tuple[CannedAnswer, ...]:
    """Of the gates of the lanes, and of every other probe that a plan asks."""
    gates = {str(probe.url): probe.expect_status for lane in lanes for probe in lane.spec.gate.probes}
    asked = {
        str(spec["url"]): int((spec.get("expect") or {}).get("status") or 200)
        for spec in _specs(resources, "HttpProbe")
    }
    return tuple(CannedAnswer(url, status) for url, status in (asked | gates).items())


def canned_queries(resources: Iterable[Resource]) -> tuple[CannedQuery, ...]:
    """A result of every declared query that is as expected."""
    return tuple(
        CannedQuery(str(spec["promql"]), _expected(spec["expect"])) for spec in _specs(resources, "PrometheusQuery")
    )


def canned_targets(nodes: Iterable[NodeConfig]) -> tuple[CannedTarget, ...]:
    """Every target of the jobs that the nodes declare."""
    return tuple(
        CannedTarget(job, target, of.path)
        for node in nodes
        for job, of in node.observability.jobs.items()
        for target in of.targets
    )


def _specs(resources: Iterable[Resource], kind: str) -> Iterator[JsonObject]:
    return (one.manifest["spec"] for one in resources if is_hwplan_kind(one.api_version) and one.address.kind == kind)


def _expected(expect: JsonObject) -> tuple[float, ...]:
    if expect.get("count") is not None:
        return (1.0,) * int(expect["count"])
    if expect.get("value") is not None:
        return (float(expect["value"]),)
    return (float(expect["range"][0]),)
