"""One field as text: each kind of value, and no secret whatever a field holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.field_path import FieldPath
from planner.plan import FieldChange, FieldOp
from planner.render.field_detail import (
    MOST_CHARACTERS,
    MOST_LINES,
    FieldDetail,
    field_detail,
    inline_value,
    outline_nested_value,
)
from planner.values import Json, OutputTemplate, SealedSecret, parse_output_ref

FIRST, SECOND = "hmac-sha256:7a1c02d4e5f60718", "hmac-sha256:99aabbccddeeff00"
CANARY = "hunter2-canary"


def reported(
    before: Json, after: Json, op: FieldOp = FieldOp.CHANGE, path: FieldPath = ("a",), sensitive: bool = False
) -> FieldDetail:
    return field_detail(FieldChange(path, op, before, after, sensitive))


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (1, True, ("1", "true")),
        ("1", None, ('"1"', "null")),
        ({"b": 1, "a": [2]}, "x", ('{"a": [2], "b": 1}', '"x"')),
        ("x", parse_output_ref("GitRef/gitops#commit"), ('"x"', "(known after: GitRef/gitops.commit)")),
        (
            "x",
            OutputTemplate(("ci-", parse_output_ref("GitHead/s#short"), "-z")),
            ('"x"', '"ci-(known after: GitHead/s.short)-z"'),
        ),
        (["[name=a]", "[name=b]"], ["[name=b]", "[name=a]"], ("a b", "b a")),
    ],
)
def test_short_values(before: Json, after: Json, shown: tuple[str, str]) -> None:
    found = reported(before, after)
    assert (found.before, found.after) == shown


def test_outputs_inside_a_tree_are_named() -> None:
    assert inline_value({"k": [parse_output_ref("GitHead/s#short")]}) == '{"k": ["(known after: GitHead/s.short)"]}'


def test_a_long_value_is_cut_down_to_the_place_that_differs() -> None:
    found = reported("x" * 300 + "old" + "y" * 300, "x" * 300 + "new" + "y" * 300)
    assert found.before == f"(277 equal characters)…{'x' * 24}old{'y' * 24}…(277 equal characters)"
    assert "new" in found.after


def test_a_long_text_is_a_line_difference_with_line_numbers() -> None:
    old = [f"line {at}" for at in range(1, 62)]
    new = [*old[:10], "inserted", *old[10:40], "changed", *old[41:]]
    found = reported("\n".join(old), "\n".join(new))
    assert found.note == "2 of 62 lines differ"
    assert found.lines == ("+ 11  inserted", "- 41  line 41", "+ 42  changed")


def test_blanks_at_the_end_of_a_line_are_seen() -> None:
    assert reported("a \nb", "a\nb").lines == ("- 1  a\\x20", "+ 1  a")
    assert reported("a\n", "a").lines == ("- 2  ",)


def test_cuts_are_named() -> None:
    new = "\n".join(map(str, range(100)))
    found = reported(None, new, FieldOp.ADD)
    assert found.note == "100 lines"
    assert found.lines[-1] == f"… {100 - MOST_LINES} more lines"
    assert reported(None, "z" * 5000, FieldOp.ADD).after.endswith(f"… +{5002 - MOST_CHARACTERS} characters")


def test_trees_are_outlined() -> None:
    tree = {"args": ["-v", "on", 1], "name": "api", "empty": {}, "env": [{"value": "x: y", "name": "A"}]}
    assert list(outline_nested_value(tree)) == [
        "name: api",
        "args:",
        '  - "-v"',
        '  - "on"',
        "  - 1",
        "empty: {}",
        "env:",
        "  - name: A",
        '    value: "x: y"',
    ]


def test_secrets_are_fingerprints() -> None:
    changed = reported(FIRST, SECOND, sensitive=True)
    assert (changed.before, changed.after) == ("fingerprint 7a1c02", "99aabb")
    assert reported(None, FIRST, FieldOp.ADD, sensitive=True).after == "(fp 7a1c02)"
    assert reported(None, "", FieldOp.ADD, sensitive=True).after == "(made at apply)"
    assert reported(None, "(made at apply)", FieldOp.ADD, sensitive=True).after == "(made at apply)"


def test_fingerprints_that_begin_alike_are_shown_whole() -> None:
    changed = reported("hmac-sha256:7a1c020000000000", "hmac-sha256:7a1c021111111111", sensitive=True)
    assert (changed.before, changed.after) == ("fingerprint 7a1c020000000000", "7a1c021111111111")


VALUES = st.recursive(
    st.one_of(st.just(CANARY), st.just(12345678), st.just(SealedSecret(f"file:{CANARY}#K", FIRST)), st.just(FIRST)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.just(CANARY), inner, max_size=2)),
    max_leaves=6,
)


@given(VALUES, VALUES, st.sampled_from(FieldOp))
def test_a_sensitive_field_shows_nothing_else(before: Json, after: Json, op: FieldOp) -> None:
    found = reported(before, after, op, sensitive=True)
    shown = repr(found)
    assert CANARY not in shown
    assert "12345678" not in shown
    assert found.lines == ()


@given(st.sampled_from(FieldOp))
def test_a_sealed_leaf_never_shows_where_its_value_is_read(op: FieldOp) -> None:
    leaf = SealedSecret(f"file:{CANARY}#K", FIRST)
    assert CANARY not in repr(reported(leaf, {"deep": [leaf]}, op))
    assert CANARY not in repr(reported({"deep": {f"k{at}": leaf for at in range(40)}}, {"deep": {}}, op))


def test_a_long_line_of_a_text_is_shown_where_it_differs() -> None:
    old, new = (f"head\n{'x' * 300}{word}{'y' * 300}\ntail" for word in ("before", "after!"))
    found = field_detail(FieldChange(("data", "a"), FieldOp.CHANGE, old, new))
    assert found.note == "1 of 3 lines differ"
    removed, added = found.lines
    assert removed == f"- 2  (276 equal characters)…{'x' * 24}before{'y' * 24}…(276 equal characters)"
    assert "after!" in added and len(added) < 120
