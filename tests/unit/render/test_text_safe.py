"""Nothing that a reader's machine could obey comes through, and ordinary text comes through as it is."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.text_safe import fenced_code_block, html_safe, markdown_safe, safe_text
from tests.unit.render.sample_plans import HOSTILE

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)  # lone surrogates too


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Deployment.apps/hwlab-v03/cloud-api", "Deployment.apps/hwlab-v03/cloud-api"),
        ("Grüße · 日本語 …", "Grüße · 日本語 …"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\r\n\tb", "a\\r\\n\\tb"),
        ("\x9b\x7f", "\\x9b\\x7f"),
        ("\u202e\u2066\u200b\ufeff\u2028", "\\u202e\\u2066\\u200b\\ufeff\\u2028"),
        ("\ud800\U000e0041\ue000", "\\ud800\\U000e0041\\ue000"),
        ("a\u00a0b\u3164\u2800", "a\\xa0b\\u3164\\u2800"),
        ("\u3164", "\\u3164"),
        ("a\ufe0fb", "a\\ufe0fb"),
        ("::error::x", "\\x3a:error::x"),
        ("  ::x", "  \\x3a:x"),
        ("std::vector", "std::vector"),
        ("a ##[error]", "a \\x23#[error]"),
        ("##vso[x]", "\\x23#vso[x]"),
        ("section_start:1:x", "\\x73ection_start:1:x"),
        ("## heading", "## heading"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert safe_text(text) == shown


@given(ANY_TEXT)
def test_only_visible_characters_come_through(text: str) -> None:
    for char in safe_text(text):
        assert char == " " or unicodedata.category(char)[0] not in "CZ", repr(char)


@given(ANY_TEXT)
def test_safe_text_is_left_alone(text: str) -> None:
    assert safe_text(safe_text(text)) == safe_text(text)


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Po", "Sm"], max_codepoint=0x7E)))
def test_ascii_text_without_commands_is_left_alone(text: str) -> None:
    if not re.match(r"\s*::", text) and "##" not in text and "section_" not in text:
        assert safe_text(text) == text


@given(ANY_TEXT)
def test_html_has_no_mark_left(text: str) -> None:
    assert not re.search(r"[<>\"'`*_~\[\]@!\\|]|&(?!#\d+;)|#(?!\d+;)", html_safe(text).replace("&#", "&#"))


@given(st.lists(st.one_of(ANY_TEXT, st.text("`~ a")), max_size=6))
def test_a_fence_cannot_be_closed_from_inside(lines: list[str]) -> None:
    first, *inside, last = fenced_code_block(lines)
    assert first == last
    assert set(first) == {"`"}
    assert all(first not in line and "\n" not in line for line in inside)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_holds_all_of_the_text(text: str) -> None:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for page in (f"x {markdown_safe(text)} y", f"| a |\n|---|\n| {markdown_safe(text)} |", f"- {markdown_safe(text)}"):
        kinds = {inner.type for token in parser.parse(page) for inner in token.children or ()}
        assert kinds <= {"text", "code_inline", "html_inline", "text_special"}
        opened = [
            inner.content
            for token in parser.parse(page)
            for inner in token.children or ()
            if inner.type == "html_inline"
        ]
        assert set(opened) <= {"<code>", "</code>"}
