"""The effect of a plan in a sentence or three."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.plan import Action, FieldChange, FieldOp, Plan, SideEffect, SideEffectKind
from planner.render.plan_headline import plan_headline
from planner.values import JsonObject
from tests.unit.render.sample_plans import change, plan_of

IMAGE = ("spec", "template", "spec", "containers", "image")
WEB = "Deployment.apps/shop/web"


def rolled(kind: SideEffectKind, *, replicas: int | None = None, action: Action = Action.UPDATE) -> Plan:
    """A Deployment with another image, and what that sets off."""
    spec: JsonObject = {"template": {"spec": {"terminationGracePeriodSeconds": 45}}}
    spec |= {} if replicas is None else {"replicas": replicas}
    one = change(WEB, action, FieldChange(IMAGE, FieldOp.CHANGE, "web:1", "web:2"), desired={"spec": spec})
    return replace(plan_of(one), sets_off=(SideEffect(one.address, kind, "as it is said elsewhere"),))


def said(plan: Plan) -> str:
    """The words as a terminal shows them."""
    return "".join(plan_headline(plan))


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (
            rolled(SideEffectKind.OUTAGE),
            "Deployment shop/web restarts its pod with image web:2 and serves nobody for up to 45 s plus its start. "
            "Nothing is deleted.",
        ),
        (
            rolled(SideEffectKind.RESTART, replicas=3),
            "Deployment shop/web restarts its 3 pods with image web:2 without a gap. Nothing is deleted.",
        ),
        (rolled(SideEffectKind.OUTAGE, replicas=0), "Deployment shop/web stops for good. Nothing is deleted."),
        (
            rolled(SideEffectKind.OUTAGE, action=Action.DELETE),
            "Deployment shop/web is deleted and stops for good. ",
        ),
        (plan_of(change("ConfigMap/a/b", Action.CREATE)), "ConfigMap b is created; nothing is deleted."),
        (plan_of(change("ConfigMap/a/b", Action.DELETE)), "ConfigMap b is deleted."),
        (plan_of(), ""),
    ],
)
def test_the_effect_in_words(plan: Plan, words: str) -> None:
    assert said(plan) == words


def test_several_are_listed_and_the_rest_is_counted() -> None:
    plan = plan_of(*(change(f"ConfigMap/a/c{at}", Action.UPDATE) for at in range(7)))
    assert said(plan) == "ConfigMap c0, ConfigMap c1, ConfigMap c2 and 4 more change; nothing is deleted."
