"""`hwplan apply`: without --confirm the plan and the command to paste; with it, exactly that plan (spec 05).

Exit codes: 0 done, 1 failed, 3 stale or refused, 4 pending, 5 locked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from planner.app.request import Request, as_selected
from planner.cli.options import approved, selecting
from planner.cli.output import page

if TYPE_CHECKING:
    from planner.app.run import Report

_F = TypeVar("_F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--confirm", is_flag=True, help="Do it. Without this nothing is changed."),
    click.option("--dry-run", is_flag=True, help="Plan only, whatever else is given."),
    click.option("--on-error", type=click.Choice(["continue", "stop"]), default="continue", help="After a failure."),
    click.option("--wait/--no-wait", default=True, help="Wait until things are ready (default)."),
    click.option("--timeout", metavar="DURATION", help="Budget of the whole run: 90s, 5m, 1h."),
    click.option("--lock-timeout", metavar="DURATION", default="0s", help="How long to wait for another run to end."),
    click.option("--allow", multiple=True, metavar="GUARD", help="Accept the danger that this guard names."),
    click.option("--json", "as_json", is_flag=True, help="The result (or the plan) as JSON."),
)


def applying(function: _F) -> _F:
    """Add the options of every verb that can write."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@selecting
@click.argument("planfile", required=False, type=click.Path(dir_okay=False, path_type=Path))
@approved
@click.option("--resume", is_flag=True, help="Finish the last run that did not end well.")
@applying
def apply(
    request: Request,
    planfile: Path | None,
    plan_id: str,
    resume: bool,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: Any,
) -> int:
    """Make it so. Shows the plan; with --confirm locks, re-checks, applies node by node, waits, says what happened."""
    from planner.cli.words import run_options

    options = run_options(request, **how)
    form = "json" if as_json else "text"
    if not confirm or dry_run:
        _show(request, planfile, resume, form)
        return 0
    if resume:
        from planner.app.saved import resume_unfinished

        return _earlier(resume_unfinished(request, options), request, as_json)
    if planfile is not None:
        from planner.app.saved import apply_file

        return _earlier(apply_file(request, planfile, options, approved=plan_id), request, as_json)
    return _plan_and_apply(request, plan_id, options, as_json)


def _earlier(report: Report, request: Request, as_json: bool) -> int:
    """The page of a plan that was made earlier: what to run next needs its words, not those of this command."""
    from planner.cli.pages import run_page

    return run_page(report, as_selected(request, report.plan.selection), as_json)


def _show(request: Request, planfile: Path | None, resume: bool, form: str) -> None:
    from planner.cli.pages import plan_page, saved_page

    exact = form == "json"
    if resume:
        from planner.app.saved import unfinished

        page(saved_page(unfinished(request), request, form), exact=exact)
    elif planfile is not None:
        from planner.app.saved import read

        page(saved_page(read(planfile), request, form, file=planfile), exact=exact)
    else:
        from planner.app.kept import keep
        from planner.app.make import made

        with made(request) as (one, _):
            keep(request, one.plan)
            page(plan_page(one, request, form), exact=exact)


def _plan_and_apply(request: Request, plan_id: str, options: Any, as_json: bool) -> int:
    from planner.app.make import made
    from planner.app.run import apply_made
    from planner.cli.pages import plan_page, run_page

    straight = replace(request, dry_creates=bool(plan_id))
    with made(straight) as (one, session):
        if not as_json and not request.quiet:
            page(plan_page(one, request, "text", confirmed=True))
        report = apply_made(one, session, options, approved=plan_id)
    return run_page(report, request, as_json)
