"""Verbs that plan and apply one part of a selection, by kind: without --confirm the plan, with it exactly that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.app.request import Request
from planner.cli.output import page

if TYPE_CHECKING:
    from planner.app.make import Only, Prune


def apply_part(
    request: Request,
    only: Only,
    verb: str,
    *,
    confirm: bool,
    plan_id: str,
    json: bool,
    how: Any,
    prune: Prune | None = None,
) -> int:
    """Plan the resources that `only` says yes to, and the deletes that `prune` does; apply them when confirmed.

    Gives the exit code of `apply`.
    """
    from planner.app.kept import keep
    from planner.app.make import made
    from planner.app.run import apply_made
    from planner.cli.pages import plan_page, run_page
    from planner.cli.words import run_options

    options = run_options(request, **how)
    with made(request, only=only, prune=prune) as (one, session):
        if not confirm:
            keep(request, one.plan)
            page(plan_page(one, request, "json" if json else "text", verb=verb), exact=json)
            return 0
        if not json and not request.quiet:
            page(plan_page(one, request, "text", confirmed=True))
        report = apply_made(one, session, options, approved=plan_id)
    return run_page(report, request, json)
