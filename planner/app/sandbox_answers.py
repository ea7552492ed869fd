"""What a new sandbox answers: every declared probe and query as it is expected, every declared scrape target up.

So that what is declared holds there at once; whoever wants to see it fail edits the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.address import is_hwplan_kind
from planner.loading.config import ConfiguredLane
from planner.resource import Resource
from planner.spec.node import NodeConfig
from planner.values import JsonObject
from providers.sandbox import CannedHttpAnswer, CannedPrometheusQuery, CannedScrapeTarget


def make_canned_probe_answers(
    resources: Iterable[Resource], lanes: Iterable[ConfiguredLane]
) -> tuple[CannedHttpAnswer, ...]:
    """Make the canned answers of a new sandbox for the gates of the lanes, and for every other probe that a plan
    asks. A gate with `provenance` gets the commit that the Application of the lane's GitOps branch has deployed."""
    known, lanes = tuple(resources), tuple(lanes)
    gates = {str(probe.url): probe.expect_status for lane in lanes for probe in lane.spec.gate.probes}
    asked = {
        str(spec["url"]): int((spec.get("expect") or {}).get("status") or 200) for spec in _specs(known, "HttpProbe")
    }
    reported = {
        str(probe.url): (probe.provenance, application)
        for lane in lanes
        for probe in lane.spec.gate.probes
        if probe.provenance and (application := _application(known, lane))
    }
    answers = []
    for url, status in (asked | gates).items():
        field, application = reported.get(url, ("", ""))
        answers.append(CannedHttpAnswer(url, status, commit_field=field, application=application))
    return tuple(answers)


def _application(resources: Iterable[Resource], lane: ConfiguredLane) -> str:
    """The Application that follows the GitOps branch of a lane; "" where none does."""
    for one in resources:
        place, source = one.address.node_lane, (one.manifest.get("spec") or {}).get("source") or {}
        if (one.address.kind, one.address.group) == ("Application", "argoproj.io") and source:
            of_lane = place in ("", f"{lane.node}/{lane.name}")
            if of_lane and source.get("targetRevision") == lane.spec.gitops_branch:
                return one.address.name
    return ""


def make_canned_query_answers(resources: Iterable[Resource]) -> tuple[CannedPrometheusQuery, ...]:
    """Make the canned Prometheus answers of a new sandbox: for every declared query a result that is as expected."""
    return tuple(
        CannedPrometheusQuery(str(spec["promql"]), _expected(spec["expect"]))
        for spec in _specs(resources, "PrometheusQuery")
    )


def make_canned_scrape_targets(nodes: Iterable[NodeConfig]) -> tuple[CannedScrapeTarget, ...]:
    """Make the scrape targets that Prometheus reports in a new sandbox: every target of the jobs that the nodes
    declare."""
    return tuple(
        CannedScrapeTarget(job, target, of.path)
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
