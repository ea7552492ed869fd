"""JSON for standard output, whoever reads it: the very strings, and nothing that a terminal or a CI log could obey."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from planner.plan_bytes import dump_plan
from planner.render.json_text import render_document_as_json
from planner.render.plan_comparison import render_plan_comparison_json
from planner.render.plan_json import render_plan_json
from tests.unit.render.hostile_strings import STRINGS
from tests.unit.render.sample_plans import HOSTILE, hostile
from tests.unit.render.test_hostile_everywhere import CI_COMMANDS

PLANNER = Path(__file__).parent.parent.parent.parent / "planner"


@pytest.mark.parametrize("indent", [None, 1, 2])
def test_every_string_stays_itself_and_is_inert(indent: int | None) -> None:
    for text in (*STRINGS, *HOSTILE):
        document = {text: [text, {"a": f"x {text}"}]}
        shown = render_document_as_json(document, indent=indent)
        assert json.loads(shown) == document
        assert shown.isascii() and all(char == "\n" or char.isprintable() for char in shown), text
        assert not CI_COMMANDS.search(shown), text


def test_a_comparison_of_plans_is_inert() -> None:
    for text in HOSTILE:
        if "\ud800" in text:
            continue  # no plan has an id with half a character
        shown = render_plan_comparison_json(hostile(text), hostile("other"))
        assert all(char == "\n" or char.isprintable() for char in shown) and not CI_COMMANDS.search(shown), text


def test_a_plan_as_json_is_its_file_byte_for_byte() -> None:
    """What docs/adr/0046 keeps: `plan --json > plan.json` is a plan that can be applied."""
    plan = hostile("##vso[task.setvariable]x")
    assert render_plan_json(plan).encode() == dump_plan(plan)


def test_no_verb_writes_json_by_itself() -> None:
    """Every verb's document goes through `render_document_as_json`; elsewhere it is a file, YAML or part of a line."""
    allowed = {"cli/terminal_output.py": 1, "cli/explain_and_schema.py": 1, "render/json_text.py": 1,
               "render/adoption_text.py": 1}  # fmt: skip
    found = {}
    for folder in ("cli", "render"):
        for file in sorted((PLANNER / folder).rglob("*.py")):
            calls = [node for node in ast.walk(ast.parse(file.read_text())) if _dumps(node)]
            if calls:
                found[file.relative_to(PLANNER).as_posix()] = len(calls)
    assert found == allowed


def _dumps(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "dumps"
