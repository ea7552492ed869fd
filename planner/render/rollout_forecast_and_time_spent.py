"""Pages of a rollout: what it will probably take, and what became of it in a table of stages."""

from __future__ import annotations

from collections.abc import Sequence

from planner.duration import render_duration
from planner.plan import Action
from planner.plan_document import field_change_document
from planner.render.field_detail import field_detail
from planner.rollout.argo_prediction import ArgoPrediction, PredictedArgoChange
from planner.rollout.forecast import RolloutDurationForecast
from planner.rollout.rollout_time_spent import RolloutTimeSpent
from planner.text_safe import safe_text
from planner.values import JsonObject

_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.RUN: "»"}
_MOST_FIELDS = 6  # of one object
_WORDS = {
    "no": "within the budget",
    "possibly": "one in ten breaks the budget",
    "probably": "breaks the budget",
    "unknown": "unknown",
}


def render_rollout_forecast(one: RolloutDurationForecast, subject: str) -> str:
    """The lines about how long a planned rollout of `subject` will probably take."""
    budget = render_duration(one.budget)
    if not one.stages:
        past = (
            f"the journal has no rollout of {subject}" if not one.runs else "no rollout of the journal had its stages"
        )
        return f"what it will probably take: unknown, {past} · budget {budget}"
    lines = [f"what it will probably take, from {one.runs} rollout{'s' * (one.runs != 1)} of {subject}"]
    lines.append(f"  {'stage':<14} {'expected':>8} {'p90':>8}")
    for stage in one.stages:
        lines.append(f"  {stage.stage:<14} {render_duration(stage.expected):>8} {render_duration(stage.p90):>8}")
    lines.append(f"  {'critical path':<14} {render_duration(one.expected):>8} {render_duration(one.p90):>8}")
    path = " -> ".join(one.path)
    return "\n".join([*lines, f"  {path} · budget {budget}: {_WORDS[one.breaks_budget]}"])


def rollout_forecast_document(one: RolloutDurationForecast) -> JsonObject:
    """The forecast of a rollout as a document for programs. Seconds."""
    return {
        "runs": one.runs,
        "stages": [{"stage": str(s.stage), "expected": s.expected, "p90": s.p90} for s in one.stages],
        "criticalPath": [str(stage) for stage in one.path],
        "expected": one.expected,
        "p90": one.p90,
        "budget": one.budget,
        "breaksBudget": one.breaks_budget,
    }


def render_argo_prediction(one: ArgoPrediction) -> str:
    """The lines about what Argo CD will change."""
    if one.problem:
        return f"what Argo CD will change: unknown, {safe_text(one.problem)}"
    if not one.changes:
        return f"what Argo CD will change: nothing, {one.unchanged} objects are as they will be promoted"
    number = len(one.changes)
    lines = [f"what Argo CD will change: {number} object{'s' * (number != 1)}, {one.unchanged} stay as they are"]
    for change in one.changes:
        lines += _predicted(change)
    known = f"unknown until they are built: the digests of {', '.join(one.unknown)}" if one.unknown else ""
    return "\n".join([*lines, *([f"  {safe_text(known)}"] if known else [])])


def _predicted(change: PredictedArgoChange) -> list[str]:
    lines = [f"  {_SIGNS[change.action]} {safe_text(change.address.local)}"]
    for field in change.fields[:_MOST_FIELDS]:
        shown = field_detail(field, 1)
        sides = " -> ".join(side for side in (shown.before, shown.after) if side)
        lines.append(f"      {shown.path}: {sides or shown.note}")
    if len(change.fields) > _MOST_FIELDS:
        lines.append(f"      {len(change.fields) - _MOST_FIELDS} more fields")
    return lines


def promotion_prediction_document(one: ArgoPrediction | None) -> JsonObject | None:
    """What Argo CD will change after a promotion, as a document for programs; null where nothing is to be synced."""
    if one is None:
        return None
    changes = [
        {
            "address": change.address.local,
            "action": str(change.action),
            "fields": [field_change_document(field) for field in change.fields],
        }
        for change in one.changes
    ]
    return {
        "changes": changes,
        "unchanged": one.unchanged,
        "unknownDigests": list(one.unknown),
        "problem": one.problem or None,
    }


def render_rollout_time_spent(spent: RolloutTimeSpent | None, warnings: Sequence[str]) -> str:
    """The table of a rollout that is over, and its warnings."""
    lines = []
    if spent is not None:
        lines.append(f"{spent.split} · total {render_duration(spent.total)} · git mirror {spent.mirror}")
    return "\n".join([*lines, *(f"warning: {safe_text(text)}" for text in warnings)])


def rollout_time_spent_document(spent: RolloutTimeSpent | None) -> JsonObject:
    """The time that a rollout spent in each stage, as a document for programs. Seconds."""
    if spent is None:
        return {}
    return {
        "total": round(spent.total, 3),
        "pipelineWait": round(spent.pipeline_wait, 3),
        "stages": {str(stage): round(seconds, 3) for stage, seconds in spent.stages},
        "gitMirror": spent.mirror,
    }
