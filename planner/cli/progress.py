"""Progress of a run on stderr: a live tree on a terminal, a line per event otherwise, nothing when quiet."""

from __future__ import annotations

from planner.app.request import Request
from planner.events import Observer


def observer(request: Request) -> Observer | None:
    """The observer of a run, or None when the user wants quiet."""
    if request.quiet:
        return None
    from planner.render.progress import progress

    return progress()
