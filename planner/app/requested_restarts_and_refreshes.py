"""Restarts and refreshes that a command asks for: resources of no configuration, planned like all others.

Each is due each time, is bound to the object that the plan saw, and is waited for (decision A3, spec 02 S26).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from planner.address import Address, address_of_document
from planner.app.lane.cluster_evidence import ClusterEvidenceReader, runtime_workloads_of_lane
from planner.app.lane.lane_parts import WORKLOADS, LaneParts, lane_parts
from planner.app.session import Session
from planner.errors import SelectionError
from planner.graph.resource_graph import matching_addresses
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from providers.kubernetes.operations.argo_refresh import HARD
from providers.kubernetes.operations.restart_due import ON_DEMAND

_API = "hwplan.dev/v1"
_PREFIX = "on-demand"
_COMMAND = SourceRef("the command line")


def is_requested_by_command(resource: Resource) -> bool:
    """Whether a resource is a restart or refresh that a command asked for."""
    return resource.source == _COMMAND


def with_requested_restarts(session: Session, patterns: Sequence[str]) -> tuple[Resource, ...]:
    """The resources of the session, and a restart of each workload that fits one of `patterns` (globs of addresses).

    Without patterns those of role `runtime`, and what the Applications manage; of plain manifests all. Raises
    SelectionError where that is nothing, or in several lanes.
    """
    _check_one_lane(session)
    found = _workloads(session, everything=bool(patterns or session.request.plain))
    chosen = _chosen(sorted(set(found)), patterns, "workload to restart")
    return (*session.stack.resources, *(_restart(one, session.stack.resources) for one in chosen))


def with_requested_argo_refreshes(session: Session, patterns: Sequence[str]) -> tuple[Resource, ...]:
    """The resources of the session, and a hard refresh of each Argo CD Application. Raises SelectionError as
    with_requested_restarts does."""
    _check_one_lane(session)
    names = lane_parts(session.stack.resources).applications
    found = [Address("", "Application", "argoproj.io", namespace, name) for namespace, name in names]
    return (*session.stack.resources, *map(_refresh, _chosen(found, patterns, "Application to refresh")))


def _check_one_lane(session: Session) -> None:
    if len(session.stack.lanes) > 1:
        listed = ", ".join(session.stack.lanes)
        raise SelectionError(f"this is for one lane, and these are selected: {listed}", remedy="--lane LANE")


def _chosen(found: Sequence[Address], patterns: Sequence[str], what: str) -> list[Address]:
    chosen = [one for one in found if not patterns or any(one.matches(pattern) for pattern in patterns)]
    if not chosen:
        listed = ", ".join(one.local for one in found) or "none"
        where = f"--target {', '.join(patterns)}" if patterns else ""
        raise SelectionError(f"there is no {what}; known: {listed}", where=where, remedy="hwplan status --full")
    matching_addresses(patterns, found)  # each of them has to mean something
    return chosen


def _restart(workload: Address, declared: Iterable[Resource]) -> Resource:
    scope = next((one.scope for one in declared if one.address.local == workload.local), "")
    spec: JsonObject = {"target": workload.local, "when": ON_DEMAND}
    return _made("Restart", f"{workload.kind}-{workload.name}", spec, scope)


def _refresh(application: Address) -> Resource:
    spec: JsonObject = {"application": application.name, "namespace": application.namespace, "refresh": HARD}
    return _made("ArgoSync", application.name, spec, "")


def _workloads(session: Session, *, everything: bool) -> Iterator[Address]:
    subjects = lane_parts(session.stack.resources)
    declared = _declared(session.stack.resources) if everything else ()
    yield from declared
    yield from _live(session, subjects)


def _declared(resources: Iterable[Resource]) -> Iterator[Address]:
    for one in resources:
        address = one.address
        if address.group == "apps" and address.kind in WORKLOADS:
            yield Address("", address.kind, address.group, address.namespace, address.name)


def _live(session: Session, subjects: LaneParts) -> Iterator[Address]:
    """Of role `runtime`, and those that Applications manage. Raises SelectionError where that cannot be determined."""
    reader = ClusterEvidenceReader(session.world.cluster, subjects, session.world.clock.now)
    applications = reader.applications()
    for name, (reading, _) in applications.items():
        if not reading.readable:
            raise SelectionError(f"what {name} manages cannot be read: {reading.problem}", where=reading.source)
    managed = [live for _, live in applications.values() if live]
    for kind, namespace, name in runtime_workloads_of_lane(subjects, managed):
        yield Address("", kind, "apps", namespace, name)


def _made(kind: str, name: str, spec: JsonObject, scope: str) -> Resource:
    document: JsonObject = {
        "apiVersion": _API,
        "kind": kind,
        "metadata": {"name": f"{_PREFIX}-{name}".lower(), "annotations": {}},
        "spec": spec,
    }
    return Resource(address_of_document(document), _API, document, "", scope, _COMMAND)
