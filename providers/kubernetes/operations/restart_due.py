"""Whether a restart is due, and whether it may be made now: decided from the record on the workload. Pure."""

from __future__ import annotations

from planner.address import Address
from planner.errors import PermanentError, PreconditionError
from planner.field_path import FieldPath
from planner.plan import Change, FieldChange, FieldOp
from planner.ports import Observation, PresentObject, Preview, PreviewEffect
from planner.resource import Resource
from planner.values import JsonObject, document_digest
from providers.kubernetes.operations.restart_mark import (
    RECORD_PATH,
    TEMPLATE_PATH,
    changed_followed_names,
    read_restart_mark,
    restart_record_annotation_key,
)
from providers.kubernetes.operations.restart_spec import (
    address_of_restarted_workload,
    address_with_default_lane,
    followed_addresses_of_restart,
)
from providers.kubernetes.preview.field_changes import MADE_AT_APPLY
from providers.kubernetes.read_observations import is_applied_by_our_manager

# `when` of a restart that a command asks for, and no configuration: it is due each time (A3).
ON_DEMAND = "now"


def version_token_of_restart(record: str | None) -> str:
    """The version token of a restart: what the workload was restarted for last; None where there is no workload."""
    return document_digest({"restartedFor": record})


def preview_restart(resource: Resource, seen: Observation) -> Preview:
    """What is planned. `seen.value` holds the workload (`live`, None if there is none), the addresses that are
    `missing`, and the `token` that its record should hold, empty if that is not known before the apply."""
    assert isinstance(seen, PresentObject) and seen.value is not None
    live, token = seen.value["live"], seen.value["token"]
    lacks = tuple(address_with_default_lane(resource, address) for address in seen.value["missing"])
    when = resource.manifest["spec"].get("when")
    if when == ON_DEMAND:
        return _on_demand(resource, live)
    always = when == "always"
    if live is None:
        return (
            Preview(PreviewEffect.NONE, lacks=lacks)
            if always
            else Preview(PreviewEffect.RUN, _made(resource), lacks=lacks)
        )
    record = read_restart_mark(live, restart_record_annotation_key(resource.address.name))
    fields = _marks(resource, live)
    if always or not token or not changed_followed_names(record, token):
        causes = () if always else tuple(followed_addresses_of_restart(resource))
        return Preview(PreviewEffect.RUN, fields, on_change=causes, lacks=lacks)
    blocked, remedy = _refusal(live)
    why = (_why(record, token),)
    return Preview(PreviewEffect.RUN, fields, blocked=blocked, remedy=remedy, warnings=why, lacks=lacks)


def _on_demand(resource: Resource, live: JsonObject | None) -> Preview:
    if live is None:
        return Preview(PreviewEffect.RUN, blocked="there is no such workload", remedy="apply it first")
    blocked, remedy = _refusal(live)
    return Preview(PreviewEffect.RUN, _marks(resource, live), blocked=blocked, remedy=remedy)


def _why(record: str, token: str) -> str:
    """Why a restart is due that no change of this plan asks for."""
    if not record:
        return "due, because nothing says what its pods were started with"
    return f"due, because since the last restart there changed {', '.join(changed_followed_names(record, token))}"


def _marks(resource: Resource, live: JsonObject) -> tuple[FieldChange, ...]:
    return tuple(_field(resource, path, live) for path in (RECORD_PATH, TEMPLATE_PATH))


def _made(resource: Resource) -> tuple[FieldChange, ...]:
    """A workload that this plan makes gets the record only."""
    return (_field(resource, RECORD_PATH, {}),)


def _field(resource: Resource, path: FieldPath, live: JsonObject) -> FieldChange:
    mark = restart_record_annotation_key(resource.address.name)
    before = read_restart_mark(live, mark, path)
    target: Address = address_of_restarted_workload(resource.manifest["spec"])
    op = FieldOp.CHANGE if before else FieldOp.ADD
    return FieldChange((target.local, *path, mark), op, before or None, MADE_AT_APPLY)


def _refusal(live: JsonObject) -> tuple[str, str]:
    """Why the workload cannot be restarted, and what would help; empty when it can."""
    spec = live.get("spec") or {}
    if spec.get("paused") is True:
        return "it is paused: its pods would not be replaced", "set spec.paused of the workload to false"
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return "its pods are replaced only when they are deleted", "set its updateStrategy to RollingUpdate"
    return "", ""


def workload_made_by_same_plan(change: Change, live: JsonObject, record: str) -> bool:
    """Whether the workload was made in this very plan, after what the restart follows: its pods are new anyway."""
    if record:
        return False
    planned = change.precondition
    return not planned.uid or (live["metadata"]["uid"] != planned.uid and is_applied_by_our_manager(live))


def refuse_changed_workload(change: Change, live: JsonObject, record: str) -> None:
    """Raises PreconditionError when the workload is not the one of the plan, PermanentError when it cannot roll."""
    metadata, planned = live["metadata"], change.precondition
    moved = ""
    if metadata.get("deletionTimestamp"):
        moved = "the workload is being deleted"
    elif metadata["uid"] != planned.uid:
        moved = "the workload was made anew since the plan was made"
    elif version_token_of_restart(record) != planned.content:
        moved = "it was restarted for something else since the plan was made"
    if moved:
        raise PreconditionError(moved, where=str(change.address), remedy="plan again")
    refusal, remedy = _refusal(live)
    if refusal:
        raise PermanentError(refusal, where=str(change.address), remedy=remedy)
