"""Printing what became of a run, as a page or as JSON, with the warnings of its plan in both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from planner.app.request import Request
from planner.cli.print_pages import command_line_for_verb
from planner.cli.terminal_output import print_json, print_page
from planner.text_safe import safe_text
from planner.values import JsonObject

if TYPE_CHECKING:
    from planner.app.apply_plan import RunReport
    from planner.app.plan_with_inputs import PlanWithInputs


def print_run_result(
    report: RunReport,
    request: Request,
    as_json: bool,
    extra: Callable[[RunReport], JsonObject] | None = None,
    *,
    made: PlanWithInputs | None = None,
    look: str = "",
    again: str = "",
) -> int:
    """Print what became of a run that was just carried out; gives the exit code. `extra` are keys that a verb adds
    to the document, `made` is the plan with its remarks, where this command made it, `look` is the verb that shows
    whether anything is left, `again` the verb that goes on with what is (else `apply --resume`)."""
    if as_json:
        added = extra(report) if extra else {}
        print_json({**run_document(report, made), **added})
        return report.exit_code
    from planner.render.run_summary import render_run_summary

    if report.result is None:
        print_page(print_plan_without_changes(report))
        return report.exit_code
    page = render_run_summary(report.plan, report.result, run=report.run, command=_again(report, request, look, again))
    print_page(page.rpartition("\n")[2] if request.quiet and report.exit_code == 0 else page)
    return report.exit_code


def print_plan_without_changes(report: RunReport) -> str:
    """Print the page of a plan of which nothing could be done, or had to be."""
    from planner.render.run_summary import blocked_lines

    blocked = blocked_lines(report.plan)
    return "\n".join(["nothing that can be done", *blocked]) if blocked else "nothing to do"


def run_document(report: RunReport, made: PlanWithInputs | None = None) -> dict[str, object]:
    """The JSON of a run: its number, plan, cluster, exit code, verdict, the end of each change, and the warnings of the
    plan, with the remarks of `made` where this command made it: what its page says in text."""
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
                "message": ended.shown,
                "warnings": list(ended.warnings),
            }
            for address, ended in outcomes.items()
        ],
        "blocked": [{"address": str(one.address), "reason": one.reason} for one in report.plan.blocked],
        "warnings": warnings_of_run(report, made),
    }


def warnings_of_run(report: RunReport, made: PlanWithInputs | None) -> list[str]:
    """The warnings of the plan of a run, with the remarks of `made`."""
    return [*report.plan.warnings, *(plan_remarks_without_line(made) if made else ())]


def plan_remarks_without_line(made: PlanWithInputs) -> tuple[str, ...]:
    """What a page of the plan says of resources that have no line in it."""
    touched = {one.address for one in made.plan.changes} | {one.address for one in made.plan.blocked}
    return tuple(
        f"{safe_text(one.local)}: {safe_text(note)}" for one, note in sorted(made.notes.items()) if one not in touched
    )


def print_warnings_of_plan(made: PlanWithInputs) -> None:
    """Print the warnings that a page of the plan has, for a verb that carries it out without a page."""
    from planner.render.blocked_reasons_and_warnings import deduplicated_warnings

    warnings = (*deduplicated_warnings(made.plan.warnings), *plan_remarks_without_line(made))
    if warnings:
        print_page("\n".join(f"warning: {one}" for one in warnings))


def _again(report: RunReport, request: Request, look: str, again: str) -> str:
    look = look or ("destroy" if report.plan.destroy else "plan")
    verb = look if report.all_done else f"{again or 'apply --resume'} --confirm"
    return command_line_for_verb(verb, request)
