"""`hwplan show`: a saved plan in any format."""

from __future__ import annotations

from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.options import common
from planner.cli.output import page
from planner.cli.plan import FORMATS


@click.command()
@click.argument("planfile", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to show it.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@common
def show(request: Request, planfile: Path, form: str, as_json: bool) -> None:
    """Render the plan in PLANFILE. Refuses (exit 3) a file that is not byte for byte what was saved."""
    from planner.app.saved import read
    from planner.cli.pages import saved_page

    form = "json" if as_json else form
    page(saved_page(read(planfile), request, form, file=planfile), exact=form == "json")
