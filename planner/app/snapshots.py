"""Saving a live cluster for plans without credentials."""

from __future__ import annotations

from pathlib import Path

from planner.app.request import Request
from planner.app.session import opened
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
    return f"{target}: {count} objects of {len(places)} kinds and namespaces, Secrets as fingerprints"
