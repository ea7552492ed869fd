"""`hwplan show`: a saved plan in any format."""

from __future__ import annotations

from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.common_options import common_options, fully
from planner.cli.output_formats import format_options
from planner.cli.plan import FORMATS
from planner.cli.terminal_output import print_page


@click.command("show")
@click.argument("planfile", type=click.Path(dir_okay=False, path_type=Path))
@format_options(*FORMATS)
@fully
@common_options
def show_plan_file(request: Request, planfile: Path, form: str) -> None:
    """Render the plan in PLANFILE. Refuses (exit 3) a file that is not byte for byte what was saved."""
    from planner.app.plan_files import read_plan_file
    from planner.cli.print_pages import print_saved_plan

    print_page(print_saved_plan(read_plan_file(planfile), request, form, file=planfile))
