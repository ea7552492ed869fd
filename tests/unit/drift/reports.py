"""Drift reports for tests: one object in every state, and acknowledgements of them."""

from __future__ import annotations

from planner.address import Address
from planner.drift import AcknowledgedDriftField, DriftAcknowledgement, DriftReport, DriftState, ObjectDrift
from planner.plan import ClusterIdentity, FieldChange, FieldOp, Selection
from planner.source_line_ref import SourceRef

AT = "2026-11-22T03:11:40.000Z"
REPLICAS = FieldChange(("spec", "replicas"), FieldOp.CHANGE, 7, 2, False, "night-shift", "2026-11-22T03:11:40Z")
LABEL = FieldChange(("metadata", "labels", "a"), FieldOp.ADD, None, "1", False, "metallb", "2026-11-22T03:00:00Z")
ACCEPTED = DriftAcknowledgement("Service/*", "a trial", "2026-12-31", source=SourceRef("acks.yaml", 1))


def row(
    text: str, state: DriftState, reason: str = "", *fields: FieldChange, undeclared: tuple[FieldChange, ...] = ()
) -> ObjectDrift:
    """One object."""
    return ObjectDrift(Address.parse(text), state, reason, SourceRef("app.yaml", 3), fields, undeclared)


def report(*rows: ObjectDrift, **more: object) -> DriftReport:
    """A report of one lane."""
    selection = Selection("shop", nodes=("D601",), lanes=("v03",))
    return DriftReport(selection, ClusterIdentity("3f0c51ab-1", "k3s"), rows, **more)  # type: ignore[arg-type]


EVERY = (
    row("Namespace/shop", DriftState.IN_SYNC),
    row("ConfigMap/shop/a", DriftState.PENDING, "config is newer than what was applied"),
    row("Deployment.apps/shop/api", DriftState.DRIFTED, "", REPLICAS, undeclared=(LABEL,)),
    row("Service/shop/api", DriftState.BOTH, "config is newer than what was applied", REPLICAS),
    ObjectDrift(
        Address.parse("Service/shop/web"),
        DriftState.ACKNOWLEDGED,
        "",
        SourceRef("app.yaml"),
        (REPLICAS,),
        acknowledged=(AcknowledgedDriftField(REPLICAS.path, ACCEPTED),),
    ),
    row("Secret/shop/login", DriftState.INCOMPLETE, 'cannot list "secrets"'),
)
