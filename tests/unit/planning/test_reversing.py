"""Taking back: from what was applied and the values before, every field is again as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.document_editing import remove_field, set_field
from planner.field_path import render_path
from planner.plan import FieldOp
from planner.planning.reversed_document import FieldPreImage, parse_field_pre_image, reversed_document
from planner.values import Json, JsonObject, SealedSecret, encode_special_leaves

APPLIED: JsonObject = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "c", "annotations": {"hwplan.dev/applied": "sha256:0"}, "labels": {"hwplan.dev/set": "demo"}},
    "data": {"a": "new", "b": "made"},
    "list": [{"name": "x", "v": 1}, {"name": "y", "v": 2}],
}


def row(path: str, op: str, before: Json = None, **more: Any) -> JsonObject:
    return {"path": path, "op": op, "before": before, **more}


def back(*rows: JsonObject) -> Any:
    return reversed_document(APPLIED, [parse_field_pre_image(one) for one in rows])


CASES: dict[str, tuple[list[JsonObject], str, Any]] = {
    "a field that was changed": ([row("data.a", "change", "old")], "data", {"a": "old", "b": "made"}),
    "a field that was added": ([row("data.b", "add")], "data", {"a": "new"}),
    "a field that was removed": ([row("data.c", "remove", "was")], "data", {"a": "new", "b": "made", "c": "was"}),
    "a field that only lost an owner": ([row("data.a", "disown", "old")], "data", {"a": "new", "b": "made"}),
    "null was a value": ([row("data.a", "change", None)], "data", {"a": None, "b": "made"}),
    "items that were added": ([row("list[0]", "add"), row("list[1]", "add")], "list", []),
    "an item that was changed": (
        [row("list[name=y].v", "change", 7)],
        "list",
        [{"name": "x", "v": 1}, {"name": "y", "v": 7}],
    ),
    "our own marks": (
        [row("metadata.labels[hwplan.dev/set]", "add")],
        "metadata",
        {"name": "c", "annotations": {}, "labels": {"hwplan.dev/set": "demo"}},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_field_is_as_it_was(case: str) -> None:
    rows, key, expected = CASES[case]
    found = back(*rows)
    if isinstance(expected, dict) and "annotations" in expected:
        found["metadata"].setdefault("annotations", {})
    assert found[key] == expected


def test_the_stamp_goes_and_the_set_stays() -> None:
    metadata = back()["metadata"]
    assert "hwplan.dev/applied" not in metadata.get("annotations", {}) and metadata["labels"] == {
        "hwplan.dev/set": "demo"
    }


@pytest.mark.parametrize("op", ["change", "remove"])
def test_a_secret_before_cannot_come_back(op: str) -> None:
    assert back(row("data.a", op, "hmac-sha256:0", sensitive=True)) is None
    assert back(row("data.a", op, encode_special_leaves(SealedSecret("file:a#P", "hmac-sha256:0")))) is None


def test_a_secret_that_was_added_just_goes() -> None:
    assert back(row("data.b", "add", None, sensitive=True))["data"] == {"a": "new"}


@pytest.mark.parametrize("broken", [{}, {"path": "a", "op": "turn"}, {"path": "a[", "op": "add"}])
def test_a_broken_row_is_refused(broken: JsonObject) -> None:
    with pytest.raises((ValueError, KeyError)):
        parse_field_pre_image(broken)


KEYS = st.text("abc", min_size=1, max_size=2)
VALUES = st.one_of(st.integers(0, 3), st.none(), st.lists(st.integers(0, 3), max_size=2))


@settings(max_examples=200, deadline=None)
@given(before=st.dictionaries(KEYS, VALUES, max_size=4), after=st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_change_of_fields_is_taken_back(before: dict[str, Json], after: dict[str, Json]) -> None:
    document: JsonObject = {"metadata": {"name": "c"}, "spec": after}
    steps = []
    for key in sorted(before.keys() | after.keys()):
        path = ("spec", key)
        if key not in before:
            steps.append(FieldPreImage(path, FieldOp.ADD, None))
        elif key not in after:
            steps.append(FieldPreImage(path, FieldOp.REMOVE, before[key]))
        elif before[key] != after[key]:
            steps.append(FieldPreImage(path, FieldOp.CHANGE, before[key]))
    found = reversed_document(document, steps)
    assert found is not None and found.get("spec", {}) == before
    assert render_path(("spec", "a")) == "spec.a" and remove_field(set_field({}, ("a",), 1), ("a",)) == {}
