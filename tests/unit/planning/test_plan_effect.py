"""The id of a plan with values that other resources make: the same before and after the value is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planner.address import Address
from planner.plan import Action, Change, FieldChange, FieldOp
from planner.plan_id import plan_id
from planner.resource import APPLIED
from planner.values import JsonObject, OutputRef, OutputTemplate
from tests.unit.render.sample_plans import change, plan_of

IP = OutputRef(Address("", "Service", "", "n", "web"), "status.loadBalancer.ingress[0].ip")
URL = OutputTemplate(("https://", IP, "/hook"))


def document(value: Any, **more: Any) -> JsonObject:
    metadata = {"name": "a", "namespace": "n", "annotations": {APPLIED: f"sha256:{more.get('stamp', '')}"}}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"url": value, **more.get("data", {})},
    }


def taking(value: Any, declared: Any = None, **more: Any) -> Change:
    """A change that writes `value`; with `declared`, the value was filled in where that was declared."""
    made = ((("data", "url"), declared),) if declared is not None else ()
    fields = (FieldChange(("data", "url"), FieldOp.CHANGE, "old", value),)
    base = change("ConfigMap/n/a", Action.UPDATE, *fields)
    return replace(base, desired=document(value, **more), made=made, expects=f"sha256:{value}")


def identifier(one: Change) -> str:
    return plan_id(plan_of(one))


@pytest.mark.parametrize(("declared", "filled"), [(IP, "203.0.113.9"), (URL, "https://203.0.113.9/hook")])
def test_before_and_after_a_value_is_filled_in_there_is_one_id(
    declared: OutputRef | OutputTemplate, filled: str
) -> None:
    before = identifier(taking(declared, stamp="1"))
    assert before == identifier(taking(filled, declared, stamp="2"))
    assert before == identifier(taking(filled + "0", declared, stamp="3")), "whatever the controller gives"


@pytest.mark.parametrize(
    "other",
    [
        taking("203.0.113.9"),
        taking(replace(IP, output="spec.clusterIP")),
        taking("203.0.113.9", replace(IP, output="spec.clusterIP")),
        taking(URL),
        taking("203.0.113.9", IP, data={"more": "1"}),
        replace(taking("203.0.113.9", IP), wait="none"),
    ],
)
def test_another_reference_a_plain_value_or_another_field_moves_the_id(other: Change) -> None:
    assert identifier(taking(IP)) != identifier(other)
