"""`hwplan validate`: everything that can be checked without a network, every problem at once. Exit 0 or 1."""

from __future__ import annotations

import click

from planner.app.request import Request
from planner.cli.options import selecting
from planner.cli.output import page


@click.command()
@selecting
def validate(request: Request) -> None:
    """Check configuration, templates, references, cycles and policies; no network."""
    from planner.app.check import validate as check

    page(check(request))
