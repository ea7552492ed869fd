"""`hwplan init NAME`: a starter product, ready to be planned in a sandbox."""

from __future__ import annotations

import os
from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.common_options import common_options
from planner.cli.terminal_output import print_page


@click.command()
@click.argument("new", metavar="NAME")
@click.option("--node", default="local", show_default=True, metavar="NODE", help="Declared too where it is not there.")
@common_options
def init(request: Request, new: str, node: str) -> None:
    """Write the files of a starter product NAME: configuration, schema and one template, with one secret and one probe.

    They go to ./config and ./templates, or to --config DIR and the templates beside it. Never overwrites.
    """
    from planner.app.starter_product import make_new_product, starter_files, write_new_files

    product = make_new_product(locate_new_product_folder(), new, node, request.context)
    files = starter_files(product)
    write_new_files(files)
    lines = [
        *(f"wrote {file}" for file in files),
        "see it planned, without a cluster:",
        f"  hwplan sandbox create .sandbox {product.words}",
        f"  hwplan plan {product.words} --live .sandbox",
    ]
    print_page("\n".join(lines))


def locate_new_product_folder() -> Path:
    """Where a new product is written: never into the configuration that is shipped with the package."""
    given = click.get_current_context().params.get("config") or click.get_current_context().find_root().params["config"]
    return Path(given or os.environ.get("HWPLAN_CONFIG") or "config")
