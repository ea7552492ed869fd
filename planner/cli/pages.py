"""Pages: which renderer shows what, and the command to paste. Thin: a renderer is chosen here, text is made there."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from planner.address import Address
from planner.app.request import Request
from planner.cli.output import colour, page, width
from planner.plan import Plan
from planner.plan_document import plan_id
from planner.render.text_safe import safe

if TYPE_CHECKING:
    from planner.app.make import Made
    from planner.app.run import Report
    from planner.drift import DriftReport
    from planner.graph import ResourceGraph

_PLAN_FORMS = ("text", "json", "markdown", "html")
_MOST_TARGETS = 3  # more of them are harder to read than the whole selection


def plan_page(
    made: Made,
    request: Request,
    form: str,
    *,
    verb: str = "apply",
    saved: Path | None = None,
    confirmed: bool = False,
) -> str:
    """A plan that was made now, in one of the forms, with the command that applies exactly it."""
    if form not in _PLAN_FORMS:
        return _drawn(made.plan, made.graph, form)
    command = "" if confirmed else _command(made.plan, request, verb, saved)
    if form == "text" and request.quiet:
        return _verdict(made.plan, command)
    told = _plan_text(made.plan, form, command, made.notes, made.graph)
    return told + (_unchanged(made) if _wants_all(request, form) else "")


def _wants_all(request: Request, form: str) -> bool:
    return form == "text" and request.verbose


def _unchanged(made: Made) -> str:
    """What `-v` adds: the resources that need nothing."""
    touched = {change.address for change in made.plan.changes} | {one.address for one in made.plan.blocked}
    quiet = [address.local for address in made.graph.order() if address not in touched]
    return "".join(["\nunchanged\n", *(f"    = {safe(one)}\n" for one in quiet)]) if quiet else ""


def _verdict(plan: Plan, command: str) -> str:
    """What `-q` leaves of a page."""
    from planner.render.view import make_view

    view = make_view(plan, command=command)
    return "\n".join(line for line in (view.verdict, f"plan {view.identifier}", command) if line)


def saved_page(plan: Plan, request: Request, form: str, *, file: Path | None = None) -> str:
    """A plan that was saved, in one of the forms."""
    if form not in _PLAN_FORMS:
        from planner.render.plan_graph import graph_of_plan

        return _drawn(plan, graph_of_plan(plan), form)
    command = f"hwplan apply {shlex.quote(str(file))}{_common(request)} --confirm" if file else ""
    return _plan_text(plan, form, command, {})


def _drawn(plan: Plan, graph: ResourceGraph, form: str) -> str:
    from planner.render.graphs import render_graph

    return render_graph(graph, form, {change.address: str(change.action) for change in plan.changes})


def _plan_text(
    plan: Plan, form: str, command: str, notes: Mapping[Address, str], graph: ResourceGraph | None = None
) -> str:
    match form:
        case "json":
            from planner.render.plan_json import render_json

            return render_json(plan, for_terminal=sys.stdout.isatty())
        case "markdown":
            from planner.render.markdown import render_markdown

            return render_markdown(plan, command=command, notes=notes)
        case "html":
            from planner.render.html import render_html

            return render_html(plan, graph, command=command, notes=notes)
        case _:
            return _terminal(plan, command, notes)


def _terminal(plan: Plan, command: str, notes: Mapping[Address, str]) -> str:
    from planner.render.terminal import render_plan

    return render_plan(plan, command=command, width=width(), colour=colour(), notes=notes)


def run_page(report: Report, request: Request, as_json: bool) -> int:
    """Show what became of a run; gives the exit code."""
    if as_json:
        page(json.dumps(_run_document(report), indent=1, sort_keys=True))
        return report.exit_code
    from planner.render.run_summary import blocked_lines, render_run

    if report.result is None:
        blocked = blocked_lines(report.plan)
        page("\n".join(["nothing that can be done", *blocked]) if blocked else "nothing to do")
        return report.exit_code
    page(render_run(report.plan, report.result, run=report.run, command=_again(report, request)))
    return report.exit_code


def _run_document(report: Report) -> dict[str, object]:
    outcomes = report.result.outcomes if report.result else {}
    return {
        "schemaVersion": 1,
        "run": report.run,
        "plan": report.plan_id,
        "cluster": {"uid": report.plan.cluster.uid, "simulated": report.plan.cluster.simulated},
        "exitCode": report.exit_code,
        "nodes": [
            {
                "address": str(address),
                "action": str(ended.action),
                "result": str(ended.result),
                "seconds": round(ended.seconds, 3),
                "message": ended.message,
            }
            for address, ended in outcomes.items()
        ],
        "blocked": [{"address": str(one.address), "reason": one.reason} for one in report.plan.blocked],
    }


def drift_page(report: DriftReport, request: Request, form: str) -> str:
    """A drift report, with the command that puts things back."""
    from planner.drift import State
    from planner.render.drift_json import render_drift_json
    from planner.render.drift_text import render_drift

    if form == "json":
        return render_drift_json(report, for_terminal=sys.stdout.isatty())
    drifted = [row.address.local for row in report.rows if row.state in (State.DRIFTED, State.BOTH)]
    only = "".join(f" --target {shlex.quote(one)}" for one in drifted) if len(drifted) <= _MOST_TARGETS else ""
    command = f"hwplan apply{_words(request)}{only}{_where_to_apply(request)} --confirm"
    return render_drift(report, width=width(), colour=colour(), command=command)


def graph_page(graph: ResourceGraph, form: str) -> str:
    """A graph in one of the forms."""
    from planner.render.graphs import render_graph

    return render_graph(graph, form)


def _command(plan: Plan, request: Request, verb: str, saved: Path | None) -> str:
    if plan.is_empty:
        return ""
    if saved is not None:
        return f"hwplan apply {shlex.quote(str(saved))}{_where_to_apply(request)} --confirm"
    bound = "" if verb == "destroy" else f" --plan-id {plan_id(plan)}"
    return f"hwplan {verb}{_words(request)}{_where_to_apply(request)}{bound} --confirm"


def _where_to_apply(request: Request) -> str:
    """A plan of a snapshot is applied to the cluster that was saved, by somebody who has credentials and a state."""
    from planner.app.recorded import is_snapshot

    return "" if is_snapshot(request.live) else _common(request)


def command_of(verb: str, request: Request) -> str:
    """The command of another verb about the same selection."""
    return f"hwplan {verb}{_words(request)}{_common(request)}"


def _again(report: Report, request: Request) -> str:
    look = "destroy" if report.plan.destroy else "plan"
    verb = look if report.all_done else "apply --resume --confirm"
    return f"hwplan {verb}{_words(request)}{_common(request)}"


def _words(request: Request) -> str:
    """The selecting words, as they were given."""
    pairs = [
        *(("--product", word) for word in (request.product,) if word),
        *(("--node", word) for word in request.nodes),
        *(("--lane", word) for word in request.lanes),
        *(("--scope", word) for word in request.scopes),
        *(("--target", word) for word in request.targets),
        *(("--exclude", word) for word in request.exclude),
        *(("-f", word) for word in request.files),
        *(("--name", word) for word in (request.name,) if word),
        *(("-n", word) for word in (request.namespace,) if word != "default"),
    ]
    return "".join(f" {option} {shlex.quote(word)}" for option, word in pairs)


def _common(request: Request) -> str:
    """The options that say where: the same command must ask the same world."""
    pairs = [
        ("--live", str(request.live) if request.live else ""),
        ("--kubeconfig", request.kubeconfig),
        ("--context", request.context),
        ("--state", request.state),
    ]
    return "".join(f" {option} {shlex.quote(word)}" for option, word in pairs if word)
