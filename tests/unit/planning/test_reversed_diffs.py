"""Undoing what the differ says: the rows that a run leaves behind, against the document of before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.document_diff import diff_documents
from planner.field_path import render_path
from planner.planning.reversed_document import parse_field_pre_image, reversed_document
from planner.redaction.redactor import MASK
from planner.resource import APPLIED, SET_LABEL
from planner.values import Json, JsonObject, SealedSecret, encode_special_leaves


def _document(**content: Json) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, **content}


def _rows(before: JsonObject, after: JsonObject) -> list[JsonObject]:
    """What the state keeps of a run that made `after` of `before`."""
    rows = [
        {"path": render_path(one.path), "op": str(one.op), "before": encode_special_leaves(one.before)}
        for one in diff_documents(before, after)
    ]
    retained: list[JsonObject] = json.loads(json.dumps(rows))
    return retained


def _undone(after: JsonObject, rows: list[JsonObject]) -> JsonObject | None:
    return reversed_document(after, [parse_field_pre_image(row) for row in rows])


_SPEC: dict[str, Any] = {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:1"}]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"data": {"a": "1"}}, {"data": {"a": "2"}}, id="changed"),
        pytest.param({"data": {"a": "1"}}, {"data": {"a": "1", "b": "2"}}, id="added"),
        pytest.param({"data": {"a": "1", "b": "2"}}, {"data": {"a": "1"}}, id="removed"),
        pytest.param({"data": {"a": "1"}}, {"data": {"a": "1"}, "binaryData": {"b": "Mg=="}}, id="a map added"),
        pytest.param({"data": {"a": "1"}, "immutable": False}, {"immutable": False}, id="a map removed"),
        pytest.param({"spec": {"args": ["a", "b"]}}, {"spec": {"args": ["a", "b", "c", "d"]}}, id="items added"),
        pytest.param({"spec": {"args": ["a", "b", "c", "d"]}}, {"spec": {"args": ["a", "b"]}}, id="items removed"),
        pytest.param({"spec": {"args": ["a", "b"]}}, {"spec": {"args": ["b"]}}, id="first item removed"),
        pytest.param({"spec": {"args": ["a"]}}, {"spec": {"args": ["c", "a"]}}, id="first item added"),
        pytest.param({"spec": {"args": list("abcd")}}, {"spec": {"args": list("bxd")}}, id="items here and there"),
        pytest.param({"spec": {"args": ["x", "a"]}}, {"spec": {"args": ["a", "b", "y"]}}, id="items moved"),
        pytest.param(
            {"spec": {"args": [*map(str, range(25))]}}, {"spec": {"args": ["3", "x", "24"]}}, id="more than ten items"
        ),
        pytest.param(
            {"spec": {"rules": [{"p": 1, "v": ["a"]}, {"p": 2, "v": ["b", "c"]}, {"p": 3}]}},
            {"spec": {"rules": [{"p": 9}, {"p": 2, "v": ["d", "c"], "w": 1}]}},
            id="inside items by position",
        ),
        pytest.param({"spec": _SPEC}, {"spec": {"containers": _SPEC["containers"][::-1]}}, id="another order"),
        pytest.param(
            {"spec": {"x": [None, [], [], []]}},
            {"spec": {"x": [[], False, []]}},
            id="a list that was there, at the position of another list now",
        ),
        pytest.param(
            {"spec": {"x": [None, ["[name=a]"], [{"name": "a"}]]}},
            {"spec": {"x": [{"y": 1}, [{"name": "a"}]]}},
            id="a list of texts that look like names of items",
        ),
        pytest.param({"spec": {"a": None, "b": 1}}, {"spec": {"b": 2}}, id="a null removed"),
        pytest.param({"spec": {"a": 1}}, {"spec": {"a": {"b": 1}}}, id="another type"),
        pytest.param({"data": {"a.b/c": "1", "01": "x"}}, {"data": {"a.b/c": "2", "01": "y"}}, id="hostile keys"),
        pytest.param(
            {"spec": _SPEC}, {"spec": {"containers": [{"name": "a", "image": "x:2"}]}}, id="an item by name removed"
        ),
    ],
)
def test_the_document_is_again_the_one_of_before(before: JsonObject, after: JsonObject) -> None:
    whole = _document(**before), _document(**after)
    assert _undone(whole[1], _rows(*whole)) == whole[0]


_SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b", "[name=a]"])
_KEYS = st.sampled_from(["a", "b.c", "d e"])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(_VALUES, _VALUES)
def test_any_two_documents(one: Json, other: Json) -> None:
    """Lists of maps without names are compared by position, at any depth."""
    before, after = _document(data={"x": one}), _document(data={"x": other})
    assert diff_documents(_undone(after, _rows(before, after)) or {}, before) == ()


def test_the_stamp_goes_and_the_set_stays() -> None:
    """An adopted object stays ours; what was applied last is written anew."""
    metadata = {"name": "a", "annotations": {APPLIED: "sha256:2", "note": "x"}, "labels": {SET_LABEL: "shop"}}
    rows: list[JsonObject] = [
        {"path": f"metadata.annotations[{APPLIED}]", "op": "change", "before": "sha256:1"},
        {"path": f"metadata.labels[{SET_LABEL}]", "op": "add", "before": None},
        {"path": "metadata.annotations.note", "op": "add", "before": None},
    ]
    undone = _undone(_document(metadata=metadata), rows)
    assert undone == _document(metadata={"name": "a", "labels": {SET_LABEL: "shop"}})


def test_what_others_own_was_never_declared() -> None:
    rows: list[JsonObject] = [{"path": "spec.replicas", "op": "disown", "before": 3}]
    assert _undone(_document(spec={"paused": True}), rows) == _document(spec={"paused": True})


@pytest.mark.parametrize(
    "row",
    [
        {"path": "data.a", "op": "change", "before": "hmac:12", "sensitive": True},
        {"path": "data.a", "op": "remove", "before": "hmac:12", "sensitive": True},
        {"path": "data.a", "op": "change", "before": encode_special_leaves(SealedSecret("", "hmac:12"))},
        {"path": "data", "op": "remove", "before": {"a": f"user:{MASK}"}},
        {"path": "data", "op": "change", "before": [{"a": encode_special_leaves(SealedSecret("", "hmac:12"))}]},
    ],
)
def test_a_secret_of_before_is_not_made_up(row: JsonObject) -> None:
    assert _undone(_document(data={"a": "2"}), [row]) is None


def test_a_secret_that_was_added_just_goes() -> None:
    row: JsonObject = {"path": "data.b", "op": "add", "before": None, "sensitive": True}
    sealed = encode_special_leaves(SealedSecret("file:x", "hmac:12"))
    assert _undone(_document(data={"a": "1", "b": sealed}), [row]) == _document(data={"a": "1"})


@pytest.mark.parametrize("row", [{"path": "a[", "op": "add"}, {"path": "a", "op": "turned"}])
def test_a_damaged_row_is_refused(row: JsonObject) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_field_pre_image(row)
