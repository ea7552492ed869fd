"""The CI build benchmark of a lane: one PipelineRun of a profile, planned like any other, and what it came to (S11).

The profile is the node's (`benchmarks` in its configuration), the run a resource of the scope `benchmark`, which only
this takes: `PipelineRun/benchmark-<profile>`. What it must show is in that resource; no service is known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from planner.app.lane.cluster_evidence import ClusterEvidenceReader
from planner.app.lane.lane_parts import LaneParts, LaneRunLocation
from planner.app.lane.run_step_log import find_requested_tekton_step, read_step_log
from planner.app.load_desired import load_configuration
from planner.app.observe.metrics_reader import open_metrics_reader
from planner.app.observe.scrape_targets import proxy_traffic_counter_of_node, query_egress_proxy_traffic_of_client
from planner.app.plan_with_inputs import PlanWithInputs, plan_selected_resources
from planner.app.request import Request
from planner.app.resource_filters import is_git_ref, without_git_refs_of_other_lanes
from planner.app.session import Session, open_session
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.loading.problems import did_you_mean
from planner.plan import ClusterIdentity
from planner.resource import Resource
from planner.rfc3339 import parse_time, seconds_between
from planner.rollout.ci_build_benchmark_verdict import (
    BenchmarkPipelineRun,
    BenchmarkVerdict,
    FailedTask,
    judge_ci_build_benchmark,
)
from planner.rollout.metrics_verdicts import ProxyClientTraffic
from planner.spec.node import BenchmarkProfile, NodeConfig
from planner.values import JsonObject
from providers.kubernetes.operations import tekton_run_state
from providers.kubernetes.operations.tekton_run_failure import read_last_lines_of_step

SCOPE = "benchmark"
_PREFIX = "benchmark-"


@dataclass(frozen=True, slots=True)
class BenchmarkPlan:
    """A benchmark that was planned; the session stays open for whoever runs it."""

    made: PlanWithInputs
    session: Session
    run: Resource


@dataclass(frozen=True, slots=True)
class BenchmarkRunResult:
    """What a PipelineRun of a benchmark came to, and the verdict that follows. `outputs` are those of the run,
    `traffic` what the proxy server counted, None where it was not asked."""

    cluster: ClusterIdentity
    profile: str
    outputs: JsonObject
    traffic: ProxyClientTraffic | None
    verdict: BenchmarkVerdict


@contextmanager
def open_benchmark_plan(request: Request, profile: str, *, rerun: bool = False) -> Iterator[BenchmarkPlan]:
    """Plan the run of a profile for the one selected lane. Raises SelectionError for a profile that is not there."""
    with _opened(request, profile) as (session, run, _, _node):
        ours = without_git_refs_of_other_lanes(request, is_git_ref)  # the mirror serves all lanes of the node
        again = replace(run, manifest={**run.manifest, "spec": {**run.manifest["spec"], "rerun": True}})
        resources = tuple(
            (again if rerun else one) if one is run else one
            for one in session.stack.resources
            if one is run or ((ours(one) or not is_git_ref(one)) and one.scope != SCOPE)
        )
        chosen = replace(session, stack=replace(session.stack, resources=resources))
        yield BenchmarkPlan(plan_selected_resources(chosen), chosen, run)


def read_benchmark_run_from_cluster(request: Request, profile: str, name: str = "") -> BenchmarkRunResult:
    """Read what the PipelineRun `name` of a benchmark profile came to, the newest one without a name. Raises
    SelectionError where there is none."""
    with _opened(request, profile) as (session, run, settings, node):
        reader = _reader(session, run, profile)
        live = _live(reader, name)
        tasks, problem = reader.task_runs(live)
        if problem:
            raise SelectionError(problem, where=f"--profile {profile}")
        outputs = tekton_run_state.pipeline_run_outputs(live, tasks)
        traffic = _traffic(request, node, settings, outputs)
        seen = BenchmarkPipelineRun(outputs, _wanted(run), _failure(session, outputs["namespace"], tasks), traffic)
        verdict = judge_ci_build_benchmark(
            seen, settings.timing_phases, settings.failure_families, proxy_required=settings.require_proxy_evidence
        )
        return BenchmarkRunResult(session.world.identity(), profile, outputs, traffic, verdict)


def read_benchmark_step_log(request: Request, profile: str, name: str, wanted: str) -> tuple[str, tuple[str, ...]]:
    """The end of the log of a step, as planner.app.lane.run_step_log.read_step_log_of_named_run gives it."""
    with _opened(request, profile) as (session, run, _, _node):
        reader = _reader(session, run, profile)
        return read_step_log(reader, _live(reader, name), wanted)


@contextmanager
def _opened(request: Request, profile: str) -> Iterator[tuple[Session, Resource, BenchmarkProfile, NodeConfig]]:
    if request.plain or request.scopes or request.targets or request.exclude:
        raise SelectionError("a benchmark takes a node, a lane and a profile", remedy="hwplan benchmark --profile NAME")
    with open_session(replace(request, scopes=(SCOPE,))) as session:
        stack = session.stack
        if len(stack.nodes) != 1 or len(stack.lanes) != 1:
            raise SelectionError("a benchmark is for one lane of one node", remedy="--node NODE --lane LANE")
        node = load_configuration(request).nodes[stack.nodes[0]].spec
        if profile not in node.benchmarks:
            hint = (
                did_you_mean(profile, node.benchmarks) or f"one of: {', '.join(node.benchmarks) or 'none is declared'}"
            )
            raise SelectionError(f"{stack.nodes[0]} has no benchmark {profile}", where="--profile", remedy=hint)
        runs = [
            one
            for one in stack.resources
            if one.address.kind == "PipelineRun" and one.address.name == _PREFIX + profile
        ]
        if len(runs) != 1:
            raise SelectionError(f"the scope {SCOPE} of this lane has no PipelineRun {_PREFIX}{profile}", remedy=_NEEDS)
        yield session, runs[0], node.benchmarks[profile], node


_NEEDS = "it needs gitMirror.url and a remote with snapshotPipeline and the lane's sourceBranch"


def _wanted(run: Resource) -> tuple[str, ...]:
    return tuple((run.manifest["spec"].get("evidence") or {}).get("taskRuns") or ())


def _reader(session: Session, run: Resource, profile: str) -> ClusterEvidenceReader:
    place = LaneRunLocation(str(run.manifest["spec"]["manifest"]["metadata"]["namespace"]), benchmark=profile)
    return ClusterEvidenceReader(session.world.cluster, LaneParts(runs=(place,)), session.world.clock.now)


def _live(reader: ClusterEvidenceReader, name: str) -> JsonObject:
    runs, problem = reader.runs()
    found = [one for one in runs if name in ("", one["metadata"]["name"])]
    if not found:
        why = problem or (f"there is no such run of this profile: {name}" if name else "this profile was not run yet")
        raise SelectionError(why, remedy="hwplan benchmark --profile NAME --confirm")
    return found[0]


def _traffic(
    request: Request, node: NodeConfig, profile: BenchmarkProfile, outputs: JsonObject
) -> ProxyClientTraffic | None:
    """What the proxy server counted for the profile's client while the run lasted; None where nobody counts, and
    before its end."""
    counter = proxy_traffic_counter_of_node(node)
    begin, end = outputs.get("startTime"), outputs.get("completionTime")
    took, ended = seconds_between(begin, end), parse_time(end)
    if counter is None or profile.proxy_client is None or took is None or ended is None:
        return None
    reader = open_metrics_reader(request, node)
    window = max(1.0, took)
    if not reader.server:
        return ProxyClientTraffic(profile.proxy_client, window, None, None, "", "the node has no Prometheus to ask")
    return query_egress_proxy_traffic_of_client(reader, counter, profile.proxy_client, window, ended.timestamp())


def _failure(session: Session, namespace: str, tasks: Mapping[str, JsonObject]) -> FailedTask | None:
    """The first task that failed, with its step and the end of its log."""
    failed = {
        task: live for task, live in tasks.items() if tekton_run_state.task_run_state(live) in ("failed", "aborted")
    }
    if not failed:
        return None
    task, step = find_requested_tekton_step(failed, "", "")
    lines = read_last_lines_of_step(session.world.cluster, namespace, failed[task], step)
    guilty = str(step.get("name") or "") if (step.get("terminated") or {}).get("exitCode") else ""
    return FailedTask(task, guilty, (tekton_run_state.succeeded_condition_text(failed[task]), *lines))
