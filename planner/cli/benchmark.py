"""`hwplan benchmark`: one measured build of everything, and whether it proves what it should (spec 02, S11; B19, B20).

Exit codes: 0 passed (or made), 1 failed, 2 inconclusive, 4 pending; before that those of apply.
"""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options
from planner.cli.terminal_output import print_document, print_json, print_page, wants_colour

if TYPE_CHECKING:
    from planner.app.apply_plan import RunReport
    from planner.app.plan_with_inputs import PlanWithInputs

_PENDING = 4
_PAUSE = 5.0  # seconds between two looks at a run
_LONGEST = 24 * 3600.0  # a run ends by the time-out of its profile long before


@click.command("benchmark")
@selection_options
@approval_options
@click.argument("look", required=False, type=click.Choice(("status", "logs")))
@click.option("--profile", required=True, metavar="NAME", help="A profile of the node's `benchmarks`.")
@click.option("--pipeline-run", "run", default="", metavar="NAME", help="This run, instead of the newest.")
@click.option("--task", default="", metavar="TASK/STEP", help="With logs: the step; the one that failed by default.")
@click.option("--rerun", is_flag=True, help="Delete a run of this commit that did not succeed, and make it anew.")
@apply_options
def benchmark_ci_build(
    request: Request,
    plan_id: str,
    look: str | None,
    profile: str,
    run: str,
    task: str,
    rerun: bool,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: Any,
) -> int:
    """Build every service of a lane without cache, and measure it. With status or logs: look at a run.

    Makes exactly one PipelineRun and does not wait for its end, unless --wait is given: a job follows it, and ends
    with the verdict.
    """
    waits = click.get_current_context().get_parameter_source("wait") is not click.core.ParameterSource.DEFAULT
    if look == "status":
        return _status(request, profile, run, as_json, seconds=_patience(how) if waits and how["wait"] else 0.0)
    if look == "logs":
        return _logs(request, profile, run, task, as_json)
    if run or task:
        raise click.UsageError("--pipeline-run and --task go with status and logs.")
    how["wait"] = how["wait"] and waits
    return _start(request, profile, plan_id, rerun, confirm and not dry_run, as_json, how)


def _start(
    request: Request, profile: str, plan_id: str, rerun: bool, confirmed: bool, as_json: bool, how: dict[str, Any]
) -> int:
    from planner.app.apply_plan import apply_fresh_plan
    from planner.app.approvals_and_shown_plans import store_shown_plan
    from planner.app.ci_benchmark import open_benchmark_plan
    from planner.cli.print_pages import exit_code_of_plan_only_shown, print_plan
    from planner.cli.run_options import make_run_choices

    options = make_run_choices(request, **how)
    with open_benchmark_plan(request, profile, rerun=rerun) as found:
        if not confirmed:
            store_shown_plan(request, found.made)
            verb = f"benchmark --profile {profile}{' --rerun' * rerun}"
            form = "json" if as_json else "text"
            print_page(print_plan(found.made, request, form, verb=verb, allow=options.allow))
            return exit_code_of_plan_only_shown(found.made.plan)
        if not as_json and not request.quiet:
            print_page(print_plan(found.made, request, "text", confirmed=True))
        report = apply_fresh_plan(found.made, found.session, options, approved=plan_id)
    return _show_start(request, profile, report, found.made, waited=how["wait"], as_json=as_json)


def _show_start(
    request: Request, profile: str, report: RunReport, made: PlanWithInputs, *, waited: bool, as_json: bool
) -> int:
    """What was made, and how to follow it. With --wait the verdict decides, not the end of the run alone."""
    from planner.cli.print_pages import command_line_for_verb
    from planner.cli.print_runs import print_run_result, run_document

    follow = {
        look: f"{command_line_for_verb('benchmark', request)} --profile {profile} {look}" for look in ("status", "logs")
    }
    job = "" if waited or report.exit_code or not report.run else _follower(request, profile)
    if as_json:
        known = {"benchmark": follow, "job": {"id": job} if job else None}
        print_json({**run_document(report, made), **known})
    else:
        print_run_result(report, request, False)
        followed = [f"  {job} follows it: hwplan job status {job}"] if job else []
        print_page("\n".join(["", *(f"  {words}" for words in follow.values()), *followed]))
    if not waited or report.exit_code not in (0, 1):
        return report.exit_code
    return _status(request, profile, "", as_json=False) if not as_json else _code(request, profile)


def _follower(request: Request, profile: str) -> str:
    """Start the job that waits for the run, and holds no lock meanwhile; its id. What it ends with is the verdict."""
    from planner.app.detached_jobs import start_detached_job
    from planner.cli.print_pages import command_line_for_verb

    words = [*shlex.split(command_line_for_verb("benchmark", request))[1:], "--config", str(request.config)]
    name = "-".join([f"benchmark-{profile}", *request.nodes, *request.lanes])
    return start_detached_job(request, name, [*words, "--profile", profile, "status", "--wait"]).id


def _patience(how: dict[str, Any]) -> float:
    """How long `status --wait` looks again, in seconds."""
    from planner.cli.run_options import parse_duration_option

    return parse_duration_option(how["timeout"], "--timeout") or _LONGEST


def _code(request: Request, profile: str) -> int:
    from planner.app.ci_benchmark import read_benchmark_run_from_cluster

    return read_benchmark_run_from_cluster(request, profile).verdict.exit_code


def _status(request: Request, profile: str, run: str, as_json: bool, *, seconds: float = 0.0) -> int:
    from planner.app.ci_benchmark import read_benchmark_run_from_cluster
    from planner.cli.print_pages import command_line_for_verb
    from planner.render.ci_benchmark import benchmark_json, render_benchmark

    found = read_benchmark_run_from_cluster(request, profile, run)
    end = time.monotonic() + seconds
    while found.verdict.exit_code == _PENDING and time.monotonic() < end:
        time.sleep(_PAUSE)
        found = read_benchmark_run_from_cluster(request, profile, run)
    code = found.verdict.exit_code
    if as_json:
        print_document("json", benchmark_json(found))
    else:
        about = "/".join((*request.nodes, *request.lanes)) or "benchmark"
        look = "status" if code == _PENDING else "logs"
        command = f"{command_line_for_verb('benchmark', request)} --profile {profile} {look}" if code else ""
        print_page(render_benchmark(found, about=about, command=command, colour=wants_colour()))
    return code


def _logs(request: Request, profile: str, run: str, task: str, as_json: bool) -> int:
    from planner.app.ci_benchmark import read_benchmark_step_log
    from planner.text_safe import safe_text

    headline, lines = read_benchmark_step_log(request, profile, run, task)
    if as_json:
        print_document("json", {"schemaVersion": 1, "step": headline, "lines": list(lines)})
    else:
        print_page("\n".join([safe_text(headline), *(f"  {safe_text(line)}" for line in lines)]))
    return 0
