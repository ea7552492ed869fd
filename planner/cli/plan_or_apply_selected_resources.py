"""The shared part of verbs that plan and apply resources of some kinds only: without --confirm the plan, with it
exactly that."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias

from planner.app.request import Request
from planner.cli.terminal_output import print_page
from planner.dataclass import dataclass
from planner.values import JsonObject

if TYPE_CHECKING:
    from planner.app.apply_plan import RunReport
    from planner.app.plan_with_inputs import Only, PlanWithInputs, Prune, Rewrite
    from planner.app.session import Session


@dataclass(frozen=True, slots=True)
class VerbFactsBesidePlan:
    """What a verb knows beside its plan: text in front of the page, and keys around the plan in JSON."""

    page: str = ""
    document: JsonObject = field(default_factory=dict)

    def beside(self, page: str) -> str:
        """The JSON of a plan with these keys; the plan as it is where there are none."""
        if not self.document:
            return page
        from planner.render.json_text import render_document_as_json

        return render_document_as_json({**self.document, "plan": json_module.loads(page)})


Facts: TypeAlias = "Callable[[PlanWithInputs], VerbFactsBesidePlan]"


def plan_or_apply_selected_resources(
    request: Request,
    only: Only,
    verb: str,
    *,
    confirm: bool,
    plan_id: str,
    json: bool,
    how: Any,
    prune: Prune | None = None,
    named: str = "",
    rewrite: Rewrite | None = None,
    extra: Callable[[RunReport], JsonObject] | None = None,
    look: str = "",
    facts: Facts | None = None,
) -> int:
    """Plan the resources that `only` says yes to, of those that `rewrite` makes of the declared ones, and the deletes
    that `prune` does, or just that of the Secret `named`; apply them when confirmed.

    `extra` adds to the JSON of the run; `facts` are shown in front of the plan, and stand beside it in JSON. Gives the
    exit code of `apply`.
    """
    from planner.app.plan_with_inputs import open_session_with_plan

    opened = open_session_with_plan(request, only=only, prune=prune, named=named, rewrite=rewrite)
    return show_or_apply_plan_of_opener(
        opened, request, verb, confirm=confirm, plan_id=plan_id, json=json, how=how, extra=extra, look=look, facts=facts
    )


def show_or_apply_plan_of_opener(
    opened: AbstractContextManager[tuple[PlanWithInputs, Session]],
    request: Request,
    verb: str,
    *,
    confirm: bool,
    plan_id: str,
    json: bool,
    how: Any,
    extra: Callable[[RunReport], JsonObject] | None = None,
    look: str = "",
    facts: Facts | None = None,
) -> int:
    """Show a plan that `opened` makes, or apply exactly it when confirmed. Gives the exit code of `apply`.

    `look` is the verb that shows whether anything is left, `verb` itself unless it is always due. What is left of
    `verb` it plans itself when it is given again, from what is there then; one that is always due is resumed.
    """
    from planner.app.apply_plan import apply_fresh_plan
    from planner.app.approvals_and_shown_plans import store_shown_plan
    from planner.cli.print_pages import exit_code_of_plan_only_shown, print_plan
    from planner.cli.print_runs import print_run_result
    from planner.cli.run_options import make_run_choices

    again = "" if look else verb
    options = make_run_choices(request, again=again, **how)
    with opened as (one, session):
        known = facts(one) if facts else VerbFactsBesidePlan()
        if not confirm:
            store_shown_plan(request, one)
            page = print_plan(one, request, "json" if json else "text", verb=verb, allow=options.allow)
            print_page(known.beside(page) if json else known.page + page)
            return exit_code_of_plan_only_shown(one.plan)
        if not json and not request.quiet:
            print_page(known.page + print_plan(one, request, "text", confirmed=True))
        report = apply_fresh_plan(one, session, options, approved=plan_id)
    added = extra if facts is None else lambda _: known.document
    return print_run_result(report, request, json, added, made=one, look=look or verb, again=again)
