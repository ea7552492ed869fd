"""Two plans side by side: what each does to which resource, as text and as JSON."""

from __future__ import annotations

from planner.plan import Plan
from planner.plan_difference import first_plan_difference, plan_differences
from planner.plan_id import plan_id, short_plan_id
from planner.render.json_text import render_document_as_json
from planner.text_safe import safe_text


def render_plan_comparison(before: Plan, after: Plan) -> str:
    """The comparison of two plans as text: the differences of `after` from `before`, a line each, and whether one
    approval covers both."""
    found = plan_differences(before, after)
    lines = [f"{safe_text(str(one.address))}: {safe_text(one.text)}" for one in found]
    if plan_id(before) == plan_id(after):
        return "\n".join([*lines, f"the same effect: plan {short_plan_id(plan_id(after))}"])
    if not lines:
        lines = [safe_text(first_plan_difference(before, after))]
    count = f"{len(lines)} difference{'' if len(lines) == 1 else 's'}"
    return "\n".join([*lines, f"{count}: plan {short_plan_id(plan_id(before))} became {short_plan_id(plan_id(after))}"])


def render_plan_comparison_json(before: Plan, after: Plan) -> str:
    """The comparison of two plans as JSON text without a final newline: both ids, whether their effect is the same,
    each difference with its address and both sides, and the first one as text ("" where there is none)."""
    same = plan_id(before) == plan_id(after)
    rows = [
        {"address": str(one.address), "before": one.before, "after": one.after, "difference": one.text}
        for one in plan_differences(before, after)
    ]
    document = {
        "schemaVersion": 1,
        "before": plan_id(before),
        "after": plan_id(after),
        "sameEffect": same,
        "differences": rows,
        "first": "" if same else first_plan_difference(before, after),
    }
    return render_document_as_json(document)
