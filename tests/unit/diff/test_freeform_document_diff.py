"""The smallest differing parts of free-form documents: laws, and the cases in which DeepDiff alone hides something."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from planner.field_path import parse_path, render_path
from planner.freeform_document_diff import smallest_differing_parts
from planner.values import Json
from providers.probes.expected_response import ExpectedResponse, ProbeResponse, unmet_probe_expectations
from tests.unit.diff.test_diff import DOCUMENTS, apply_changes, strictly_equal


@given(DOCUMENTS, DOCUMENTS)
@settings(max_examples=300, deadline=None)
def test_empty_exactly_for_equal_documents(before: Json, after: Json) -> None:
    assert (smallest_differing_parts(before, after) == ()) == strictly_equal(before, after)


@given(DOCUMENTS, DOCUMENTS)
@settings(max_examples=300, deadline=None)
def test_the_parts_turn_before_into_after(before: Json, after: Json) -> None:
    assert strictly_equal(apply_changes(before, smallest_differing_parts(before, after)), after)


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["change a.c 2 3"]),
        ({"a": {"b": 1}}, {"a": {"c": 1}}, ["remove a.b 1 None", "add a.c None 1"]),
        ({"on": [1, 2]}, {"on": [True, 2]}, ["change on[0] 1 True"]),
        ({"n": [1, 2]}, {"n": [1.0, 2.0]}, []),
        ({"n": 1}, {"n": "1"}, ["change n 1 1"]),
        ({"__typename": "A"}, {"__typename": "B"}, ["change __typename A B"]),
        ({"l": ["a", "b"]}, {"l": ["b", "a"]}, ["change l[0] a b", "change l[1] b a"]),
        ({"l": [{"x": None}]}, {"l": [{}]}, ["remove l[0].x None None"]),
        ({"t": "a\nb"}, {"t": "a\nc"}, ["change t a\nb a\nc"]),
        ({"a": {}}, {"a": []}, ["change a {} []"]),
        ({"a.b": {"it's": 1}}, {"a.b": {"it's": 2}}, ['change [a.b][it\'s] 1 2']),
    ],
)  # fmt: skip
def test_parts(before: Json, after: Json, parts: list[str]) -> None:
    found = smallest_differing_parts(before, after)
    assert [f"{one.op} {render_path(one.path)} {one.before} {one.after}" for one in found] == parts
    assert all(parse_path(render_path(one.path)) == one.path for one in found)


def test_a_probe_names_the_part_and_not_the_document() -> None:
    expected = ExpectedResponse(200, {"status": {"services": [{"id": "x" * 200}, {"ready": True}], "phase": "Running"}})
    body = b'{"status": {"services": [{"id": "%s"}, {"ready": 1}], "phase": "Running"}}' % (b"x" * 200)
    assert (
        unmet_probe_expectations(expected, ProbeResponse(200, {}, body))
        == "status.services[1].ready is 1, expected true"
    )
    assert unmet_probe_expectations(expected, ProbeResponse(200, {}, b'{"status": []}')).startswith(
        "status is [], expected {"
    )
    many = ExpectedResponse(200, {"v": list(range(9))})
    assert unmet_probe_expectations(many, ProbeResponse(200, {}, b'{"v": [9, 9, 9, 9, 9, 9, 9, 9, 9]}')).endswith(
        "v[2] is 9, expected 2; 6 more parts of v differ"
    )
