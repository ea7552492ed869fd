"""`hwplan explain` and `hwplan schema`: the documentation that the models carry."""

from __future__ import annotations

from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.common_options import common_options, option_completer
from planner.cli.output_formats import format_options
from planner.cli.terminal_output import print_document, print_json, print_page


@click.command()
@click.argument("what", metavar="[KIND[.field]]", required=False, shell_complete=option_completer("kinds"))
@common_options
@format_options("text", "json", "yaml")
def explain(request: Request, what: str | None, form: str) -> None:
    """Document a resource kind or one of its fields: `hwplan explain GitRef.spec.mode`. Alone it lists the kinds.

    What a product adds to lanes and nodes: `hwplan explain PRODUCT.Lane`.
    """
    from planner.app.product_defined_fields import load_product_field_models
    from planner.loading.kind_documentation import explain_kind as text_of
    from planner.loading.kind_documentation import json_schema_of_kind, summaries_of_kinds

    products = load_product_field_models(request, what)
    if form != "text":
        found = dict(summaries_of_kinds(products)) if what is None else json_schema_of_kind(what, products)
        print_document(
            form, {"schemaVersion": 1, **({"kinds": found} if what is None else {"kind": what, "schema": found})}
        )
    elif what is None:
        rows = summaries_of_kinds(products)
        wide = max(len(kind) for kind, _ in rows)
        print_page(
            "\n".join([*(f"{kind:<{wide}}  {text}" for kind, text in rows), "", "one of them: hwplan explain KIND"])
        )
    else:
        print_page(text_of(what, products))


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write one file per schema here.")
@common_options
def schema(request: Request, out: Path | None) -> None:
    """Write the JSON Schema of every configuration file and kind, for editors. Those of lanes are one per product."""
    import json

    from planner.app.product_defined_fields import load_product_field_models
    from planner.loading.json_schema import json_schemas

    found = json_schemas(load_product_field_models(request))
    if out is None:
        print_json(found, indent=2)
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, body in sorted(found.items()):
        (out / name).write_text(json.dumps(body, indent=2, sort_keys=True) + "\n")
    print_page(f"{len(found)} schemas in {out}")
