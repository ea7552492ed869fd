"""Why something is blocked is said once, with its place; a warning about many objects is one line."""

from __future__ import annotations

import pytest

from planner.address import Address
from planner.plan import Action, BlockedResource
from planner.render.blocked_reasons_and_warnings import blocked_reason, deduplicated_warnings
from planner.source_line_ref import SourceRef


@pytest.mark.parametrize(
    ("reason", "evidence", "reported"),
    [
        ("spec: no", "spec: no", "spec: no"),
        ("spec: no", "", "spec: no"),
        ("a: no; b: no …", "a: no; b: no; c: no", "a: no; b: no; c: no"),
        ("would take along", "inside: ConfigMap/a/b", "would take along: inside: ConfigMap/a/b"),
    ],
)
def test_a_reason_is_said_once(reason: str, evidence: str, reported: str) -> None:
    blocked = BlockedResource(
        Address("", "ConfigMap", "", "a", "b"), Action.UPDATE, reason, evidence, "", SourceRef("a", 1), ()
    )
    assert blocked_reason(blocked) == reported


def test_warnings_of_many_objects() -> None:
    names = [f"Deployment.apps/demo/{letter}" for letter in "abcde"]
    warnings = [*(f"{name}: spec.x is old: use y" for name in names), "a secrets file: chmod 600", f"{names[0]}: other"]
    assert deduplicated_warnings(warnings) == (
        f"{names[0]}, {names[1]}, {names[2]} and 2 more: spec.x is old: use y",
        "a secrets file: chmod 600",
        f"{names[0]}: other",
    )
