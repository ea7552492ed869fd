"""`hwplan explain` and `hwplan schema`: the documentation that the models carry."""

from __future__ import annotations

from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.options import common
from planner.cli.output import page


@click.command()
@click.argument("what", metavar="KIND[.field]")
@common
def explain(request: Request, what: str) -> None:
    """Document a resource kind or one of its fields: `hwplan explain GitRef.spec.mode`."""
    from planner.loading.explain import explain as text_of

    page(text_of(what))


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write one file per schema here.")
@common
def schema(request: Request, out: Path | None) -> None:
    """Write the JSON Schema of every configuration file and kind, for editors."""
    import json

    from planner.loading.json_schema import schemas

    found = schemas()
    if out is None:
        page(json.dumps(found, indent=2, sort_keys=True))
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, body in sorted(found.items()):
        (out / name).write_text(json.dumps(body, indent=2, sort_keys=True) + "\n")
    page(f"{len(found)} schemas in {out}")
