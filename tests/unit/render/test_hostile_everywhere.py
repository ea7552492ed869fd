"""Five hundred hostile strings in every field that comes from outside, through every form of a plan."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from ruamel.yaml import YAML

from planner.address import Address
from planner.cli.output_formats import as_yaml
from planner.events import ChangeApplied, ChangeBegan, ChangeEnded, ChangeResult, ChangeWaiting, Event
from planner.plan import Action, Plan
from planner.plan_document import plan_document
from planner.render.graph_formats import render_graph_as
from planner.render.plan_graph import graph_of_plan
from planner.render.plan_html import render_plan_html
from planner.render.plan_json import render_plan_json
from planner.render.plan_markdown import LIMIT, render_plan_markdown
from planner.render.plan_text import render_plan_text
from planner.render.run_progress import ProgressLines, ProgressTree
from planner.render.run_summary import render_run_summary
from planner.text_safe import safe_text
from tests.unit.render.hostile_strings import STRINGS
from tests.unit.render.reading_html import Page
from tests.unit.render.sample_plans import change, hostile, plan_of

BATCH = 25
BATCHES = [STRINGS[at : at + BATCH] for at in range(0, len(STRINGS), BATCH)]
CI_COMMANDS = re.compile(r"^\s*::|##\[|##vso\[|section_(start|end):", re.MULTILINE)


def test_there_are_five_hundred_of_them() -> None:
    assert len(set(STRINGS)) == 500


def plans(texts: tuple[str, ...]) -> Iterator[tuple[str, Plan]]:
    return ((text, hostile(text)) for text in texts)


@pytest.mark.parametrize("texts", BATCHES)
def test_text_is_inert_for_terminals_and_ci(texts: tuple[str, ...]) -> None:
    for text, plan in plans(texts):
        for page in (render_plan_text(plan, command=text, notes={plan.changes[0].address: text}), _progress(text)):
            assert all(char == "\n" or char.isprintable() for char in page), text
            assert not CI_COMMANDS.search(page), text


@pytest.mark.parametrize("texts", BATCHES)
def test_json_holds_the_very_strings_and_is_inert_on_a_terminal(texts: tuple[str, ...]) -> None:
    for text, plan in plans(texts):
        whole = plan_document(plan)
        assert whole["changes"][0]["scope"] == text
        assert json.loads(render_plan_json(plan)) == whole
        shown = render_plan_json(plan, for_terminal=True)
        assert json.loads(shown) == whole
        assert all(char == "\n" or char.isprintable() for char in shown) and not CI_COMMANDS.search(shown), text


@pytest.mark.parametrize("texts", BATCHES)
def test_yaml_holds_the_very_strings_and_is_inert(texts: tuple[str, ...]) -> None:
    for text in texts:
        shown = as_yaml(json.dumps({"a": text, "b": [{text: 1}]}, ensure_ascii=False))
        assert YAML(typ="safe", pure=True).load(shown) == {"a": text, "b": [{text: 1}]}
        assert all(char == "\n" or char.isprintable() for char in shown), text


@pytest.mark.parametrize("texts", BATCHES)
def test_markdown_is_inert(texts: tuple[str, ...]) -> None:
    """Outside of code there is nothing to obey; test_pages reads the page with a Markdown parser as well."""
    for text, plan in plans(texts):
        page = render_plan_markdown(plan, command="hwplan apply", notes={plan.changes[0].address: text})
        assert len(page.encode()) <= LIMIT
        assert all(char == "\n" or char.isprintable() for char in page), text
        bare = _without_code(page)
        assert not re.search(r"[@\[\]]|https?:|www\.|javascript:|#\d|GH-\d|^\s*/", bare, re.MULTILINE), (text, bare)
        tags = re.sub(r"</?(details|summary|b|code)>", "", bare)
        assert "<" not in tags, (text, tags)


def _without_code(page: str) -> str:
    """The page without its first line (the marker), fences, spans of code and character references."""
    lines, fence = [], ""
    for line in page.splitlines()[1:]:
        if fence:
            fence = "" if line == fence else fence
        elif match := re.match(r"`{3,}", line):
            fence = match[0]
        else:
            lines.append(line)
    assert not fence
    bare = re.sub(r"`[^`]*`", "", "\n".join(lines))
    return re.sub(r"&#\d+;", "", re.sub(r"<code>.*?</code>", "", bare))


OURS = {
    *("html", "head", "meta", "title", "style", "body", "header", "div", "h1", "h2", "h3", "h4", "p", "code", "pre"),
    *("button", "nav", "input", "span", "main", "section", "article", "ul", "li", "b", "a", "dl", "dt", "dd", "svg"),
    *("defs", "marker", "path", "g", "rect", "text", "footer", "kbd", "script", "details", "summary"),
}


@pytest.mark.parametrize("texts", BATCHES)
def test_html_holds_only_our_own_elements_and_all_of_the_text(texts: tuple[str, ...]) -> None:
    for text, plan in plans(texts[:: BATCH // 5]):
        page = Page(render_plan_html(plan, command=text, notes={plan.changes[0].address: text}))
        assert {tag for tag, _ in page.elements} <= OURS
        assert [tag for tag, _ in page.elements].count("script") == 1
        assert not [name for _, known in page.elements for name in known if name.startswith("on") or name == "style"]
    updates = [change(f"ConfigMap/n/c{at}", Action.UPDATE, reason=text) for at, text in enumerate(texts)]
    page = Page(render_plan_html(plan_of(*updates)))
    assert [entry.why for entry in page.entries] == [safe_text(text) for text in texts]


@pytest.mark.parametrize("texts", BATCHES)
def test_graphs_are_inert(texts: tuple[str, ...]) -> None:
    nodes = [change(f"ConfigMap/n/c{at}", Action.CREATE) for at in range(3)]
    for text in texts:
        plan = plan_of(*nodes, *hostile(text).changes[:2])
        graph, labels = graph_of_plan(plan), {plan.changes[0].address: text}
        for form in ("mermaid", "dot", "svg"):
            page = render_graph_as(graph, form, labels)
            assert all(char == "\n" or char.isprintable() for char in page), (form, text)
            if form == "svg":
                tags = {one.tag.rpartition("}")[2] for one in ElementTree.fromstring(page).iter()}
                assert tags <= {"svg", "title", "style", "defs", "marker", "path", "rect", "text", "g"}
            if form == "mermaid":
                assert all(MERMAID.fullmatch(line) for line in page.splitlines()), page
            if form == "dot":
                assert all(DOT.fullmatch(line) for line in page.splitlines()), page


_LABEL = r"\[\"(<br/>|#\d+;|[\w ·./-])*\"\]"
MERMAID = re.compile(
    rf"flowchart LR|  subgraph g\d+{_LABEL}|    n\d+{_LABEL}|  end|  n\d+ -\.?->? n\d+|  n\d+ --> n\d+"
)
_QUOTED = r'"([^"\\]|\\.)*"'
DOT = re.compile(
    r"digraph hwplan \{|  rankdir=LR;.*|  (node|edge) \[.*\];|  subgraph cluster_\d+ \{|(  )?\}|"
    rf"    label={_QUOTED}; style=rounded;|    n\d+ \[label={_QUOTED}, tooltip={_QUOTED}\];|"
    rf"  n\d+ -> n\d+ \[tooltip={_QUOTED}(, style=dashed)?\];"
)


def _progress(text: str) -> str:
    """Every event with the text in it, through both forms of progress and the summary."""
    address = Address("", "ConfigMap", text, text, text)
    at = "2026-11-22T09:00:00.250Z"
    end = ChangeEnded(at, address, Action.CREATE, ChangeResult.FAILED, 2.0, text, text, address)
    events: tuple[Event, ...] = (
        ChangeBegan(at, address, Action.CREATE),
        ChangeApplied(at, address, Action.CREATE, text, {}),
        ChangeWaiting(at, address, text, 2.0),
        end,
    )
    out = io.StringIO()
    for observer in (ProgressLines(out, {}), ProgressTree(out, {})):
        for event in events[:-1] if isinstance(observer, ProgressLines) else (end,):
            observer.on(event)
    plan = plan_of(replace(change("ConfigMap/n/c", Action.CREATE), address=address))
    return out.getvalue() + render_run_summary(plan, _Outcome({address: end}, ((address, text),)), run=1)


@dataclass
class _Outcome:
    outcomes: dict[Address, ChangeEnded]
    warnings: tuple[tuple[Address, str], ...]
    seconds: float = 3.0
    interrupted: bool = False
