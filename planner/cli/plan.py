"""`hwplan plan`: show what would change. Exit 0; with --detailed-exitcode 2 when there are changes (spec 05)."""

from __future__ import annotations

from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.options import selecting
from planner.cli.output import page

FORMATS = ("text", "json", "markdown", "html", "mermaid", "dot", "svg")


@click.command()
@selecting
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also save the plan to this file.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to show it.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.option("--detailed-exitcode", is_flag=True, help="2 when there are changes, 0 when there are none.")
@click.option("--refresh-only", is_flag=True, help="Only what drifted; propose nothing.")
def plan(
    request: Request, out: Path | None, form: str, as_json: bool, detailed_exitcode: bool, refresh_only: bool
) -> int:
    """Show what would change, in order, field by field, and why. Changes nothing."""
    from planner.app.kept import keep
    from planner.app.make import made
    from planner.cli.pages import drift_page, plan_page

    with made(request) as (one, _):
        keep(request, one.plan)
        if out is not None:
            from planner.app.saved import write

            write(one.plan, out)
        if refresh_only:
            page(drift_page(one.drift(), request, "json" if as_json else "text"))
            return 0
        page(plan_page(one, request, "json" if as_json else form, saved=out), exact=as_json or form == "json")
    return 2 if detailed_exitcode and not one.plan.is_empty else 0
