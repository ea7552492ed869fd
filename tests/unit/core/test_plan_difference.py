"""The first difference of two plans: what a refused approval says. It names values, and never a secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planner.plan import Action, Change, FieldChange, FieldOp, Precondition, VerifiedBy
from planner.plan_difference import first_plan_difference
from tests.unit.render.sample_plans import change, mixed, plan_of

LEVEL = FieldChange(("data", "level"), FieldOp.CHANGE, "info", "debug")
PASSWORD = FieldChange(("data", "password"), FieldOp.CHANGE, "hmac-sha256:00", "hmac-sha256:11", sensitive=True)
HEAD = "ConfigMap/n/a: "


def one(*fields: FieldChange, **more: Any) -> Change:
    return replace(change("ConfigMap/n/a", Action.UPDATE, *fields), **more)


@pytest.mark.parametrize(
    ("approved", "now", "reported"),
    [
        (one(LEVEL), one(replace(LEVEL, before="trace")),
         'data.level: approved was "info" -> "debug", now it is "trace" -> "debug"'),
        (one(LEVEL), one(replace(LEVEL, op=FieldOp.REMOVE)),
         'data.level: approved was "info" -> "debug", now it is remove "info"'),
        (one(replace(LEVEL, after="x" * 99 + "a")), one(replace(LEVEL, after="x" * 99 + "b")),
         "data.level: another value"),
        (one(PASSWORD), one(replace(PASSWORD, after="hmac-sha256:22")), "data.password: another value"),
        (one(LEVEL), one(LEVEL, PASSWORD), "another field: data.password"),
        (one(LEVEL), one(LEVEL, action=Action.REPLACE), "update became replace"),
        (one(LEVEL), one(LEVEL, precondition=Precondition(uid="u-2")), "the live object changed since"),
        (one(LEVEL), one(LEVEL, desired={"a": 1}), "the document to write is another one"),
    ],
)  # fmt: skip
def test_of_one_change(approved: Change, now: Change, reported: str) -> None:
    assert first_plan_difference(plan_of(approved), plan_of(now)) == HEAD + reported
    assert "hmac" not in reported


def test_of_which_changes_there_are() -> None:
    assert first_plan_difference(plan_of(), plan_of(one(LEVEL))) == HEAD + "update was not in it"
    assert first_plan_difference(plan_of(one(LEVEL)), plan_of()).startswith(HEAD + "update was in it")
    other = replace(plan_of(), cluster=replace(plan_of().cluster, uid="another-cluster"))
    assert first_plan_difference(plan_of(), other) == "approved for cluster 3f0c51ab, this is another-"


def test_who_was_asked_is_no_difference() -> None:
    plan = mixed()
    asked = tuple(replace(change, verified=VerifiedBy.NO) for change in plan.changes)
    assert "another one" in first_plan_difference(plan, replace(plan, changes=asked))
