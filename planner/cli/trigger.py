"""`hwplan trigger`: the rollout of one lane as one command, with its budget (spec 02, S05 and S14).

Exit codes: those of apply, and 3 when a newer commit took over, 4 when it is not over in time.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options
from planner.cli.detached import detachable, start_as_detached_job
from planner.cli.terminal_output import print_json, print_page
from planner.text_safe import safe_text

if TYPE_CHECKING:
    from planner.app.trigger import PlannedRollout, RolloutReport

_TIMEOUT = "5m"  # of the waiting (B5): what runs goes on
_JOB_TIMEOUT = "1h"
_PATIENCE = "30s"  # an older rollout that was overtaken gives its lock back within this time (B2)


@click.command()
@selection_options
@approval_options
@click.option("--rerun", is_flag=True, help="Delete a run of this commit that did not succeed, and make it anew.")
@click.option(
    "--rebuild", is_flag=True, help="Run this commit again, and build every image: one has left the registry."
)
@click.option("--source-commit", default="", metavar="COMMIT", help="Refuse unless the branch stands on this commit.")
@click.option(
    "--hold",
    "reason",
    default="",
    metavar="REASON",
    help="Hold the lane at --source-commit, an older one too, until `hwplan hold release`.",
)
@detachable
@apply_options
def trigger(
    request: Request,
    plan_id: str,
    rerun: bool,
    rebuild: bool,
    source_commit: str,
    reason: str,
    detached: bool,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: Any,
) -> int:
    """Roll one lane out: from the branch's commit to the gate, as one plan.

    Shows the plan and what it will probably take; with --confirm does it and waits, 5m unless --timeout says otherwise.
    """
    from planner.app.trigger import open_rollout_plan, run_rollout
    from planner.cli.run_options import make_run_choices

    if reason and not source_commit:
        raise click.UsageError("--hold goes with --source-commit: a lane is held at a commit.")
    if click.get_current_context().get_parameter_source("lock_timeout") is click.core.ParameterSource.DEFAULT:
        how["lock_timeout"] = _PATIENCE
    if detached:
        return _detach(request, plan_id, rerun, rebuild, source_commit, reason, confirm and not dry_run, how)
    how["timeout"] = how["timeout"] or _TIMEOUT
    options = make_run_choices(request, again="trigger", **how)
    with open_rollout_plan(request, rerun=rerun, rebuild=rebuild, source_commit=source_commit, reason=reason) as found:
        again = _held_verb(found, reason)
        verb = " ".join([again, *["--rerun"] * rerun, *["--rebuild"] * rebuild])
        if not confirm or dry_run:
            return _show(found, request, verb, as_json, options.allow)
        if not as_json and not request.quiet:
            print_page(_page(found, request, verb, confirmed=True))
        ended = run_rollout(found, options, approved=plan_id)
    return _show_end(ended, found, request, again, as_json)


def _held_verb(found: PlannedRollout, reason: str) -> str:
    """The verb with the words without which a rollout under a hold would be another, or be refused."""
    if found.held is None:
        return "trigger"
    given = [("--source-commit", found.held.commit), ("--hold", reason)]
    return " ".join(["trigger", *(f"{option} {shlex.quote(value)}" for option, value in given if value)])


def _detach(
    request: Request,
    plan_id: str,
    rerun: bool,
    rebuild: bool,
    source_commit: str,
    reason: str,
    confirmed: bool,
    how: dict[str, Any],
) -> int:
    """Start the same command as a job; a job waits longer (B5, B7)."""
    from planner.app.trigger.rollout_plan import rollout_job_name

    given = (("--plan-id", plan_id), ("--source-commit", source_commit), ("--hold", reason))
    words = [word for option, value in given if value for word in (option, value)]
    words += [*["--rerun"] * rerun, *["--rebuild"] * rebuild]
    how = {**how, "timeout": how["timeout"] or _JOB_TIMEOUT}
    return start_as_detached_job(
        request, "trigger", words, confirmed=confirmed, how=how, name=rollout_job_name(request)
    )


def _show(found: PlannedRollout, request: Request, verb: str, as_json: bool, allow: Sequence[str]) -> int:
    from planner.app.approvals_and_shown_plans import store_shown_plan
    from planner.cli.print_pages import exit_code_of_plan_only_shown, print_plan
    from planner.render.rollout_forecast_and_time_spent import promotion_prediction_document, rollout_forecast_document

    store_shown_plan(request, found.made)
    if as_json:
        document = json.loads(print_plan(found.made, request, "json", allow=allow))
        document |= {
            "forecast": rollout_forecast_document(found.forecast),
            "argo": promotion_prediction_document(found.prediction()),
            "hold": str(found.hold) if found.hold else None,
            "sourceStageRef": found.source_stage_ref,
        }
        print_json(document)
    else:
        print_page(_page(found, request, verb, allow=allow))
    return exit_code_of_plan_only_shown(found.made.plan)


def _page(
    found: PlannedRollout, request: Request, verb: str, *, confirmed: bool = False, allow: Sequence[str] = ()
) -> str:
    """The forecast and what Argo CD will change above the plan: the last lines are the verdict and what to do."""
    from planner.cli.print_pages import print_plan
    from planner.render.rollout_forecast_and_time_spent import render_argo_prediction, render_rollout_forecast

    plan = print_plan(found.made, request, "text", verb=verb, confirmed=confirmed, allow=allow)
    if found.hold and not request.quiet:
        plan = f"{safe_text(str(found.hold))}\n\n{plan}"
    if not found.made.plan.changes or request.quiet:
        return plan
    stack = found.session.stack
    parts = [render_rollout_forecast(found.forecast, f"{stack.nodes[0]}/{stack.lanes[0]}")]
    if (predicted := found.prediction()) is not None:
        parts.append(render_argo_prediction(predicted))
    return "\n\n".join([*parts, plan])


def _show_end(ended: RolloutReport, found: PlannedRollout, request: Request, verb: str, as_json: bool) -> int:
    from planner.cli.print_pages import command_line_for_verb
    from planner.cli.print_runs import print_plan_without_changes, run_document, warnings_of_run
    from planner.render.rollout_forecast_and_time_spent import render_rollout_time_spent, rollout_time_spent_document
    from planner.render.run_summary import render_run_summary

    report = ended.report
    again, newest = command_line_for_verb(verb, request), command_line_for_verb("trigger", request)
    if as_json:
        document = {
            **run_document(report, found.made),
            "exitCode": ended.exit_code,
            "targetValidation": {"state": ended.state},
            "sourceCommit": ended.commit,
            "supersededBy": ended.newer or None,
            "spent": rollout_time_spent_document(ended.spent),
            "warnings": [*warnings_of_run(report, found.made), *ended.warnings],
            "closeout": _closeout(ended),
            "brief": ended.brief or None,
        }
        print_json(document)
        return ended.exit_code
    table = render_rollout_time_spent(ended.spent, ended.warnings)
    if report.result is None and ended.newer:
        print_page(f"superseded by {ended.newer[:12]}: {newest} --confirm")
        return ended.exit_code
    if report.result is None:
        print_page("\n".join(filter(None, [table, print_plan_without_changes(report)])))
        return ended.exit_code
    page = render_run_summary(report.plan, report.result, run=report.run, command=_next(ended, again))
    body, _, verdict = page.rpartition("\n")
    if ended.newer:
        verdict = f"superseded by {ended.newer[:12]}: {newest} --confirm"
    told = "" if request.quiet and ended.exit_code == 0 else body.rstrip()
    print_page("\n".join(filter(None, [told, table, safe_text(ended.brief)])) + f"\n\n{verdict}")
    return ended.exit_code


def _closeout(ended: RolloutReport) -> dict[str, object] | None:
    record = ended.closeout
    return record and {"digest": record["digest"], **record["verdict"]}


def _next(ended: RolloutReport, again: str) -> str:
    match ended.state:
        case "passed":
            return again
        case "pending":
            return f"{again} --confirm"
        case _:
            return f"{again}{' --rerun' if _run_failed(ended) else ''} --confirm"


def _run_failed(ended: RolloutReport) -> bool:
    from planner.events import ChangeResult

    result = ended.report.result
    ends = result.outcomes.values() if result else ()
    return any(one.address.kind == "PipelineRun" and one.result is ChangeResult.FAILED for one in ends)
