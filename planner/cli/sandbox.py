"""`hwplan sandbox create|set|delete`: the simulated cluster of the quick start, and somebody else who changes it."""

from __future__ import annotations

from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.options import common, selecting
from planner.cli.output import page


@click.group()
def sandbox() -> None:
    """A simulated cluster in a folder that a person can read and edit."""


@sandbox.command()
@click.argument("directory", type=click.Path(path_type=Path))
@selecting
def create(request: Request, directory: Path) -> None:
    """Make a sandbox in DIRECTORY for the selected nodes and lanes. Never overwrites."""
    from planner.app.sandbox import create_sandbox

    page(create_sandbox(request, directory))


@sandbox.command("set")
@click.argument("directory", type=click.Path(exists=True, path_type=Path))
@click.argument("address")
@click.argument("assignments", nargs=-1, required=True, metavar="PATH=VALUE...")
@click.option("--manager", required=True, metavar="NAME", help="Who does it: the field manager to record.")
@common
def set_(request: Request, directory: Path, address: str, assignments: tuple[str, ...], manager: str) -> None:
    """Play somebody else: change fields of the live object ADDRESS.

    A PATH is written as plans show it, a VALUE as in YAML or JSON; null removes the field. Of a value of a Secret
    (plain text) only the fingerprint is kept.
    """
    from planner.app.sandbox import play

    page(play(request, directory, address, assignments, manager))


@sandbox.command()
@click.argument("directory", type=click.Path(exists=True, path_type=Path))
@click.argument("address")
@common
def delete(request: Request, directory: Path, address: str) -> None:
    """Play somebody else: delete the live object ADDRESS."""
    from planner.app.sandbox import delete_object

    page(delete_object(directory, address))
