"""Writing to the terminal: pages to stdout, errors to stderr. Everything from outside was made safe by its renderer."""

from __future__ import annotations

import os
import shutil
import sys

import click

from planner.errors import ConfigError, HwplanError
from planner.render.text_safe import safe


def colour() -> bool:
    """Whether stdout wants colour: a terminal, and no NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def width() -> int:
    """Columns of the terminal, COLUMNS first; 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def page(text: str) -> None:
    """Write a rendered page, with exactly one newline at its end."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def show_error(error: HwplanError) -> None:
    """Write what is wrong, where, and what to do; all problems of a configuration at once."""
    if isinstance(error, ConfigError):
        from planner.loading.problems import render_problems

        click.echo(render_problems(error.problems).rstrip("\n"), err=True)
        return
    where = f"{safe(error.where)}: " if error.where else ""
    click.echo(f"error: {where}{safe(error.message)}", err=True)
    if error.remedy:
        click.echo(f"  {safe(error.remedy)}", err=True)
