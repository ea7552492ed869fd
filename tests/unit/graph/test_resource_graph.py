"""The graph itself: order, cycles, selection and explanations, with networkx as the oracle."""

from __future__ import annotations

import random
from itertools import pairwise

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.address import Address
from planner.errors import GraphError, SelectionError
from planner.graph import Edge, ResourceGraph, graph_of_edges, paths_to_address, reduced_edges


def node(number: int) -> Address:
    return Address("", "ConfigMap", "", "n", f"c{number:03d}")


def graph_of(*pairs: tuple[int, int], nodes: int = 0) -> ResourceGraph:
    numbers = {number for pair in pairs for number in pair} | set(range(nodes))
    return graph_of_edges(map(node, numbers), [Edge(node(a), node(b), "rule", f"f{a}") for a, b in pairs])


@st.composite
def acyclic(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Edges along a random order of up to twelve nodes."""
    order = draw(st.permutations(range(12)))
    pairs = [(order[a], order[b]) for a in range(12) for b in range(a + 1, 12)]
    return draw(st.lists(st.sampled_from(pairs), max_size=30, unique=True))


def oracle(pairs: list[tuple[int, int]]) -> networkx.DiGraph[Address]:
    found: networkx.DiGraph[Address] = networkx.DiGraph()
    found.add_nodes_from(map(node, range(12)))
    found.add_edges_from((node(a), node(b)) for a, b in pairs)
    return found


@given(acyclic())
@settings(deadline=None)
def test_order_is_the_lexicographic_topological_one(pairs: list[tuple[int, int]]) -> None:
    expected = networkx.lexicographical_topological_sort(oracle(pairs), key=str)
    assert list(graph_of(*pairs, nodes=12).order()) == list(expected)


@given(acyclic(), st.randoms(use_true_random=False))
def test_order_and_edges_do_not_depend_on_the_input(pairs: list[tuple[int, int]], chance: random.Random) -> None:
    shuffled = pairs[:]
    chance.shuffle(shuffled)
    assert graph_of(*pairs, nodes=12) == graph_of(*shuffled, nodes=12)


@given(acyclic())
def test_reduction_is_the_transitive_one(pairs: list[tuple[int, int]]) -> None:
    retained = {(edge.before, edge.after) for edge in reduced_edges(graph_of(*pairs, nodes=12))}
    assert retained == set(networkx.transitive_reduction(oracle(pairs)).edges)


@given(acyclic(), st.integers(0, 11))
def test_upstream_and_downstream_are_ancestors_and_descendants(pairs: list[tuple[int, int]], number: int) -> None:
    graph, known = graph_of(*pairs, nodes=12), oracle(pairs)
    assert graph.upstream([node(number)]) == networkx.ancestors(known, node(number)) | {node(number)}
    assert graph.downstream([node(number)]) == networkx.descendants(known, node(number)) | {node(number)}


@given(acyclic(), st.integers(0, 11), st.integers(0, 11))
@settings(deadline=None)
def test_ways_between_two_are_all_simple_paths(pairs: list[tuple[int, int]], one: int, other: int) -> None:
    known = oracle(pairs)
    start, end = (one, other) if networkx.has_path(known, node(one), node(other)) else (other, one)
    expected = {tuple(path) for path in networkx.all_simple_paths(known, node(start), node(end)) if len(path) > 1}
    ways = paths_to_address(graph_of(*pairs, nodes=12), node(one), node(other))
    found = {(way[0].before, *(edge.after for edge in way)) for way in ways}
    assert found == expected if len(expected) <= 20 else found <= expected and len(found) == 20
    assert [len(way) for way in ways] == sorted(len(way) for way in ways)


@given(acyclic())
def test_reversed_order_is_an_order_of_taking_away(pairs: list[tuple[int, int]]) -> None:
    position = {address: at for at, address in enumerate(graph_of(*pairs, nodes=12).reverse().order())}
    assert all(position[node(b)] < position[node(a)] for a, b in pairs)


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda p: p[0] != p[1]), unique=True, max_size=20)
)
def test_a_cycle_is_refused_and_the_one_that_is_named_exists(pairs: list[tuple[int, int]]) -> None:
    acyclic_ = networkx.is_directed_acyclic_graph(oracle(pairs))
    try:
        graph_of(*pairs)
    except GraphError as error:
        assert not acyclic_
        steps = [part.split(" ")[0] for part in error.message.removeprefix("a cycle: ").split(" -> ")]
        assert steps[0] == steps[-1] == min(steps)
        assert all(oracle(pairs).has_edge(Address.parse(a), Address.parse(b)) for a, b in pairwise(steps))
    else:
        assert acyclic_


def test_the_error_of_a_cycle_names_the_field_of_each_edge() -> None:
    edges = [
        Edge(node(1), node(2), "volume", "spec.volumes[0].name"),
        Edge(node(2), node(3), "ref", "data.x"),
        Edge(node(3), node(1), "depends-on", "metadata.annotations[hwplan.dev/depends-on]"),
        Edge(node(3), node(4), "ref", "data.y"),
        Edge(node(0), node(1), "ref", "data.z"),
    ]
    with pytest.raises(GraphError) as caught:
        graph_of_edges(map(node, range(5)), edges)
    assert caught.value.message == (
        "a cycle: ConfigMap/n/c001"
        " -> ConfigMap/n/c002 (volume: spec.volumes[0].name)"
        " -> ConfigMap/n/c003 (ref: data.x)"
        " -> ConfigMap/n/c001 (depends-on: metadata.annotations[hwplan.dev/depends-on])"
    )


def test_why_alone_is_the_longest_chain_through_each_dependency() -> None:
    graph = graph_of((0, 1), (1, 3), (2, 3), (0, 3))
    ways = [[edge.before.name for edge in way] for way in paths_to_address(graph, node(3))]
    assert ways == [["c000", "c001"], ["c000"], ["c002"]]
    assert paths_to_address(graph, node(0)) == ()


def test_why_of_something_unknown_names_the_closest() -> None:
    with pytest.raises(GraphError, match="ConfigMap/n/c00 is not in the graph") as caught:
        paths_to_address(graph_of((0, 1)), Address("", "ConfigMap", "", "n", "c00"))
    assert caught.value.remedy == "did you mean ConfigMap/n/c001?" or caught.value.remedy.endswith("c000?")


def test_why_of_a_very_deep_graph_does_not_recurse() -> None:
    chain = graph_of(*((number, number + 1) for number in range(999)))
    assert len(paths_to_address(chain, node(999), node(0))[0]) == 999
    assert len(paths_to_address(chain, node(999))[0]) == 999


def test_targets_pull_in_what_they_depend_on() -> None:
    graph = graph_of((0, 1), (1, 2), (3, 4))
    assert graph.select(["ConfigMap/n/c001"]) == {node(0), node(1)}
    assert graph.select(["*c001"], with_dependencies=False) == {node(1)}
    assert graph.subset(graph.select(["*/c002"])).order() == (node(0), node(1), node(2))
    with pytest.raises(SelectionError, match="--target ConfigMap/n/c1 selects nothing") as caught:
        graph.select(["ConfigMap/n/c1"])
    assert "did you mean ConfigMap/n/c" in caught.value.remedy


def test_needs_are_direct_and_named_once() -> None:
    edges = [
        Edge(node(0), node(1), "env", "a"),
        Edge(node(0), node(1), "volume", "b"),
        Edge(node(0), node(1), "env", "a"),
    ]
    graph = graph_of_edges(map(node, range(2)), edges)
    assert len(graph.edges) == 2
    assert graph.needs(node(1)) == (node(0),)
    assert graph.needed_by(node(0)) == (node(1),)
    assert graph.needs(node(0)) == ()


def test_a_large_graph_is_ordered_in_a_time_that_grows_with_its_size() -> None:
    """Counted in steps, not seconds: the order of 20,000 nodes and 60,000 edges in one pass over each."""
    chance = random.Random(7)
    pairs = {(chance.randrange(number), number) for number in range(1, 20_000) for _ in range(3)}
    addresses = [Address("", "ConfigMap", "", "n", f"{number:06d}") for number in range(20_000)]
    graph = graph_of_edges(addresses, [Edge(addresses[a], addresses[b], "r", "f") for a, b in pairs])
    position = {address: at for at, address in enumerate(graph.order())}
    assert all(position[addresses[a]] < position[addresses[b]] for a, b in pairs)
