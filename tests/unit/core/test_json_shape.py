"""The shape of a JSON document: what is named as wrong, and what is let pass."""

from __future__ import annotations

from typing import Any

import pytest

from planner.json_shape import json_shape_fault

SHAPE = {"name": str, "size": (int, float), "on": bool, "items": [{"key": str}], "any": object}


@pytest.mark.parametrize(
    ("document", "null", "fault"),
    [
        ({"name": "a", "size": 1.5, "on": True, "items": [{"key": "b"}], "any": [None], "other": 5}, False, ""),
        ({}, False, ""),
        ({"name": None}, True, ""),
        ({"name": None}, False, ".name is no text"),
        ({"items": [None]}, True, ".items[0] is no map"),
        ({"items": [{}, {"key": 5}]}, False, ".items[1].key is no text"),
        ({"items": {}}, False, ".items is no list"),
        ({"size": True}, False, ".size is no number"),
        ({"on": 1}, False, ".on is no boolean"),
        ([], False, " is no map"),
    ],
)
def test_shape(document: Any, null: bool, fault: str) -> None:
    assert json_shape_fault(SHAPE, document, null=null) == fault
