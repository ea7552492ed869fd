"""Field sets: the form of the server, and the laws of their algebra."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.field_path import FieldPath, ListItemPathElement, SetMemberPathElement
from providers.kubernetes.ssa.field_set import FieldSet, check_fields_v1

SERVER = """{"f:metadata":{"f:finalizers":{".":{},"v:\\"a/b\\"":{}},"f:labels":{".":{},"f:app":{}}},
"f:spec":{"f:ports":{".":{},"k:{\\"port\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:port":{},"f:targetPort":{}}},
"f:selector":{}}}"""

elements = st.one_of(
    st.sampled_from("abc"),
    st.builds(lambda value: SetMemberPathElement(value), st.sampled_from(["x", 1, True])),
    st.builds(
        lambda name, port: ListItemPathElement((("name", name), ("port", port))),
        st.sampled_from("mn"),
        st.integers(0, 1),
    ),
    st.integers(0, 2),
)
paths = st.lists(elements, min_size=1, max_size=4).map(tuple)
sets = st.lists(paths, max_size=8).map(FieldSet.of)


def test_reads_and_writes_what_the_server_wrote() -> None:
    document = json.loads(SERVER)
    parsed = FieldSet.parse(document)
    item = ListItemPathElement((("port", 80), ("protocol", "TCP")))
    assert ("spec", "ports", item, "targetPort") in parsed
    assert ("spec", "ports", item) in parsed
    assert ("metadata", "finalizers", SetMemberPathElement("a/b")) in parsed
    assert ("spec",) not in parsed
    assert json.dumps(parsed.serialise()) == json.dumps(document)


def test_leaves_leave_out_containers() -> None:
    assert FieldSet.parse({"f:a": {".": {}, "f:b": {}}, "f:c": {}}).leaves() == (("a", "b"), ("c",))


def test_unknown_elements_are_dropped_and_nonsense_is_refused() -> None:
    assert FieldSet.parse({"q:new": {}, "f:a": {}}) == FieldSet.of([("a",)])
    with pytest.raises(ValueError, match="no element"):
        FieldSet.parse({"nonsense": {}})
    with pytest.raises(ValueError, match="made of objects"):
        FieldSet.parse([])  # type: ignore[arg-type]


KEYS = st.sampled_from(
    ["f:a", "f:", ".", "i:1", "i:x", 'k:{"name":"m"}', "k:[]", "k:{}", 'v:"x"', "v:{}", "v:", "x:a", "a", ""]
)
FIELDS: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([{}, {}, {}, None, [], "", 0, 1]),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(FIELDS)
def test_a_check_refuses_what_reading_refuses(fields: Any) -> None:
    def refusal(look: Callable[[Any], object]) -> str:
        try:
            look(fields)
        except ValueError:
            return "refused"
        return ""

    assert refusal(check_fields_v1) == refusal(FieldSet.parse)


def test_keys_are_in_the_servers_order() -> None:
    made = FieldSet.of(
        [
            (3,),
            (SetMemberPathElement("b"),),
            (SetMemberPathElement(2),),
            (ListItemPathElement((("name", "x"),)),),
            ("z",),
            ("a",),
        ]
    )
    assert list(made.serialise()) == ["f:a", "f:z", 'k:{"name":"x"}', "v:2", 'v:"b"', "i:3"]


@given(sets)
def test_serialised_sets_read_back(one: FieldSet) -> None:
    assert FieldSet.parse(one.serialise()) == one


@given(sets, sets)
def test_algebra_agrees_with_sets_of_paths(one: FieldSet, other: FieldSet) -> None:
    mine, theirs = set(one), set(other)
    assert set(one | other) == mine | theirs
    assert set(one & other) == mine & theirs
    assert set(one - other) == mine - theirs


@given(sets, paths)
def test_membership(one: FieldSet, path: FieldPath) -> None:
    assert (path in one) == (path in set(one))


@given(sets, sets)
def test_recursive_difference_takes_what_is_below(one: FieldSet, other: FieldSet) -> None:
    taken = set(other)
    expected = {path for path in one if not any(path[:n] in taken for n in range(1, len(path) + 1))}
    assert set(one.without(other)) == expected
