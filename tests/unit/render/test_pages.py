"""Pages of plans: golden files, width, colour, size, cost, and that nothing hostile or secret comes through."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from planner.app.request import Request
from planner.cli.plan import FORMATS
from planner.cli.print_pages import print_saved_plan
from planner.plan import Action, Plan
from planner.plan_bytes import dump_plan, load_plan
from planner.render.git_change_under_review import GitChangeUnderReview
from planner.render.plan_html import render_plan_html
from planner.render.plan_json import render_plan_json
from planner.render.plan_markdown import LIMIT, render_plan_markdown
from planner.render.plan_text import render_plan_text
from planner.render.terminal_style import column_count
from planner.values import SealedSecret
from tests.unit.render.sample_plans import HOSTILE, SAMPLES, change, hostile, many, mixed, plan_of

CASES = Path(__file__).parents[2] / "cases" / "render"
COMMAND = "hwplan apply --node D601 --lane v03 --plan-id sha256:0 --confirm"
PLANNABLE = [text for text in HOSTILE if "\ud800" not in text]  # the bytes of a plan are UTF-8
UPDATE = bool(os.environ.get("HWPLAN_UPDATE_GOLDEN"))


def command_of(plan: Plan) -> str:
    return "" if plan.is_empty else COMMAND


@pytest.mark.parametrize("name", SAMPLES)
def test_golden_pages(name: str) -> None:
    """Each folder holds the plan and its pages. `HWPLAN_UPDATE_GOLDEN=1` writes them anew, for a person to read."""
    folder = CASES / name
    sample = SAMPLES[name]
    if UPDATE:
        folder.mkdir(exist_ok=True)
        (folder / "plan.json").write_bytes(dump_plan(sample))
    plan = load_plan((folder / "plan.json").read_bytes())
    pages = {
        "expected-80.txt": render_plan_text(plan, command=command_of(plan), width=80),
        "expected-120.txt": render_plan_text(plan, command=command_of(plan), width=120),
        "expected.md": render_plan_markdown(plan, command=command_of(plan)),
    }
    for file, page in pages.items():
        if UPDATE:
            (folder / file).write_text(page)
        assert page == (folder / file).read_text(), f"{name}/{file}"


@pytest.mark.parametrize("name", SAMPLES)
def test_pages_of_a_plan_that_was_saved_are_those_of_the_plan(name: str) -> None:
    plan = SAMPLES[name]
    again = load_plan(dump_plan(plan))
    assert render_plan_text(again) == render_plan_text(plan)
    assert render_plan_markdown(again) == render_plan_markdown(plan)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_nothing_but_names_and_the_command_passes_the_right_edge(width: int) -> None:
    lines = render_plan_text(mixed(), command=COMMAND, width=width).splitlines()
    wide = [line for line in lines if column_count(line) > width]
    assert all(re.search(r"^plan sha256|^  hwplan|allow it with|spec\.template is immutable", line) for line in wide), (
        wide
    )


def test_the_first_line_says_what_is_looked_at_and_the_last_what_to_do() -> None:
    lines = render_plan_text(mixed(), command=COMMAND).splitlines()
    assert lines[0] == "D601/v03 on k3s-d601 (uid 3f0c51ab) · config 9b1e07 · simulated"
    assert re.fullmatch(r"plan sha256:[0-9a-f]{32}  to apply exactly this:", lines[-2])
    assert lines[-1] == f"  {COMMAND}"


def test_an_empty_plan_says_so_and_offers_no_command() -> None:
    lines = render_plan_text(plan_of(unchanged=153)).splitlines()
    assert lines[2] == "nothing to do · 153 unchanged"
    assert re.fullmatch(r"plan sha256:[0-9a-f]{32}", lines[-1])


def test_colour_adds_nothing_but_colour() -> None:
    plain, coloured = (render_plan_text(mixed(), command=COMMAND, width=90, colour=colour) for colour in (False, True))
    assert "\x1b[" not in plain
    assert "\x1b[32m+\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == plain


def test_notes_are_for_the_reader_and_not_in_the_plan() -> None:
    plan = SAMPLES["destroy"]
    notes = {plan.changes[0].address: "ours since run 17, no longer declared"}
    for render in (render_plan_text, render_plan_markdown, render_plan_html):
        assert "ours since run 17" in render(plan, notes=notes)
    assert "ours since run 17" not in render_plan_json(plan)


def test_what_guards_will_refuse_stands_on_every_page() -> None:
    plan, context = SAMPLES["destroy"], GitChangeUnderReview(guards=("refused without that option",))
    for render in (render_plan_text, render_plan_markdown, render_plan_html):
        assert "refused without that option" in render(plan, review=context)
        assert "refused" not in render(plan)


@pytest.mark.parametrize("form", FORMATS)
def test_a_saved_plan_has_every_form(form: str) -> None:
    page = print_saved_plan(mixed(), Request(Path("config")), form, file=Path("plan.json"))
    first = {"json": "{", "markdown": "<!-- hwplan", "html": "<!doctype", "mermaid": "flowchart", "dot": "digraph"}
    first |= {"svg": "<svg", "text": "D601/v03", "wide": "D601/v03", "yaml": "applyable:"}
    assert page.startswith(first[form])


def test_addresses_have_their_place_only_where_there_are_several() -> None:
    assert "D601/v02:Namespace/n" in render_plan_text(SAMPLES["several-places"])
    assert "D601/v03:" not in render_plan_text(mixed())


# --- Markdown ------------------------------------------------------------------------------------------------------


def test_markdown_names_risks_first() -> None:
    page = render_plan_markdown(mixed())
    order = [
        page.index(word) for word in ("Look at these first", "**blocked**", "**delete**", "**replace**", "<details>")
    ]
    assert order == sorted(order)


def test_the_same_change_is_told_once() -> None:
    page = render_plan_markdown(many(43))
    assert page.count("spec.replicas  1 -> 2") == 1
    assert "same change on 43 objects" in page
    assert "and 3 more" in page


@pytest.mark.parametrize("count", [400, 3000])
def test_markdown_fits_a_comment_and_names_what_it_cut(count: int) -> None:
    page = render_plan_markdown(many(count), command=COMMAND)
    assert len(page.encode()) <= LIMIT
    assert page.count("<details>") == page.count("</details>")
    if count == 3000:
        shown = len(re.findall(r"ConfigMap/n/c\d", page))
        assert f"**Cut**: {3000 - shown} more objects of this section do not fit." in page
    assert COMMAND in page


@pytest.mark.parametrize("text", PLANNABLE)
def test_markdown_fits_whatever_a_plan_holds(text: str) -> None:
    plan = hostile(text * 60)
    plan = replace(plan, changes=plan.changes * 4, blocked=plan.blocked * 25, warnings=plan.warnings * 25)
    assert len(render_plan_markdown(plan, command="x " * 9000).encode()) <= LIMIT


ALLOWED_HTML = re.compile(r"</?(details|summary|b|code)>|\A<!-- hwplan:plan:[A-Za-z0-9_.+-]+ -->\n")


@pytest.mark.parametrize("text", PLANNABLE)
def test_no_markup_comes_from_data(text: str) -> None:
    """The page is parsed: only our own headings, tags and emphasis; outside text only in code and raw `<b>` titles."""
    page = render_plan_markdown(hostile(text), command="hwplan apply")
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    inline = [child for token in tokens for child in token.children or ()]
    assert {token.type for token in tokens} <= {
        *("heading_open", "heading_close", "inline", "paragraph_open", "paragraph_close", "html_block", "fence"),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    }
    assert {child.type for child in inline} <= {"text", "code_inline", "html_inline", "strong_open", "strong_close"}
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings == ["Plan", "Look at these first", "Facts for the review", "What it sets off"]
    raw = "".join(token.content for token in tokens if token.type == "html_block")
    raw += "".join(child.content for child in inline if child.type == "html_inline")
    raw = ALLOWED_HTML.sub("", raw)
    assert "<" not in raw
    assert not re.search(r"[@`\[\]]|https?:|www\.", raw)
    bare = " ".join(child.content for child in inline if child.type == "text")
    outside = re.sub(r"<code>.*?</code>", "", "".join(child.content for child in inline if child.type != "code_inline"))
    assert "@" not in outside and "http" not in outside, bare
    assert all(char == "\n" or char.isprintable() for char in page)


@pytest.mark.parametrize("text", PLANNABLE)
def test_text_pages_hold_nothing_that_a_terminal_or_ci_obeys(text: str) -> None:
    for width in (80, 200):
        page = render_plan_text(hostile(text), command="hwplan apply", width=width)
        assert all(char == "\n" or char.isprintable() for char in page)
        assert not re.search(r"^\s*::", page, re.MULTILINE)
        assert not re.search(r"##\[|##vso\[|section_(start|end):", page)


# --- secrets and cost ----------------------------------------------------------------------------------------------


def test_a_secret_is_its_fingerprint_in_every_form() -> None:
    leaf = SealedSecret("file:secrets/pg.env#PASSWORD", "hmac-sha256:7a1c02d4e5f60718")
    desired = {"kind": "Secret", "data": {"password": leaf}}
    plan = plan_of(change("Secret/n/s", Action.CREATE, desired=desired))
    for page in (render_plan_text(plan, width=200), render_plan_markdown(plan)):
        assert "pg.env" not in page
    held = json.loads(render_plan_json(plan))["changes"][0]["desired"]["data"]["password"]
    assert held == {"$hwplan": {"sealed": leaf.ref, "fingerprint": leaf.fingerprint}}


def test_a_page_needs_no_heavy_import() -> None:
    program = (
        "import sys; sys.path.insert(0, '.');"
        "from tests.unit.render.sample_plans import mixed; from planner.render.plan_text import render_plan_text;"
        "render_plan_text(mixed(), width=120);"
        "print([name for name in ('rich', 'networkx', 'deepdiff', 'jinja2', 'pydantic') if name in sys.modules])"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
