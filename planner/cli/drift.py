"""`hwplan drift`: live against last applied, made for cron. Exit 0 clean, 2 drift, 1 error."""

from __future__ import annotations

import click

from planner.app.request import Request
from planner.cli.options import selecting
from planner.cli.output import page


@click.command()
@selecting
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to show it.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
def drift(request: Request, form: str, as_json: bool) -> int:
    """Show what changed since the last apply, who changed it and when; never aborts on a part that cannot be read."""
    from planner.app.drift import drift_of
    from planner.cli.pages import drift_page

    report = drift_of(request)
    page(drift_page(report, request, "json" if as_json else form))
    return report.exit_code
