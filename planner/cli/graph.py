"""`hwplan graph` and `hwplan why`: the edges, each with the rule and the field that it came from. No network."""

from __future__ import annotations

import click

from planner.app.request import Request
from planner.cli.options import selecting
from planner.cli.output import page

FORMATS = ("text", "mermaid", "dot", "svg", "json")


@click.command()
@selecting
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to show it.")
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
def graph(request: Request, form: str, as_json: bool) -> None:
    """Show the resource graph."""
    from planner.app.graphs import graph_of
    from planner.cli.pages import graph_page

    page(graph_page(graph_of(request), "json" if as_json else form))


@click.command()
@click.argument("address")
@click.argument("other", required=False)
@selecting
def why(request: Request, address: str, other: str | None) -> None:
    """Explain why ADDRESS stands where it stands, or how it comes to need OTHER."""
    from planner.app.graphs import explain

    page(explain(request, address, other))
