"""Live objects for the tests of planning: as a provider would give them."""

from __future__ import annotations

from planner.address import address_of_document
from planner.graph import ResourceGraph, build_graph
from planner.plan import Action, Change, ClusterIdentity, Selection
from planner.planning import PlanInputs
from planner.ports import PresentObject
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from tests.unit.kubernetes.world import declare

SET = "demo"


def live(document: JsonObject, *, owned_by: str = SET, protected: bool = False, orphan: bool = False) -> PresentObject:
    """The object as it was read."""
    address, by = address_of_document(document), "on-delete: orphan" if orphan else ""
    return PresentObject(
        address,
        f"uid-{address.name}",
        "c",
        document,
        owned_by,
        protected=protected,
        orphan_on_delete=by,
    )


def update_of(present: PresentObject, action: Action = Action.UPDATE) -> Change:
    """A planned change of a live object."""
    return Change(present.address, action, "v1", "", "declared", present.precondition, SourceRef("a.yaml"))


def destroying(
    *declared: JsonObject, beside: tuple[JsonObject, ...] = (), strays: tuple[PresentObject, ...] = ()
) -> PlanInputs:
    """A destroy of `declared`, all of it there and ours; `beside` is declared as well, there and not selected."""
    chosen = {address_of_document(one): _ours(one) for one in declared}
    others = {address_of_document(one): live(one) for one in beside}
    whole: ResourceGraph = build_graph([*chosen.values(), *(_ours(one) for one in beside)])
    return PlanInputs(
        Selection(),
        ClusterIdentity("u", "s"),
        "c",
        whole.subset(chosen),
        chosen,
        {address_of_document(one): live(one) for one in declared},
        {},
        strays=strays,
        destroy=True,
        bystanders=others,
        scopes_beside=dict.fromkeys(others, "runtime"),
        live=whole,
    )


def _ours(document: JsonObject) -> Resource:
    return declare(document, owned_by=SET)
