"""What a plan of some scopes lacks because a scope that is not selected declares it: said with the scope to add, not
as undeclared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from planner.address import Address
from planner.app.load_desired import load_desired
from planner.app.session import Session
from planner.errors import GraphError
from planner.graph import ResourceGraph, build_graph, undeclared_references
from planner.graph.resource_index import map_or_empty
from planner.ports import Preview
from planner.redaction.redactor import REDACTOR
from planner.resource import Resource
from providers.kubernetes.errors import DECLARE_NAMESPACE
from providers.kubernetes.preview.unserved_kind_errors import DECLARE_CRD

_LACKING = frozenset({DECLARE_NAMESPACE, DECLARE_CRD})


def build_graph_naming_unselected_scopes(session: Session, resources: Sequence[Resource]) -> ResourceGraph:
    """Build the graph of the selected resources. Raises GraphError as build_graph does; for a reference to what a
    scope that is not selected declares it names that scope."""
    try:
        return build_graph(resources)
    except GraphError:
        if _is_part(session):
            _name_scope(session, resources)
        raise


def _name_scope(session: Session, resources: Sequence[Resource]) -> None:
    beside = {one.address: one for one in _everything(session)}
    for resource, address, field in undeclared_references(resources):
        if (found := beside.get(address)) and found.scope != resource.scope:
            message = f"{resource.address}: {field} names {address}, which scope {found.scope} declares"
            raise GraphError(message, where=str(resource.source), remedy=f"add --scope {found.scope}")


def blocked_previews_naming_unselected_scopes(
    session: Session, previews: Mapping[Address, Preview]
) -> Mapping[Address, Preview]:
    """The previews; one that is blocked for want of a Namespace, or of the definition of its kind, names the
    unselected scope that declares it."""
    lacking = [address for address, preview in previews.items() if preview.blocked and preview.remedy in _LACKING]
    if not lacking or not _is_part(session):
        return previews
    everything = {one.address: one for one in _everything(session)}
    return {**previews, **{address: _explained(address, previews[address], everything) for address in lacking}}


def _explained(address: Address, preview: Preview, everything: Mapping[Address, Resource]) -> Preview:
    wanted = [one for one in everything.values() if _holds(one, address, preview)]
    if not wanted:
        return preview
    found = min(wanted, key=lambda one: one.address)
    return replace(
        preview,
        blocked=f"{found.address.local} does not exist, and is declared in scope {found.scope}",
        remedy=f"add --scope {found.scope}",
    )


def _holds(one: Resource, address: Address, preview: Preview) -> bool:
    """Whether this is the Namespace of the address, or the definition of its kind, whichever the preview lacks."""
    if preview.remedy == DECLARE_NAMESPACE:
        return (one.address.kind, one.address.name) == ("Namespace", address.namespace)
    spec = map_or_empty(one.manifest.get("spec"))
    kind = map_or_empty(spec.get("names")).get("kind")
    return one.address.kind == "CustomResourceDefinition" and (spec.get("group"), kind) == (address.group, address.kind)


def _is_part(session: Session) -> bool:
    return bool(session.request.scopes) and not session.request.plain


def _everything(session: Session) -> Sequence[Resource]:
    """What all scopes declare together."""
    found = load_desired(replace(session.request, scopes=()), session.store.fingerprinter()).resources
    REDACTOR.publish([str(one.address) for one in found])
    return found
