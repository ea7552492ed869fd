"""The status of one lane, and its closeout record. Reads; the record in the state is all that is written."""

from __future__ import annotations

from dataclasses import replace
from json import loads

from planner.app.lane.lane_evidence import CommitOrRunToReport, open_evidence_readers, read_lane_evidence
from planner.app.lane.lane_parts import LaneParts, expected_run_name, lane_parts
from planner.app.lane_holds import lane_key_of_stack, standing_hold_of_lane
from planner.app.load_desired import load_selected_configuration
from planner.app.request import Request
from planner.app.resource_filters import without_git_refs_of_other_lanes
from planner.app.session import Session, identify_cluster, open_session
from planner.dataclass import dataclass
from planner.duration import parse_duration
from planner.errors import SelectionError
from planner.loading.config import Config
from planner.loading.selection import resolve_selection
from planner.plan import ClusterIdentity, Selection
from planner.redaction.redactor import REDACTOR
from planner.resource import Resource
from planner.rollout.closeout_record import closeout_record, closeout_record_bytes
from planner.rollout.lane_evidence import LaneEvidence
from planner.rollout.lane_verdict import LaneVerdict, exit_code_of_lane_status, judge_lane
from planner.values import JsonObject
from state.lane_holds_and_targets import LaneHold

ROLLOUT = "rollout"  # the scope of a rollout: not taken by default, and part of what a status is about


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """What was read of a lane and what follows from it. `lines` are the roles that the lane has; `record` is the
    closeout record where one was asked for, `written` whether it is new in the state; `closeouts` are the newest ten of
    the lane that were there before, newest first (C10). `hold` is the hold of the lane that is in force, `expected_run`
    the name that the run of the target has or would have."""

    cluster: ClusterIdentity
    selection: Selection
    config: str
    evidence: LaneEvidence
    verdict: LaneVerdict
    lines: tuple[str, ...]
    record: JsonObject | None = None
    written: bool = False
    closeouts: tuple[JsonObject, ...] = ()
    hold: LaneHold | None = None
    expected_run: str = ""

    @property
    def exit_code(self) -> int:
        """See planner.rollout.lane_verdict.exit_code_of_lane_status."""
        return exit_code_of_lane_status(self.evidence, self.verdict)


def read_lane_status(
    request: Request, target: CommitOrRunToReport, *, closeout: bool = False, config: Config | None = None
) -> LaneStatus:
    """Read the status of the one lane that `request` selects; with `closeout` also write its record to the state.
    `config` is its configuration, where that was read already.

    Raises SelectionError when it selects another number of lanes, or the target cannot be found.
    """
    config = config or (None if request.plain else load_selected_configuration(request))
    request = _with_rollout(request, config) if config else request
    with open_session(request, config) as session:
        lane = _lane_of(session)
        cluster = identify_cluster(session)
        subjects = lane_parts(session.stack.resources, without_git_refs_of_other_lanes(request, _everything, config))
        past = session.store.closeouts(lane)
        readers = open_evidence_readers(session, subjects)
        if closeout:
            closed = tuple(one.commit for one in past)
            readers = replace(readers, closed=closed, warn_after=_warn_after(session, config))
        evidence = read_lane_evidence(readers, lane, target)
        found = LaneStatus(
            cluster,
            _selection(session),
            session.stack.digest,
            evidence,
            judge_lane(evidence),
            tuple(_lines(subjects)),
            closeouts=tuple(loads(one.record) for one in past),
            hold=None if request.plain else standing_hold_of_lane(session.store, lane_key_of_stack(session.stack)),
            expected_run=expected_run_name(subjects, evidence.commit),
        )
        return _close(session, found) if closeout else found


def _warn_after(session: Session, config: Config | None) -> float | None:
    """Seconds of the lane's limit."""
    stack = session.stack
    lanes = config.lanes_of(stack.product, stack.nodes[0]) if config else ()
    return next((parse_duration(one.spec.gate.warn_after) for one in lanes if one.name == stack.lanes[0]), None)


def _everything(resource: Resource) -> bool:
    return True


def _with_rollout(request: Request, config: Config) -> Request:
    """The request with the scope of the rollout beside the default ones, where its product has one."""
    if request.scopes:
        return request
    chosen = resolve_selection(config, Selection(request.product, "", request.nodes, request.lanes))
    scopes = [scope.name for scope in chosen.product.scopes]
    if ROLLOUT not in scopes:
        return request
    return replace(request, scopes=(*(scope.name for scope in chosen.scopes), ROLLOUT))


def _lane_of(session: Session) -> str:
    if session.request.plain:
        return session.request.name
    stack = session.stack
    if len(stack.lanes) != 1:
        listed = ", ".join(stack.lanes) or "none"
        raise SelectionError(
            f"a status is about one lane, and these are selected: {listed}",
            where="--lane",
            remedy="name one, as in --lane NAME; `hwplan drift` looks at all",
        )
    return f"{stack.nodes[0]}/{stack.lanes[0]}"


def _selection(session: Session) -> Selection:
    stack, request = session.stack, session.request
    return Selection(stack.product, request.name, stack.nodes, stack.lanes, files=request.files)


def _lines(subjects: LaneParts) -> list[str]:
    parts = {
        "source": subjects.heads,
        "pipelinerun": subjects.runs,
        "argo": subjects.applications,
        "runtime": (*subjects.workloads, *subjects.applications),
        "probe": subjects.probes,
        "mirror": subjects.flows,
    }
    return [role for role, members in parts.items() if members]


def _close(session: Session, found: LaneStatus) -> LaneStatus:
    """Write the record, unless the newest one of this lane and commit has the same values (C1). Secrets stay out: the
    evidence was cleaned, and what is written passes the redactor as a whole (C12)."""
    evidence = found.evidence
    if not evidence.commit:
        raise SelectionError(
            "no commit is known, so there is nothing to close", where="--closeout", remedy="hwplan status"
        )

    def make(previous: str) -> tuple[str, str]:
        record = closeout_record(evidence, previous)
        return str(record["digest"]), REDACTOR.clean(closeout_record_bytes(record).decode())

    stored, new = session.store.append_closeout(evidence.lane, evidence.commit, make)
    return replace(found, record=loads(stored.record), written=new)
