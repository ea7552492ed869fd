"""Hostile text in every part of a drift report: nothing that a terminal or a CI system obeys comes through."""

from __future__ import annotations

import re

import pytest

from planner.drift import DriftReport, Row, State
from planner.plan import ClusterIdentity, FieldChange, FieldOp, Selection
from planner.render.drift_text import render_drift
from planner.source import SourceRef
from tests.unit.render.sample_plans import HOSTILE, address


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_comes_through(text: str) -> None:
    fields = (
        FieldChange((text, "a"), FieldOp.CHANGE, text, f"{text}\n{text}", manager=text, time=text),
        FieldChange((text,), FieldOp.CHANGE, text, text, sensitive=True, manager=text),
    )
    rows = [Row(address(f"ConfigMap/n/x{state}"), state, text, SourceRef(text), fields, fields) for state in State]
    report = DriftReport(Selection(text, "", (text,), (text,)), ClusterIdentity(text, text), tuple(rows), (text,))
    for width in (80, 200):
        page = render_drift(report, width=width, colour=False, command="hwplan apply")
        assert all(char == "\n" or char.isprintable() for char in page)
        assert not re.search(r"^\s*::|##\[|##vso\[|section_(start|end):", page, re.MULTILINE)
