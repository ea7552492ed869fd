"""Reading the status of a part of the selection: the reading and predicting of a plan, shown instead of planned."""

from __future__ import annotations

from planner.address import Address
from planner.app.make import Gathered, Only, inputs_of
from planner.app.request import Request
from planner.app.session import opened
from planner.ports import Effect, Observation, Present, Preview, Unreadable
from planner.status import Status, StatusRow


def status_of(request: Request, only: Only) -> Status:
    """Read and predict a part of the selection. Raises only when nothing at all can be judged."""
    with opened(request) as session:
        gathered = inputs_of(session, only=only)
    rows = tuple(_row(gathered, address) for address in gathered.inputs.graph.order())
    inputs = gathered.inputs
    return Status(inputs.cluster, rows, inputs.selection, inputs.config_digest)


def _row(gathered: Gathered, address: Address) -> StatusRow:
    inputs = gathered.inputs
    seen, preview = inputs.observations.get(address), inputs.previews.get(address)
    live = seen.content if isinstance(seen, Present) else ""
    settled = preview is not None and preview.effect is Effect.NONE and not preview.blocked
    wanted = live if settled else (preview.expects if preview else "")
    outputs = {**(seen.outputs if isinstance(seen, Present) else {}), **(preview.outputs if preview else {})}
    problem = inputs.unsourced.get(address, "") or _problem(seen, preview)
    spec = inputs.resources[address].manifest["spec"]
    readable = not isinstance(seen, Unreadable)
    return StatusRow(address, spec, live, wanted, settled, problem, outputs, readable)


def _problem(seen: Observation | None, preview: Preview | None) -> str:
    if isinstance(seen, Unreadable):
        return f"unreadable: {seen.reason}"
    if preview is None:
        return "not predicted"
    return f"{preview.blocked} ({preview.evidence})" if preview.blocked and preview.evidence else preview.blocked
