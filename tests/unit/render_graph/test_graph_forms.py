"""Graphs in every form: readable, deterministic, complete where it counts, and inert whatever the names are."""

from __future__ import annotations

import json
import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from planner.errors import SelectionError
from planner.graph import Edge, graph_of_edges, reduced_edges
from planner.render.graph_formats import FORMS, render_graph_as
from planner.render.graph_layout import NODE_HEIGHT, NODE_WIDTH, layout_graph
from tests.unit.render_graph.samples import APP, HOSTILE, address, hostile, hostile_labels, stack, tiny

_SVG = "{http://www.w3.org/2000/svg}"
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\ufeff\ud800\uffff]")


# All forms


@pytest.mark.parametrize("form", FORMS)
def test_nothing_depends_on_the_order_of_the_input(form: str) -> None:
    graph = stack(12)
    turned = graph_of_edges(reversed(graph.nodes), reversed(graph.edges))
    assert render_graph_as(turned, form) == render_graph_as(graph, form)


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_graph_and_a_single_node_have_every_form(form: str) -> None:
    assert render_graph_as(graph_of_edges((), ()), form)
    assert "api" in render_graph_as(graph_of_edges((address(APP),), ()), form)


@pytest.mark.parametrize("form", FORMS)
def test_labels_are_shown(form: str) -> None:
    assert "recreate-me" in render_graph_as(tiny(), form, {address(APP): "recreate-me"})


@pytest.mark.parametrize("form", FORMS)
def test_no_name_brings_a_character_that_a_terminal_obeys(form: str) -> None:
    assert not _OBEYED.search(render_graph_as(hostile(), form, hostile_labels()))


def test_an_unknown_form_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SelectionError) as caught:
        render_graph_as(tiny(), "png")
    assert "mermaid" in caught.value.remedy


# Text


def test_text_groups_by_namespace_and_numbers_what_comes_before() -> None:
    assert render_graph_as(tiny(), "text").splitlines() == [
        "3 resources, 2 dependencies, 1 more implied by these",
        "",
        "D601/v03 · no namespace",
        "   1  Namespace/shop",
        "",
        "D601/v03 · shop",
        "   2  ServiceAccount/shop/api                       after 1",
        "   3  Deployment.apps/shop/api                      after 2",
        "",
        "which field says so:  hwplan why ADDRESS",
    ]


def test_text_fits_80_columns_and_names_every_dependency() -> None:
    names = [f"ConfigMap/team/a-rather-long-name-of-a-config-map-{number}" for number in range(60)]
    last = address("Deployment.apps/team/one-that-needs-every-single-one-of-them")
    nodes = [address(name) for name in names]
    graph = graph_of_edges([*nodes, last], [Edge(node, last, "volume", "spec.volumes") for node in nodes])
    text = render_graph_as(graph, "text")
    assert max(map(len, text.splitlines())) <= 80
    reported = re.search(r"after ([\d, \n]+)\n", text)
    assert reported and [int(number) for number in re.findall(r"\d+", reported[1])] == list(range(1, 61))


def test_text_keeps_hostile_names_on_their_line() -> None:
    text = render_graph_as(hostile(), "text", hostile_labels())
    assert sum(bool(re.match(r" +\d+  ", line)) for line in text.splitlines()) == len(HOSTILE)
    assert not any(line.lstrip().startswith(("::", "end")) for line in text.splitlines())


# Mermaid


def test_mermaid_has_a_subgraph_per_namespace_and_dots_what_was_written_for_us() -> None:
    assert render_graph_as(tiny(), "mermaid").splitlines() == [
        "flowchart LR",
        '  subgraph g1["D601/v03 · no namespace"]',
        '    n1["Namespace<br/>shop"]',
        "  end",
        '  subgraph g2["D601/v03 · shop"]',
        '    n2["ServiceAccount<br/>api"]',
        '    n3["Deployment.apps<br/>api"]',
        "  end",
        "  n1 --> n2",
        "  n2 -.-> n3",
    ]


def test_mermaid_lines_have_only_our_own_syntax() -> None:
    label = r'"(?:[\w ·./-]|#\d+;|<br/>)*"'
    ours = re.compile(
        rf"flowchart LR|  subgraph g\d+\[{label}\]|    n\d+\[{label}\]|  end|  n\d+ -\.?->? ?n\d+|  n\d+ --> n\d+"
    )
    lines = render_graph_as(hostile(), "mermaid", hostile_labels()).splitlines()
    assert [line for line in lines if not ours.fullmatch(line)] == []
    assert not any(re.search(r'(?:"|<br/>)[\d -]', line) for line in lines)  # would read as a Markdown list
    codes = {chr(int(code)) for code in re.findall(r"#(\d+);", "\n".join(lines))}
    assert all(code.isprintable() for code in codes)  # a code is drawn as its character


def test_mermaid_says_when_it_is_too_large_for_mermaid() -> None:
    assert "maxEdges" not in render_graph_as(stack(20), "mermaid")
    assert "maxEdges" in render_graph_as(stack(150), "mermaid").splitlines()[1]


# DOT


