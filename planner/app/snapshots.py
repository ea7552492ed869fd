"""Saving a live cluster, and what other systems look like, for plans without credentials."""

from __future__ import annotations

from pathlib import Path

from planner.address import is_own_kind
from planner.app.make import inputs_of
from planner.app.recorded import records_path, write_records
from planner.app.request import Request
from planner.app.session import Session, opened
from planner.snapshot import KindPlace
from providers.kubernetes.cluster import Place
from providers.kubernetes.placing import served


def save_snapshot(request: Request, target: Path) -> str:
    """Save every object of the kinds and namespaces that the selection touches; Secrets as fingerprints only."""
    from providers.kubernetes.snapshot.creating import save

    with opened(request) as session:
        cluster, stack = session.world.cluster, session.stack
        applied = session.store.snapshot(stack.owned).places()
        wanted = {KindPlace("", one.api_version, one.address.kind, one.address.namespace) for one in stack.resources}
        places = set()
        for place in wanted | applied:
            if kind := served(cluster, place.api_version, place.kind):
                namespace = place.namespace or request.namespace
                places.add(Place(kind, namespace if kind.namespaced else ""))
        count = save(cluster, target, session.store.fingerprinter(), sorted(places))
        others = _save_others(session, target)
    beside = f"; {others} resources of other systems beside it" if others else ""
    return f"{target}: {count} objects of {len(places)} kinds and namespaces, Secrets as fingerprints{beside}"


def _save_others(session: Session, target: Path) -> int:
    """Record what git, registries and the rest look like for the selection; how many resources."""
    if not any(is_own_kind(one.api_version) for one in session.stack.resources):
        return 0
    inputs = inputs_of(session).inputs
    others = [one for one in inputs.resources.values() if is_own_kind(one.api_version)]
    write_records(records_path(target), others, inputs.observations, inputs.previews)
    return len(others)
