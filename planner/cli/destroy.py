"""`hwplan destroy`: the plan to take away everything that is ours, in reverse order; with --confirm, done."""

from __future__ import annotations

import click

from planner.app.request import Request
from planner.cli.apply import applying
from planner.cli.options import selecting
from planner.cli.output import page


@click.command()
@selecting
@applying
def destroy(request: Request, confirm: bool, dry_run: bool, as_json: bool, **how: object) -> int:
    """Take away what is ours, in reverse order; protected and foreign objects stay."""
    from planner.app.make import make
    from planner.app.run import apply_made
    from planner.app.session import opened
    from planner.cli.pages import plan_page, run_page
    from planner.cli.words import run_options

    options = run_options(request, **how)  # type: ignore[arg-type]  # click has checked them
    with opened(request) as session:
        made = make(session, destroy=True)
        if not confirm or dry_run:
            page(plan_page(made, request, "json" if as_json else "text", verb="destroy"), exact=as_json)
            return 0
        report = apply_made(made, session, options)
    return run_page(report, request, as_json)
