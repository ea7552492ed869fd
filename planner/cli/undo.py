"""`hwplan undo RUN`: the plan that takes back what a run did; with --confirm, done (spec 05)."""

from __future__ import annotations

import click

from planner.app.request import Request
from planner.cli.apply import applying
from planner.cli.options import approved, common
from planner.cli.output import page


@click.command()
@click.argument("run", type=click.IntRange(min=1))
@approved
@applying
@common
def undo(request: Request, run: int, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: object) -> int:
    """Plan the reverse of RUN from what the state keeps. The configuration stays as it is."""
    from planner.app.kept import keep
    from planner.app.run import apply_made
    from planner.app.undo import undoing
    from planner.cli.pages import plan_page, run_page
    from planner.cli.words import run_options

    options = run_options(request, **how)  # type: ignore[arg-type]  # click has checked them
    with undoing(request, run) as (made, session):
        if not confirm or dry_run:
            keep(session.request, made.plan)
            page(plan_page(made, request, "json" if as_json else "text", verb=f"undo {run}"), exact=as_json)
            return 0
        report = apply_made(made, session, options, approved=plan_id)
    return run_page(report, session.request, as_json)
