"""`hwplan graph`, `hwplan why` and `hwplan impact`: the edges, each with the rule and the field that it came from, and
what follows them. No network."""

from __future__ import annotations

import click

from planner.app.request import Request
from planner.cli.options import complete, selection_options
from planner.cli.output_formats import forms
from planner.cli.terminal_output import page_as, print_page

FORMATS = ("text", "mermaid", "dot", "svg", "json")


@click.command()
@selection_options
@forms(*FORMATS)
def graph(request: Request, form: str) -> None:
    """Show the resource graph."""
    from planner.app.graphs import graph_of
    from planner.cli.show_pages import show_graph

    print_page(show_graph(graph_of(request), form))


@click.command()
@click.argument("address", shell_complete=complete("addresses"))
@click.argument("other", required=False, shell_complete=complete("addresses"))
@selection_options
@forms("text", "json", "yaml")
def why(request: Request, address: str, other: str | None, form: str) -> None:
    """Explain why ADDRESS stands where it stands, or how it comes to need OTHER.

    An address is KIND[.GROUP]/[NAMESPACE/]NAME, and may be a glob that fits one resource: `Deployment.apps/*/web`.
    """
    from planner.app.graphs import explain, explained

    if form == "text":
        print_page(explain(request, address, other))
    else:
        page_as(form, explained(request, address, other))


@click.command()
@click.argument("address", shell_complete=complete("addresses"))
@selection_options
@forms("text", "json", "yaml")
def impact(request: Request, address: str, form: str) -> None:
    """Show what a change of ADDRESS would reach: readers, pods that restart, runs, and everything applied after it.

    Nothing is asked and nothing is planned: it follows from what is declared. An address is
    KIND[.GROUP]/[NAMESPACE/]NAME, and may be a glob that fits one resource: `ConfigMap/*/settings`.
    """
    from planner.app.graphs import find_impact
    from planner.render.impact_text import impact_document, render_impact

    found, whole = find_impact(request, address)
    if form == "text":
        print_page(render_impact(found, whole))
    else:
        page_as(form, impact_document(found))
