"""A plan as JSON: the very bytes of a plan file (see planner.plan_document), as text."""

from __future__ import annotations

from planner.plan import Plan
from planner.plan_document import dump


def render_json(plan: Plan) -> str:
    """The document of spec 05, "The plan as JSON", with one newline at its end."""
    return dump(plan).decode()
