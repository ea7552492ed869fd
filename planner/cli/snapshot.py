"""`hwplan snapshot`: save live objects, Secrets as fingerprints only, for plans without credentials."""

from __future__ import annotations

from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.common_options import selection_options
from planner.cli.terminal_output import print_page


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@selection_options
def snapshot(request: Request, target: Path) -> None:
    """Save what lives where the selection says into TARGET (a folder, or a .json file). Never overwrites a folder."""
    from planner.app.save_snapshot import save_snapshot

    print_page(save_snapshot(request, target))
