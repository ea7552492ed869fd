"""Words of the command line to values: durations and the choices of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.duration import parse

if TYPE_CHECKING:
    from planner.app.run import How

# A worker waits for the journal about as long as for the server, and meanwhile its connection is free for another.
_WORKERS_A_CONNECTION = 2


def seconds(text: str | None, option: str) -> float | None:
    """Seconds of a duration option. Raises click.UsageError for anything that is not a duration."""
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from error


def run_options(
    request: Request,
    *,
    on_error: str,
    wait: bool,
    timeout: str | None,
    lock_timeout: str,
    allow: tuple[str, ...],
) -> How:
    """The choices of a run, progress on stderr included."""
    from planner.app.run import How
    from planner.executor import OnError, Options, Wait
    from planner.planning.guards import NAMES
    from planner.render.progress import progress

    if unknown := sorted(set(allow) - set(NAMES)):
        raise click.UsageError(f"--allow: there is no guard {unknown[0]!r}; guards: {', '.join(NAMES)}")
    options = Options(
        parallelism=_WORKERS_A_CONNECTION * request.parallelism,
        wait=Wait.ALL if wait else Wait.NEEDED,
        timeout=seconds(timeout, "--timeout"),
        on_error=OnError(on_error),
        crash_folder=Path(".hwplan") / "crashes" if request.debug else None,
    )
    return How(options, allow, seconds(lock_timeout, "--lock-timeout") or 0.0, None if request.quiet else progress)
