"""Saving a live cluster, and what other systems look like, for plans without credentials."""

from __future__ import annotations

from pathlib import Path

from planner.address import is_hwplan_kind
from planner.app.plan_with_inputs import gather_plan_inputs
from planner.app.request import Request
from planner.app.session import Session, open_session
from planner.app.snapshot_records import snapshot_records_of_external_systems, snapshot_records_of_secret_fingerprints
from planner.applied_state import KindInNamespace
from planner.values import JsonObject
from providers.cluster_interface import KubernetesListScope
from providers.kubernetes.object_location import served_kind


def save_snapshot(request: Request, target: Path) -> str:
    """Save every object of the kinds and namespaces that the selection touches; Secrets as fingerprints only."""
    from providers.kubernetes.snapshot.create_cluster_snapshot import save_cluster_objects

    with open_session(request) as session:
        places, (systems, others) = _places(session), _systems(session)
        fingerprinter = session.store.fingerprinter()
        count = save_cluster_objects(session.world.cluster, target, fingerprinter, places, systems=systems)
    more = f", {others} resources of other systems" if others else ""
    return f"{target}: {count} objects of {len(places)} kinds and namespaces, Secrets as fingerprints{more}"


def _places(session: Session) -> list[KubernetesListScope]:
    """Where the declared objects are, and those that were applied before: a plan against the snapshot prunes too."""
    stack, request = session.stack, session.request
    applied = session.store.snapshot(stack.owned).places()
    wanted = {KindInNamespace("", one.api_version, one.address.kind, one.address.namespace) for one in stack.resources}
    places = set()
    for place in wanted | applied:
        if kind := served_kind(session.world.cluster, place.api_version, place.kind):
            places.add(KubernetesListScope(kind, (place.namespace or request.namespace) if kind.namespaced else ""))
    return sorted(places)


def _systems(session: Session) -> tuple[JsonObject, int]:
    """What git, registries, the sources of secrets and the rest look like for the selection; of how many resources."""
    stack = session.stack
    # Values of plain manifests may come from a pipe: nothing is retained that could be guessed by.
    inline = {} if session.request.plain else stack.vault
    secrets = snapshot_records_of_secret_fingerprints(stack.fingerprints, inline, session.store.fingerprinter())
    if not any(is_hwplan_kind(one.api_version) for one in stack.resources):
        return snapshot_records_of_external_systems((), {}, {}, secrets), 0
    inputs = gather_plan_inputs(session).inputs
    others = [one for one in inputs.resources.values() if is_hwplan_kind(one.api_version)]
    return snapshot_records_of_external_systems(others, inputs.observations, inputs.previews, secrets), len(others)
