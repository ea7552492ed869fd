"""Every case of the two tables of rules: the edges that it gives, in whichever order its documents come."""

from __future__ import annotations

import pytest

from planner.graph import build_graph
from tests.unit.graph.stacks import edge_lines, resources
from tests.unit.graph.test_kind_rules import CASES as KIND_CASES
from tests.unit.graph.test_rules import CASES as CORE_CASES

CASES = {**CORE_CASES, **KIND_CASES}


def test_no_case_hides_another() -> None:
    assert len(CASES) == len(CORE_CASES) + len(KIND_CASES)


@pytest.mark.parametrize("name", CASES)
def test_edges(name: str) -> None:
    text, expected = CASES[name]
    assert edge_lines(build_graph(resources(text)).edges) == sorted(expected)


@pytest.mark.parametrize("name", CASES)
def test_edges_do_not_depend_on_the_order_of_the_input(name: str) -> None:
    stack = resources(CASES[name][0])
    forth, back = build_graph(stack), build_graph(stack[::-1])
    assert forth.order() == back.order()
    assert forth.edges == back.edges
