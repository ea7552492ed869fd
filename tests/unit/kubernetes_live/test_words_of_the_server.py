"""The words of a server come whole to who asks for them, and nothing inside of a word is cut out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planner.address import Address
from planner.plan import Action, BlockedResource
from planner.render.blocked_reasons_and_warnings import blocked_reason
from providers.kubernetes.client.answer_errors import classify_answer
from providers.kubernetes.client.safe_field_error_text import field_error_detail_without_value, field_error_value

LONG = "violates PodSecurity: " + ", ".join(f"fault number {number}" for number in range(60))


def refused(*causes: tuple[str, str], kind: str = "ConfigMap", reason: str = "FieldValueInvalid") -> str:
    found = [{"reason": reason, "field": field, "message": message} for field, message in causes]
    body: dict[str, Any] = {"kind": "Status", "reason": "Invalid", "details": {"kind": kind, "causes": found}}
    return classify_answer(422, "application/json", json.dumps(body).encode(), where=f"{kind}/demo/a").message


def test_a_long_text_comes_whole() -> None:
    body = {"kind": "Status", "reason": "Forbidden", "message": f'pods "a" is forbidden: {LONG}', "code": 403}
    error = classify_answer(403, "application/json", json.dumps(body).encode(), where="Pod/demo/a")
    assert error.message == f"forbidden: {LONG}"
    blocked = BlockedResource(Address("", "Pod", "", "demo", "a"), Action.CREATE, error.message)
    assert blocked_reason(blocked, full=True) == error.message
    left_out = len(error.message) - 600
    assert blocked_reason(blocked) == f"{error.message[:600]}… +{left_out} characters"


def test_every_cause_is_named() -> None:
    causes = [(f"spec.f{number}", "Required value: it is needed") for number in range(9)]
    assert refused(*causes, reason="FieldValueRequired").count("it is needed") == 9


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        ("Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
         "'https' is the only allowed URL scheme; desired format: https://host[/path]"),
        ('Invalid value: "hunter": it may not be hunter or "hunter"', 'it may not be … or "…"'),
        ('Invalid value: "hunter2": it may not be xhunter2x', "it may not be x…x"),
    ],
)  # fmt: skip
def test_a_value_is_cut_out_of_no_other_word(message: str, detail: str) -> None:
    assert field_error_detail_without_value(message) == detail


def test_what_is_excepted_from_a_rule_is_told() -> None:
    words = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
    text = f"Forbidden: {words}\n  core.PersistentVolumeClaimSpec{{\n- hunter2"
    message = refused(("spec", text), kind="PersistentVolumeClaim", reason="FieldValueForbidden")
    assert message == f"spec: {words}"
    assert refused(("data", "Forbidden: field is immutable when `immutable` is set"), kind="Secret").endswith("is set")


def test_a_name_that_is_refused_is_named() -> None:
    rule = "must be no more than 63 bytes"
    message = refused(
        ("metadata.labels", f'Invalid value: "{"x" * 90}": {rule}'),
        ("metadata.labels", f'Invalid value: "b c": {rule}'),
        ("metadata.annotations", f'Invalid value: "a b": {rule}'),
        ("data[k]", f'Invalid value: "hunter2": {rule}'),
    )
    assert message == (
        f'data.k: {rule}; metadata.annotations: "a b": {rule}; metadata.labels: "b c": {rule}; '
        f'metadata.labels: "{"x" * 80}… +10 characters": {rule}'
    )
    assert (
        refused(("metadata.labels", f'Invalid value: "hunter2": {rule}'), kind="Secret") == f"metadata.labels: {rule}"
    )
    assert field_error_value('Required value: "hunter2"') == ""
