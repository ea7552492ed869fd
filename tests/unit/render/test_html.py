"""The HTML report without a browser: nothing in it but our own elements, its policy, its facts, its size."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from itertools import pairwise

import pytest

from planner.address import Address
from planner.graph import Edge, graph_of_edges
from planner.plan import Action, FieldChange, FieldOp
from planner.render.html_view import MOST_DRAWN, make_html_report
from planner.render.plan_html import render_plan_html
from tests.unit.render.reading_html import Page
from tests.unit.render.sample_plans import SAMPLES, change, many, mixed, plan_of

POLICY = re.compile(r"default-src 'none'; style-src '(\S+)'; script-src '(\S+)'; base-uri 'none'; form-action 'none'; ")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_allows_the_one_style_and_the_one_script_and_nothing_else() -> None:
    page = Page(render_plan_html(mixed()))
    policy = next(known["content"] for tag, known in page.elements if "http-equiv" in known)
    match = POLICY.match(policy)
    assert match
    assert len(page.styles) == len(page.scripts) == 1
    assert match.groups() == (_digest(page.styles[0]), _digest(page.scripts[0]))


def test_nothing_is_asked_from_anywhere() -> None:
    page = Page(render_plan_html(mixed(), command="hwplan apply"))
    for _, known in page.elements:
        assert not {name for name in known if name.startswith("on") or name in ("src", "srcdoc", "style", "action")}
        assert known.get("href", "#").startswith("#")
    assert not re.search(r"url\((?!#)|@import|innerHTML|insertAdjacent|document\.write|eval\(", "".join(page.styles))
    assert not re.search(r"fetch\(|XMLHttp|innerHTML|insertAdjacent|document\.write|eval\(", "".join(page.scripts))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_same_plan_gives_the_same_page(name: str) -> None:
    assert render_plan_html(SAMPLES[name]) == render_plan_html(SAMPLES[name])


def test_edges_say_their_rule_and_field() -> None:
    space, child = Address.parse("Namespace/n"), Address.parse("ConfigMap/n/c")
    graph = graph_of_edges((space, child), (Edge(space, child, "namespace", "metadata.namespace"),))
    plan = plan_of(change("ConfigMap/n/c", Action.CREATE))
    report = make_html_report(plan, graph)
    entries = {entry.address: entry for _, members in report.groups for entry in members}
    assert entries["Namespace/n"].action == "unchanged"
    assert entries["ConfigMap/n/c"].needs[0].address == "Namespace/n"
    assert entries["ConfigMap/n/c"].needs[0].reasons == ("namespace: metadata.namespace",)
    assert [line.title for line in report.lines] == ["Namespace/n -> ConfigMap/n/c\nnamespace: metadata.namespace"]


def test_a_saved_plan_says_that_it_knows_only_the_order() -> None:
    assert "only the order" in make_html_report(mixed()).remark
    assert len(make_html_report(mixed()).lines) == 3


def test_a_text_is_shown_whole() -> None:
    text = "\n".join(f"line {at}" for at in range(300))
    plan = plan_of(change("ConfigMap/n/c", Action.CREATE, FieldChange(("data", "k"), FieldOp.ADD, None, text)))
    assert "+ line 299" in render_plan_html(plan)


def test_a_large_graph_is_drawn_around_what_changes() -> None:
    nodes = [Address.parse(f"ConfigMap/n/c{at:04d}") for at in range(MOST_DRAWN * 2)]
    graph = graph_of_edges(nodes, [Edge(one, other, "r", "f") for one, other in pairwise(nodes)])
    report = make_html_report(plan_of(change("ConfigMap/n/c0500", Action.CREATE)), graph)
    assert {node.name for node in report.nodes} == {"c0499", "c0500", "c0501"}
    assert report.remark.startswith(f"3 of {MOST_DRAWN * 2} resources are drawn")


def test_five_hundred_changes_take_seconds_at_most() -> None:
    began = time.monotonic()
    page = render_plan_html(many(250))
    assert time.monotonic() - began < 30
    assert len(page) < 4_000_000
