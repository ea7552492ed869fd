"""`hwplan apply`: without --confirm the plan and the command to paste; with it, exactly that plan (spec 05).

Exit codes: 0 done, 1 failed, 3 stale or refused, 4 pending, 5 locked.
"""

from __future__ import annotations

from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.options import selecting
from planner.cli.output import page


def applying(function: click.decorators.FC) -> click.decorators.FC:
    """The options of every verb that can write."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


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


@click.command()
@selecting
@click.argument("planfile", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--plan-id", metavar="ID", help="Refuse unless the plan made now is this one.")
@click.option("--resume", is_flag=True, help="Finish the last run that was interrupted.")
@applying
def apply(
    request: Request,
    planfile: Path | None,
    plan_id: str | None,
    resume: bool,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: object,
) -> int:
    """Make it so. Shows the plan; with --confirm locks, re-checks, applies node by node, waits, says what happened."""
    from planner.app.operations import apply_made, apply_saved, make_plan_for, resume_run
    from planner.cli.pages import plan_page, run_page
    from planner.cli.words import run_options

    options = run_options(request, **how)
    really = confirm and not dry_run
    if resume:
        return run_page(resume_run(request, options), request, as_json)
    if planfile is not None:
        if not really:
            from planner.cli.show import saved_page

            page(saved_page(planfile, "json" if as_json else "text"))
            return 0
        return run_page(apply_saved(request, planfile, options), request, as_json)
    with make_plan_for(request, keep_open=True) as made:
        if not really:
            page(plan_page(made, request, "json" if as_json else "text"))
            return 0
        if not as_json and not request.quiet:
            page(plan_page(made, request, "text", command=False))
        return run_page(apply_made(request, made, options, plan_id=plan_id), request, as_json)
