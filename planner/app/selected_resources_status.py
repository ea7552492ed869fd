"""Reading the status of a part of the selection: the reading and predicting of a plan, shown instead of planned."""

from __future__ import annotations

from planner.address import Address
from planner.app.plan_with_inputs import GatheredPlanInputs, Only, gather_plan_inputs
from planner.app.request import Request
from planner.app.session import Session, open_session
from planner.ports import Observation, PresentObject, Preview, PreviewEffect, UnreadableObject
from planner.resource_status import ResourceStatusRow, ResourceStatusTable


def read_status_of_selected_resources(request: Request, only: Only) -> ResourceStatusTable:
    """Read and predict, in a session of its own, the resources of the selection that `only` says yes to. Raises only
    when nothing can be judged."""
    with open_session(request) as session:
        return read_status_of_selected_resources_in_session(session, only)


def read_status_of_selected_resources_in_session(session: Session, only: Only) -> ResourceStatusTable:
    """Read and predict, in an open session, the resources of the selection that `only` says yes to."""
    gathered = gather_plan_inputs(session, only=only)
    rows = tuple(_row(gathered, address) for address in gathered.inputs.graph.order())
    inputs = gathered.inputs
    return ResourceStatusTable(inputs.cluster, rows, inputs.selection, inputs.config_digest)


def _row(gathered: GatheredPlanInputs, address: Address) -> ResourceStatusRow:
    inputs = gathered.inputs
    seen, preview = inputs.observations.get(address), inputs.previews.get(address)
    live = str(seen.content) if isinstance(seen, PresentObject) else ""
    settled = preview is not None and preview.effect is PreviewEffect.NONE and not preview.blocked
    wanted = live if settled else (preview.expects if preview else "")
    outputs = {**(seen.outputs if isinstance(seen, PresentObject) else {}), **(preview.outputs if preview else {})}
    problem = inputs.unsourced.get(address, "") or _problem(seen, preview)
    spec = inputs.resources[address].manifest["spec"]
    readable = not isinstance(seen, UnreadableObject)
    labels = inputs.resources[address].manifest["metadata"].get("labels") or {}
    return ResourceStatusRow(address, spec, live, wanted, settled, problem, outputs, readable, labels)


def _problem(seen: Observation | None, preview: Preview | None) -> str:
    if isinstance(seen, UnreadableObject):
        return f"unreadable: {seen.reason}"
    if preview is None:
        return "not predicted"
    return f"{preview.blocked} ({preview.evidence})" if preview.blocked and preview.evidence else preview.blocked
