"""`hwplan graph`, `hwplan why` and `hwplan impact`: the edges, each with the rule and the field that it came from, and
what follows them. No network."""

from __future__ import annotations

import click

from planner.app.request import Request
from planner.cli.common_options import option_completer, selection_options
from planner.cli.output_formats import format_options
from planner.cli.terminal_output import print_document, print_page

FORMATS = ("text", "mermaid", "dot", "svg", "json")


@click.command()
@selection_options
@format_options(*FORMATS)
def graph(request: Request, form: str) -> None:
    """Show the resource graph."""
    from planner.app.selection_graph import load_selection_graph
    from planner.cli.print_pages import print_graph

    print_page(print_graph(load_selection_graph(request), form))


@click.command()
@click.argument("address", shell_complete=option_completer("addresses"))
@click.argument("other", required=False, shell_complete=option_completer("addresses"))
@selection_options
@format_options("text", "json", "yaml")
def why(request: Request, address: str, other: str | None, form: str) -> None:
    """Explain why ADDRESS stands where it stands, or how it comes to need OTHER.

    An address is KIND[.GROUP]/[NAMESPACE/]NAME, and may be a glob that fits one resource: `Deployment.apps/*/web`.
    """
    from planner.app.selection_graph import explain_order, explain_order_document

    if form == "text":
        print_page(explain_order(request, address, other))
    else:
        print_document(form, explain_order_document(request, address, other))


@click.command()
@click.argument("address", shell_complete=option_completer("addresses"))
@selection_options
@format_options("text", "json", "yaml")
def impact(request: Request, address: str, form: str) -> None:
    """Show what a change of ADDRESS would reach: readers, pods that restart, runs, and everything applied after it.

    Nothing is asked and nothing is planned: it follows from what is declared. An address is
    KIND[.GROUP]/[NAMESPACE/]NAME, and may be a glob that fits one resource: `ConfigMap/*/settings`.
    """
    from planner.app.selection_graph import find_change_impact
    from planner.render.impact_text import impact_document, render_impact

    found, whole = find_change_impact(request, address)
    if form == "text":
        print_page(render_impact(found, whole))
    else:
        print_document(form, impact_document(found))