def test_dot_lines_have_only_our_own_syntax() -> None:
    quoted = r'"(?:[^"\\&]|\\\\|\\"|\\n|&amp;)*"'
    ours = re.compile(
        rf"  subgraph cluster_\d+ {{|    label={quoted}; style=rounded;|  }}|}}"
        rf"|    n\d+ \[label={quoted}, tooltip={quoted}\];|  n\d+ -> n\d+ \[tooltip={quoted}(, style=dashed)?\];"
    )
    head, *lines = render_graph_as(hostile(), "dot", hostile_labels()).splitlines()
    assert head == "digraph hwplan {"
    assert [line for line in lines[3:] if not ours.fullmatch(line)] == []


def test_dot_tells_rule_and_field_of_both_edges_in_one_arrow() -> None:
    lines = render_graph_as(tiny(), "dot").splitlines()
    arrow = next(line for line in lines if line.startswith("  n2 -> n3"))
    assert "service-account: spec.template.spec.serviceAccountName" in arrow
    assert "depends-on: metadata" in arrow and "style=dashed" in arrow
    assert sum(" -> " in line for line in lines) == 2


# JSON


def test_json_has_every_edge_and_says_which_are_implied() -> None:
    document = json.loads(render_graph_as(tiny(), "json"))
    assert document["schemaVersion"] == 1
    assert [node["address"] for node in document["nodes"]] == [
        "Namespace/shop",
        "ServiceAccount/shop/api",
        "Deployment.apps/shop/api",
    ]
    assert [(edge["rule"], edge["explicit"], edge["implied"]) for edge in document["edges"]] == [
        ("namespace", False, False),
        ("namespace", False, True),
        ("depends-on", True, False),
        ("service-account", False, False),
    ]


def test_json_keeps_hostile_names_as_they_are() -> None:
    text = render_graph_as(hostile(), "json")
    assert text.isascii()
    assert sorted(node["name"] for node in json.loads(text)["nodes"]) == sorted(HOSTILE)


def test_places_are_named_where_there_are_several() -> None:
    two = graph_of_edges([address("D601/v03:Namespace/a"), address("D602/v03:Namespace/a")], ())
    names = [node["address"] for node in json.loads(render_graph_as(two, "json"))["nodes"]]
    assert names == ["D601/v03:Namespace/a", "D602/v03:Namespace/a"]


# SVG


def test_svg_is_well_formed_self_contained_and_has_no_element_of_a_name() -> None:
    text = render_graph_as(hostile(), "svg", hostile_labels())
    root = ElementTree.fromstring(text)
    tags = {element.tag.removeprefix(_SVG) for element in root.iter()}
    assert tags == {"svg", "title", "style", "defs", "marker", "path", "rect", "g", "text"}
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name]
    assert text.count("http") == 1  # its namespace
    assert "prefers-color-scheme:dark" in text


def test_svg_tooltips_hold_what_labels_cut() -> None:
    name = "a-very-long-name-that-no-box-could-ever-hold-in-one-line"
    graph = graph_of_edges([address(f"ConfigMap/shop/{name}")], ())
    root = ElementTree.fromstring(render_graph_as(graph, "svg"))
    assert f"1. ConfigMap/shop/{name}" in [title.text for title in root.iter(f"{_SVG}title")]
    labels = [text.text or "" for text in root.iter(f"{_SVG}text")]
    assert any("…" in label for label in labels) and max(map(len, labels)) <= 40
    arrows = [title.text for title in ElementTree.fromstring(render_graph_as(tiny(), "svg")).iter(f"{_SVG}title")]
    assert "Namespace/shop -> ServiceAccount/shop/api\nnamespace: metadata.namespace" in arrows


def test_svg_draws_every_node_and_every_arrow_once() -> None:
    graph = stack(25)
    text = render_graph_as(graph, "svg")
    assert text.count('class="n"') == len(graph.order())
    assert text.count('class="s"') == len({(edge.before, edge.after) for edge in reduced_edges(graph)})


def test_layout_of_150_nodes_overlaps_nowhere_and_runs_from_left_to_right() -> None:
    graph = stack(28)
    arrows = list(dict.fromkeys((edge.before, edge.after) for edge in reduced_edges(graph)))
    layout = layout_graph(graph.order(), arrows)
    assert len(layout.corners) >= 145
    for (x, y), (other_x, other_y) in combinations(layout.corners.values(), 2):
        assert abs(x - other_x) >= NODE_WIDTH or abs(y - other_y) >= NODE_HEIGHT
    for route in layout.routes.values():
        assert all(one[0] < other[0] for one, other in pairwise(route))
    inside = [
        (x + NODE_WIDTH <= layout.width, 0 <= y <= layout.height - NODE_HEIGHT) for x, y in layout.corners.values()
    ]
    assert all(map(all, inside))
    assert layout.height < 3 * layout.width


def test_layout_leads_no_arrow_through_a_node() -> None:
    graph = stack(20)
    arrows = list(dict.fromkeys((edge.before, edge.after) for edge in reduced_edges(graph)))
    layout = layout_graph(graph.order(), arrows)
    for (before, after), route in layout.routes.items():
        for (x, y), (to_x, _) in pairwise(route):
            for node, (left, top) in layout.corners.items():
                passes = x <= left and left + NODE_WIDTH <= to_x and top < y < top + NODE_HEIGHT
                assert not passes or node in (before, after)
