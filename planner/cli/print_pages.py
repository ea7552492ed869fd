"""Printing pages of plans, runs, drift and graphs to the terminal, with the command to paste. Thin: a renderer is
chosen here, text is made there."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.address import Address
from planner.app.request import Request
from planner.cli.guard_warnings import (
    allow_options_text,
    guard_warnings,
    guards_refusing_fresh_plan,
    guards_refusing_saved_plan,
)
from planner.cli.terminal_output import terminal_width, wants_colour
from planner.plan import Plan
from planner.plan_id import short_plan_id
from planner.text_safe import safe_text

if TYPE_CHECKING:
    from planner.app.plan_with_inputs import PlanWithInputs
    from planner.drift import DriftReport
    from planner.errors import GuardRefused
    from planner.graph import ResourceGraph
    from planner.render.git_change_under_review import GitChangeUnderReview

_PLAN_FORMS = ("text", "wide", "json", "yaml", "markdown", "html")
_WIDE = 500  # columns: no line of a plan is folded or cut for the terminal
_MOST_TARGETS = 3  # more of them are harder to read than the whole selection


def print_plan(
    made: PlanWithInputs,
    request: Request,
    form: str,
    *,
    verb: str = "apply",
    saved: Path | None = None,
    confirmed: bool = False,
    review: GitChangeUnderReview | None = None,
    allow: Sequence[str] = (),
    offer: bool = True,
) -> str:
    """Print a plan that was made now, in one of the forms, with the command that applies exactly it unless `offer`
    is false. Where guards will refuse it the page says so, but for those that `allow` names; when it is `confirmed`
    they are about to be judged."""
    if form not in _PLAN_FORMS:
        return _drawn(made.plan, made.graph, form)
    fired = () if confirmed else guards_refusing_fresh_plan(made, request)
    command = _command(made, request, verb, saved, fired) if offer and not confirmed else ""
    guards = [one for one in fired if one.guard not in allow]
    from planner.render.git_change_under_review import NO_CHANGE_UNDER_REVIEW

    known = review or NO_CHANGE_UNDER_REVIEW
    known = replace(known, identifier=known.identifier or made.identifier)
    if form == "text" and request.quiet:
        return _verdict(made.plan, command, known, guards)
    reported = _plan_text(
        made.plan, form, command, made.notes, made.graph, full=request.full, review=known, guards=guards
    )
    return reported + (_unchanged(made) if _wants_all(request, form) else "")


def _wants_all(request: Request, form: str) -> bool:
    return form == "text" and request.verbose


def _unchanged(made: PlanWithInputs) -> str:
    """What `-v` adds: the resources that need nothing."""
    touched = {change.address for change in made.plan.changes} | {one.address for one in made.plan.blocked}
    quiet = [address.local for address in made.graph.order() if address not in touched]
    return "".join(["\nunchanged\n", *(f"    = {safe_text(one)}\n" for one in quiet)]) if quiet else ""


def _verdict(plan: Plan, command: str, review: GitChangeUnderReview, guards: Sequence[GuardRefused]) -> str:
    """What `-q` leaves of a page."""
    from planner.render.plan_view import make_plan_view

    view = make_plan_view(plan, command=command, review=review)
    named = "" if view.identifier in command else f"plan {view.identifier}"
    warnings = [f"warning: {words}" for words in guard_warnings(guards)]
    return "\n".join(line for line in (*warnings, view.verdict, named, command) if line)


def print_saved_plan(
    plan: Plan, request: Request, form: str, *, file: Path | None = None, allow: Sequence[str] = ()
) -> str:
    """Print a plan that was saved, in one of the forms. `allow` as in print_plan."""
    if form not in _PLAN_FORMS:
        from planner.render.plan_graph import graph_of_plan

        return _drawn(plan, graph_of_plan(plan), form)
    fired = guards_refusing_saved_plan(plan)
    command = (
        f"hwplan apply {shlex.quote(str(file))}{_common(request)}{allow_options_text(fired)} --confirm" if file else ""
    )
    guards = [one for one in fired if one.guard not in allow]
    return _plan_text(plan, form, command, {}, full=request.full, guards=guards)


def _drawn(plan: Plan, graph: ResourceGraph, form: str) -> str:
    from planner.render.graph_formats import render_graph_as

    return render_graph_as(graph, form, {change.address: str(change.action) for change in plan.changes})


def _plan_text(
    plan: Plan,
    form: str,
    command: str,
    notes: Mapping[Address, str],
    graph: ResourceGraph | None = None,
    *,
    full: bool = False,
    review: GitChangeUnderReview | None = None,
    guards: Sequence[GuardRefused] = (),
) -> str:
    from planner.render.git_change_under_review import NO_CHANGE_UNDER_REVIEW

    known = review or NO_CHANGE_UNDER_REVIEW
    known = replace(known, guards=guard_warnings(guards)) if guards else known
    match form:
        case "json":
            from planner.render.plan_json import render_plan_json

            return render_plan_json(plan, guards=guards, notes=notes, review=known, for_terminal=sys.stdout.isatty())
        case "yaml":
            from planner.cli.output_formats import as_yaml
            from planner.render.plan_json import render_plan_json

            return as_yaml(render_plan_json(plan, guards=guards, notes=notes, review=known))
        case "wide":
            from planner.render.plan_text import render_plan_text

            return render_plan_text(
                plan, command=command, width=_WIDE, colour=wants_colour(), notes=notes, full=True, review=known
            )
        case "markdown":
            from planner.render.plan_markdown import render_plan_markdown

            return render_plan_markdown(plan, command=command, notes=notes, review=known)
        case "html":
            from planner.render.plan_html import render_plan_html

            return render_plan_html(plan, graph, command=command, notes=notes, review=known)
        case _:
            return _terminal(plan, command, notes, full, known)


def _terminal(plan: Plan, command: str, notes: Mapping[Address, str], full: bool, review: GitChangeUnderReview) -> str:
    from planner.render.plan_text import render_plan_text

    width, colour = terminal_width(), wants_colour()
    return render_plan_text(plan, command=command, width=width, colour=colour, notes=notes, full=full, review=review)


def exit_code_of_plan_only_shown(plan: Plan) -> int:
    """The exit code of a verb that only showed `plan`: what is blocked will not become what was asked for."""
    return 1 if plan.blocked else 0


def print_drift_report(report: DriftReport, request: Request, form: str) -> str:
    """Print a drift report in one of the forms, with the command that puts things back."""
    from planner.drift import DriftState
    from planner.render.drift_fields import undeclared_drift_fields
    from planner.render.drift_json import render_drift_json
    from planner.render.drift_text import render_drift_text

    if form == "json":
        return render_drift_json(report)
    drifted = [row.address.local for row in report.rows if row.state in (DriftState.DRIFTED, DriftState.BOTH)]
    only = "".join(f" --target {shlex.quote(one)}" for one in drifted) if len(drifted) <= _MOST_TARGETS else ""
    added = [
        row.address.local
        for row in report.rows
        if row.state in (DriftState.DRIFTED, DriftState.BOTH)
        and any(change.manager for change in undeclared_drift_fields(row))  # what nobody is known to own it leaves
    ]
    reset = "".join(f" --reset-undeclared {shlex.quote(one)}" for one in added)
    command = f"hwplan apply{_words(request)}{only}{reset}{_where_to_apply(request)} --confirm"
    return render_drift_text(report, width=terminal_width(), colour=wants_colour(), command=command)


def print_graph(graph: ResourceGraph, form: str) -> str:
    """Print a graph in one of the forms."""
    from planner.render.graph_formats import render_graph_as

    return render_graph_as(graph, form)


def _command(
    made: PlanWithInputs, request: Request, verb: str, saved: Path | None, fired: Sequence[GuardRefused]
) -> str:
    plan = made.plan
    if plan.is_empty or (saved is None and not plan.applyable and plan.blocked):
        return ""  # what is blocked stays so when the same command is given again
    bound = f" --plan-id {short_plan_id(made.identifier)}"
    if saved is not None:
        options = f"{_where_to_apply(request)}{bound}{allow_options_text(fired)}"
        return f"hwplan apply {shlex.quote(str(saved))}{options} --confirm"
    return f"hwplan {verb}{_words(request)}{_where_to_apply(request)}{bound}{allow_options_text(fired)} --confirm"


def _where_to_apply(request: Request) -> str:
    """A plan of a snapshot is applied to the cluster that was saved, by somebody who has credentials and a state."""
    from planner.app.snapshot_records import is_saved_snapshot

    return "" if is_saved_snapshot(request.live) else _common(request)


def command_line_for_verb(verb: str, request: Request) -> str:
    """The command of another verb about the same selection."""
    return f"hwplan {verb}{_words(request)}{_common(request)}"


def command_line_for_object(verb: str, request: Request, address: Address) -> str:
    """The command of a verb about one object of the same selection."""
    bare = replace(request, targets=(), exclude=(), take_over=(), reset_undeclared=())
    return f"hwplan {verb} {shlex.quote(address.local)}{_words(bare)}{_common(request)}"


def _words(request: Request) -> str:
    """The selecting words, as they were given."""
    pairs = [
        *request.selecting_words,
        *(("--take-over", word) for word in request.take_over),
        *(("--reset-undeclared", word) for word in request.reset_undeclared),
    ]
    return "".join(f" {option} {shlex.quote(word)}" for option, word in pairs)


def _common(request: Request) -> str:
    """The options that say where: the same command must ask the same world."""
    return "".join(f" {option} {shlex.quote(word)}" for option, word in request.world_words)
