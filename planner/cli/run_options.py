"""Words of the command line to values: durations and the choices of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.duration import parse_duration

if TYPE_CHECKING:
    from planner.app.apply_plan import ApplyChoices

# A worker waits for the journal about as long as for the server, and meanwhile its connection is free for another.
_WORKERS_A_CONNECTION = 2


def parse_duration_option(text: str | None, option: str) -> float | None:
    """The seconds that the text of a duration option means. Raises click.UsageError for anything that is not a
    duration."""
    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from error


def make_run_choices(
    request: Request,
    *,
    on_error: str,
    wait: bool,
    timeout: str | None,
    lock_timeout: str,
    allow: tuple[str, ...],
    again: str = "",
) -> ApplyChoices:
    """Make the choices of an apply run from the options of its command, progress on stderr included. `again` is the
    verb that goes on with what is not over, where it is not `apply --resume`."""
    from planner.app.apply_plan import ApplyChoices
    from planner.executor import ErrorPolicy, ExecutionOptions, WaitPolicy
    from planner.planning.plan_guards import NAMES
    from planner.render.run_progress import progress_observer

    if unknown := sorted(set(allow) - set(NAMES)):
        raise click.UsageError(f"--allow: there is no guard {unknown[0]!r}; guards: {', '.join(NAMES)}")
    chosen = ExecutionOptions(
        parallelism=_WORKERS_A_CONNECTION * request.parallelism,
        wait=WaitPolicy.ALL if wait else WaitPolicy.NEEDED,
        timeout=parse_duration_option(timeout, "--timeout"),
        on_error=ErrorPolicy(on_error),
        crash_folder=Path(".hwplan") / "crashes" if request.debug else None,
    )
    options = replace(chosen, again=f"hwplan {again} --confirm") if again else chosen
    return ApplyChoices(
        options,
        allow,
        parse_duration_option(lock_timeout, "--lock-timeout") or 0.0,
        None if request.quiet else progress_observer,
    )
