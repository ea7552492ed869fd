"""The plan of one rollout of one lane, and its forecast from the journal (S05).

A trigger is the scope `rollout` of the lane, planned like any other. What is added: the commit is compared with the
one that was asked for, and the run of the lane that it takes up is chosen by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from planner.address import Address
from planner.app.lane.argo_preview import predict_argo_sync_of_rollout
from planner.app.lane.lane_parts import fill_git_head_outputs, lane_parts
from planner.app.lane_holds import (
    SCOPE,
    RolloutUnderHold,
    lane_key_of_stack,
    rollout_under_hold,
    standing_hold_of_lane,
    with_branch_head_at_older_commit,
)
from planner.app.lane_pipeline_runs import (
    BUILD_CACHE,
    pipeline_run_namespace_and_name_prefix,
    pipeline_run_resource_for_rerun,
    read_lane_pipeline_runs,
)
from planner.app.load_desired import load_selected_configuration, requested_selection
from planner.app.plan_with_inputs import PlanWithInputs, plan_selected_resources
from planner.app.request import Request
from planner.app.resource_filters import is_git_ref, without_git_refs_of_other_lanes
from planner.app.session import Session, open_session
from planner.dataclass import dataclass
from planner.duration import parse_duration
from planner.errors import SelectionError, StalePlan
from planner.plan import Plan
from planner.ports import PresentObject
from planner.resource import Resource
from planner.rollout.argo_prediction import ArgoPrediction
from planner.rollout.forecast import (
    PastChangeDuration,
    RolloutDurationForecast,
    forecast_rollout_duration,
    stage_seconds,
)
from planner.rollout.rollout_stages import RolloutStage, pipeline_run_names_in_plan, rollout_stage_of_plan_node
from planner.spec.lane import Lane
from planner.values import OutputRef, OutputTemplate, outputs_in_document
from state.lane_holds_and_targets import LaneHold

_PAST_RUNS = 200  # runs of the journal that are looked at for the forecast
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_WELL = ("done", "unchanged")


@dataclass(frozen=True, slots=True)
class PlannedRollout:
    """A rollout that was planned. `run` and `head` are its PipelineRun and the head of its branch, `commit` what that
    stands on; `builds_all` says that the run builds every service, reused ones too. `hold` is the hold of the lane
    that is in force, `held` what this rollout is held by, or sets."""

    made: PlanWithInputs
    session: Session
    lane: Lane
    run: Resource
    head: Resource
    commit: str
    forecast: RolloutDurationForecast
    hold: LaneHold | None = None
    held: RolloutUnderHold | None = None
    builds_all: bool = False

    @property
    def source_stage_ref(self) -> str | None:
        """The immutable ref of the mirror that the run builds from; None where the lane has no such ref (A14)."""
        snapshots = lane_parts(self.session.stack.resources).snapshots
        refs = [fill_git_head_outputs(spec, self.commit)["to"].get("ref") for _, spec in snapshots]
        own = f"/{self.lane.source_branch}/"
        return next((one for one in refs if isinstance(one, str) and own in one), None)

    def prediction(self) -> ArgoPrediction | None:
        """What Argo CD will change; None where nothing is to be synced. Reads git and the cluster."""
        planned = {change.address for change in self.made.plan.changes}
        if not any(one.kind == "ArgoSync" and not one.group for one in planned):
            return None
        return predict_argo_sync_of_rollout(
            self.session, self.lane, self.commit, promotes=self.run.address in planned, anew=self.builds_all
        )

    @property
    def budget(self) -> float:
        """Seconds after which a warning is due."""
        return parse_duration(self.lane.gate.warn_after)

    @property
    def key(self) -> str:
        """The name of the lane in the state."""
        return lane_key_of_stack(self.session.stack)


@dataclass(frozen=True, slots=True)
class RolloutSession:
    """The resources of a rollout, with its PipelineRun and the head of its branch, and an open session."""

    session: Session
    resources: tuple[Resource, ...]
    run: Resource
    head: Resource


@contextmanager
def open_rollout_session(request: Request, *, secrets: bool = True) -> Iterator[RolloutSession]:
    """What a rollout of the one selected lane consists of. Without `secrets` those that
    come before it are left out, for whoever may read none. Raises SelectionError where no such lane is selected."""
    if request.plain or request.scopes or request.targets or request.exclude:
        raise SelectionError("a trigger takes a node and a lane", remedy="hwplan trigger --node NODE --lane LANE")
    with open_session(replace(request, scopes=(SCOPE,))) as opened:
        stack = opened.stack
        if len(stack.nodes) != 1 or len(stack.lanes) != 1:
            words = ", ".join((*stack.nodes, *stack.lanes))
            raise SelectionError("a trigger is for one lane of one node", where=words, remedy="--node NODE --lane LANE")
        run = _one(stack.resources, "PipelineRun", "")
        ours = without_git_refs_of_other_lanes(
            request, is_git_ref, opened.config
        )  # the mirror serves all lanes of the node
        kept = [one for one in stack.resources if ours(one) or not is_git_ref(one)]
        resources = tuple(one for one in kept if secrets or not _is_secret(one))
        yield RolloutSession(opened, resources, run, _one(stack.resources, "GitHead", _head_of(run)))


@contextmanager
def open_rollout_plan(
    request: Request,
    *,
    rerun: bool = False,
    rebuild: bool = False,
    source_commit: str = "",
    reason: str = "",
    secrets: bool = True,
) -> Iterator[PlannedRollout]:
    """Plan the rollout of the one selected lane; the session stays open for whoever runs it. With a `reason` the lane
    is held at `source_commit`, which may be older than the tip of the branch. `secrets` is as for
    open_rollout_session. With `rebuild` a run that is there is deleted, also one that succeeded, and made anew so
    that it builds every service.

    Raises SelectionError where the words do not select one lane with a rollout, StalePlan when the branch does not
    stand on `source_commit` and the lane is not held there.
    """
    with open_rollout_session(request, secrets=secrets) as parts:
        opened, resources, run, head = parts.session, parts.resources, parts.run, parts.head
        stack, lane = opened.stack, _lane(opened)
        held = rollout_under_hold(opened.store, lane_key_of_stack(stack), source_commit, reason)
        if held:
            resources = with_branch_head_at_older_commit(resources, head.address, held.commit)
        session, made, builds_all = _planned(opened, resources, run, head, held, rerun=rerun, rebuild=rebuild)
        commit = _commit(made, head.address)
        if held:
            _check_held(made, head.address, commit)
        else:
            _check_commit(commit, source_commit)
        planned = _stages(made.plan)
        budget = parse_duration(lane.gate.warn_after)
        expected = forecast_rollout_duration(_past(session), planned, budget)
        hold = standing_hold_of_lane(session.store, lane_key_of_stack(stack))
        yield PlannedRollout(made, session, lane, run, head, commit, expected, hold, held, builds_all)


def _planned(
    opened: Session,
    resources: tuple[Resource, ...],
    run: Resource,
    head: Resource,
    held: RolloutUnderHold | None,
    *,
    rerun: bool,
    rebuild: bool,
) -> tuple[Session, PlanWithInputs, bool]:
    """The plan of the rollout. Which run it needs is known with the commit: planned once more where it is another. Also
    whether that builds every service."""
    runs = read_lane_pipeline_runs(opened.world.cluster, *pipeline_run_namespace_and_name_prefix(run))

    def plan(key: str, *, anew: bool, builds_all: bool = False) -> tuple[Session, PlanWithInputs, bool]:
        chosen = pipeline_run_resource_for_rerun(run, key, rerun=anew, builds_all=builds_all and takes_mode)
        wanted = tuple(chosen if one.address == run.address else one for one in resources)
        session = replace(opened, stack=replace(opened.stack, resources=wanted))
        return session, plan_selected_resources(session), builds_all

    takes_mode = _takes_parameter(resources, run, BUILD_CACHE)
    first = None if held else plan("", anew=rerun)
    commit = held.commit if held else _commit(first[1], head.address) if first else ""
    key, anew = (runs.rebuild_key if rebuild else runs.key)(commit, held=held is not None)
    builds_all = rebuild or (runs.builds_all(commit) and not anew)
    if first is not None and not (key or anew or builds_all):
        return first
    return plan(key, anew=anew or rerun, builds_all=builds_all)


def _takes_parameter(resources: tuple[Resource, ...], run: Resource, name: str) -> bool:
    """Whether the declared pipeline of the run has the parameter."""
    wanted = (run.manifest["spec"]["manifest"]["spec"].get("pipelineRef") or {}).get("name")
    pipelines = (one for one in resources if (one.address.kind, one.address.group) == ("Pipeline", "tekton.dev"))
    found = (one.manifest["spec"].get("params") or () for one in pipelines if one.address.name == wanted)
    return any(one.get("name") == name for params in found for one in params)


def _is_secret(one: Resource) -> bool:
    return (one.address.kind, one.address.group) == ("Secret", "")


def _one(resources: tuple[Resource, ...], kind: str, name: str) -> Resource:
    found = [one for one in resources if one.address.kind == kind and not one.address.group]
    found = [one for one in found if name in ("", one.address.name)]
    if len(found) != 1:
        raise SelectionError(
            f"the scope {SCOPE} of this lane has {len(found)} {kind}{f' {name}' if name else ''}, expected one",
            remedy="a rollout needs gitMirror.url and a remote with snapshotPipeline and the lane's sourceBranch",
        )
    return found[0]


def rollout_job_name(request: Request) -> str:
    """What the job of a rollout is called: after the pipeline whose snapshots it builds (A14). "" where there is none.
    Raises SelectionError, ConfigError."""
    from planner.loading.selection import resolve_selection

    if request.plain or request.name:
        return ""
    asked = replace(request, scopes=(SCOPE,))
    found = resolve_selection(load_selected_configuration(asked), requested_selection(asked))
    remotes = [
        node.spec.git_mirror.remotes.get(lane.spec.remote or "") if node.spec.git_mirror else None
        for node, lanes in found.nodes
        for lane in lanes
    ]
    pipelines = {one.snapshot_pipeline if one else None for one in remotes}
    pipeline = pipelines.pop() if len(pipelines) == 1 else None
    return f"{pipeline}-trigger" if pipeline else ""


def _head_of(run: Resource) -> str:
    """The name of the head whose commit the run is of: the one that its own name refers to (R1)."""
    name = run.manifest["spec"]["manifest"]["metadata"]["name"]
    parts = [
        part
        for found in outputs_in_document(name)
        for part in (found.parts if isinstance(found, OutputTemplate) else [found])
    ]
    heads = {part.address.name for part in parts if isinstance(part, OutputRef) and part.address.kind == "GitHead"}
    return heads.pop() if len(heads) == 1 else ""


def _lane(session: Session) -> Lane:
    stack = session.stack
    assert session.config is not None
    lanes = session.config.lanes_of(stack.product, stack.nodes[0])
    return next(one.spec for one in lanes if one.name == stack.lanes[0])


def _commit(made: PlanWithInputs, head: Address) -> str:
    seen = made.inputs.observations.get(head)
    return str(seen.outputs.get("commit") or "") if isinstance(seen, PresentObject) else ""


def _check_held(made: PlanWithInputs, head: Address, commit: str) -> None:
    """An older commit is rolled out only where the branch has gone through it (B9)."""
    if not commit:
        preview = made.inputs.previews.get(head)
        why = preview.blocked if preview is not None else ""
        raise StalePlan(why or f"{head} cannot be read", remedy=preview.remedy if preview is not None else "")


def _check_commit(commit: str, wanted: str) -> None:
    if wanted and not _COMMIT.fullmatch(wanted):
        raise SelectionError(
            "no commit id of 7 to 64 hexadecimal digits",
            where=f"--source-commit {wanted}",
            remedy="git rev-parse COMMIT",
        )
    if wanted and not commit.startswith(wanted):
        raise StalePlan(
            f"superseded: the branch stands on {commit[:12] or 'nothing that can be read'}, not on {wanted[:12]}",
            remedy="trigger without --source-commit, or roll the older commit out on purpose: --hold REASON",
        )


def _stages(plan: Plan) -> frozenset[RolloutStage]:
    runs = pipeline_run_names_in_plan(change.address for change in plan.changes)
    return frozenset(rollout_stage_of_plan_node(change.address, runs) for change in plan.changes)


def _past(session: Session) -> list[Mapping[RolloutStage, float]]:
    """Stage times of the rollouts of this lane that the journal has, newest first."""
    stack, store = session.stack, session.store
    runs = (
        one
        for one in store.history(_PAST_RUNS)
        if (one.selection.product, one.selection.nodes, one.selection.lanes)
        == (stack.product, stack.nodes, stack.lanes)
        and SCOPE in one.selection.scopes
    )
    return [
        stage_seconds(
            [
                PastChangeDuration(row.address, row.result in _WELL, float(row.detail.get("seconds") or 0.0), row.at)
                for row in store.nodes(run.number)
            ]
        )
        for run in runs
    ]
