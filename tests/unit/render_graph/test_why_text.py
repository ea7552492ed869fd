"""`hwplan why` as text: one line per edge, each with its rule and field."""

from __future__ import annotations

import pytest

from planner.errors import GraphError
from planner.graph import graph_of_edges
from planner.render.graph_why import render_order_explanation
from tests.unit.render_graph.samples import APP, address, hostile, stack, tiny


def test_the_longest_chain_behind_each_dependency_edge_by_edge() -> None:
    assert render_order_explanation(tiny(), address(APP), None).splitlines() == [
        "Deployment.apps/shop/api is number 3 of 3, because of 2 direct dependencies",
        "",
        "  Namespace/shop",
        "    -> ServiceAccount/shop/api   namespace: metadata.namespace",
        "    -> Deployment.apps/shop/api  depends-on: metadata.annotations[hwplan.dev/depends-on]",
        "",
        "  Namespace/shop",
        "    -> Deployment.apps/shop/api  namespace: metadata.namespace",
    ]


def test_something_that_needs_nothing_says_so_and_what_needs_it() -> None:
    text = render_order_explanation(tiny(), address("D601/v03:Namespace/shop"), None)
    assert text.splitlines() == [
        "Namespace/shop is number 1 of 3; nothing stands before it",
        "needed by ServiceAccount/shop/api, Deployment.apps/shop/api",
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_between_two_the_direction_is_told_whichever_is_asked_first(turned: bool) -> None:
    pair = (address(APP), address("D601/v03:Namespace/shop"))
    text = render_order_explanation(tiny(), *(pair[::-1] if turned else pair))
    assert text.startswith("Deployment.apps/shop/api comes after Namespace/shop: 2 ways\n")
    assert text.count("->") == 3


def test_two_that_have_nothing_to_do_with_each_other_and_one_with_itself() -> None:
    graph = graph_of_edges([address("Namespace/a"), address("Namespace/b")], ())
    one, other = graph.order()
    assert render_order_explanation(graph, one, other) == "Namespace/a and Namespace/b do not depend on each other"
    assert render_order_explanation(graph, one, one) == "Namespace/a is one and the same resource"


def test_many_dependents_are_counted() -> None:
    text = render_order_explanation(stack(10), address("RegistryImage/api"), None)
    needed = text.splitlines()[1]
    assert needed.startswith("needed by Deployment.apps/team-") and needed.endswith(" and 7 more")


def test_an_unknown_address_is_an_error() -> None:
    with pytest.raises(GraphError):
        render_order_explanation(tiny(), address("D601/v03:Secret/shop/none"), None)


def test_hostile_names_stay_on_their_line_and_are_obeyed_by_nobody() -> None:
    graph = hostile()
    text = render_order_explanation(graph, graph.order()[-1], None)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert text.count("\n    -> ") == len(text.splitlines()) - 3
