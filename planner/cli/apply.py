"""`hwplan apply`: without --confirm the plan and the command to paste; with it, exactly that plan (spec 05).

Exit codes: 0 done, 1 failed, 3 stale or refused, 4 pending, 5 locked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from planner.app.request import Request, request_of_earlier_plan
from planner.cli.common_options import (
    approved,
    approved_by,
    fully,
    ownership_options,
    resolve_approved_plan_id,
    selection_options,
)
from planner.cli.detached import detachable, start_as_detached_job
from planner.cli.terminal_output import print_page

if TYPE_CHECKING:
    from planner.app.apply_plan import RunReport

_F = TypeVar("_F", bound=Callable[..., Any])


def _guards(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from planner.planning.plan_guards import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


_OPTIONS = (
    click.option("--confirm", is_flag=True, help="Do it. Without this nothing is changed."),
    click.option("--dry-run", is_flag=True, help="Plan only, whatever else is given."),
    fully,
    click.option("--on-error", type=click.Choice(["continue", "stop"]), default="continue", help="After a failure."),
    click.option("--wait/--no-wait", default=True, help="Wait until things are ready (default)."),
    click.option("--timeout", metavar="DURATION", help="Budget of the whole run: 90s, 5m, 1h."),
    click.option("--lock-timeout", metavar="DURATION", default="0s", help="How long to wait for another run to end."),
    click.option(
        "--allow",
        multiple=True,
        metavar="GUARD",
        shell_complete=_guards,
        help="Accept the danger that this guard names: mass-delete, empty-config, missing-state.",
    ),
    click.option("--json", "as_json", is_flag=True, help="The result (or the plan) as JSON."),
)


def apply_options(function: _F) -> _F:
    """Add the options of every verb that can write."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@selection_options
@ownership_options
@click.argument("planfile", required=False, type=click.Path(dir_okay=False, path_type=Path))
@approved
@approved_by
@click.option("--resume", is_flag=True, help="Finish the last run that did not end well.")
@detachable
@apply_options
def apply(
    request: Request,
    planfile: Path | None,
    plan_id: str,
    approvals: tuple[Path, ...],
    resume: bool,
    detached: bool,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: Any,
) -> int:
    """Apply a plan: show it; with --confirm lock, check again, apply step by step, wait, and report what happened."""
    from planner.cli.run_options import make_run_choices

    if approvals and resume:
        raise click.UsageError("--approved-by goes without --resume: the approvals name the plan.")
    plan_id = resolve_approved_plan_id(
        _of_file(request, planfile) if approvals and planfile else request, approvals, plan_id
    )
    if detached:
        words = [str(planfile.resolve())] if planfile else []
        words += [*(["--plan-id", plan_id] if plan_id else []), *(["--resume"] if resume else [])]
        return start_as_detached_job(request, "apply", words, confirmed=confirm and not dry_run, how=how)
    options = make_run_choices(request, **how)
    form = "json" if as_json else "text"
    if not confirm or dry_run:
        return _show(request, planfile, resume, form, options.allow)
    if resume:
        from planner.app.plan_files import resume_unfinished_run

        return _earlier(resume_unfinished_run(request, options), request, as_json)
    if planfile is not None:
        from planner.app.plan_files import apply_plan_file

        return _earlier(apply_plan_file(request, planfile, options, approved=plan_id), request, as_json)
    return _plan_and_apply(request, plan_id, options, as_json)


def _of_file(request: Request, planfile: Path) -> Request:
    """What the plan of a file selects."""
    from planner.app.completion_values import without_scopes_where_all_are_selected
    from planner.app.plan_files import read_plan_file

    return without_scopes_where_all_are_selected(request_of_earlier_plan(request, read_plan_file(planfile).selection))


def _earlier(report: RunReport, request: Request, as_json: bool) -> int:
    """The page of a plan that was made earlier: what to run next needs its words, not those of this command."""
    from planner.app.completion_values import without_scopes_where_all_are_selected
    from planner.cli.print_runs import print_run_result

    return print_run_result(
        report, without_scopes_where_all_are_selected(request_of_earlier_plan(request, report.plan.selection)), as_json
    )


def _show(request: Request, planfile: Path | None, resume: bool, form: str, allow: Sequence[str]) -> int:
    from planner.cli.print_pages import exit_code_of_plan_only_shown, print_plan, print_saved_plan

    if resume:
        from planner.app.plan_files import plan_of_unfinished_run

        plan = plan_of_unfinished_run(request)
        print_page(print_saved_plan(plan, request, form))
    elif planfile is not None:
        from planner.app.plan_files import read_plan_file

        plan = read_plan_file(planfile)
        print_page(print_saved_plan(plan, request, form, file=planfile, allow=allow))
    else:
        from planner.app.approvals_and_shown_plans import store_shown_plan
        from planner.app.plan_with_inputs import open_session_with_plan

        with open_session_with_plan(request) as (one, _):
            store_shown_plan(request, one)
            print_page(print_plan(one, request, form, allow=allow))
        plan = one.plan
    return exit_code_of_plan_only_shown(plan)


def show_or_apply_plan(request: Request, plan_id: str, *, confirm: bool, as_json: bool, how: Any) -> int:
    """What `apply` does with a selection: without `confirm` the plan, with it exactly that. Gives the exit code."""
    from planner.cli.run_options import make_run_choices

    options = make_run_choices(request, **how)
    if not confirm:
        return _show(request, None, False, "json" if as_json else "text", options.allow)
    return _plan_and_apply(request, plan_id, options, as_json)


def _plan_and_apply(request: Request, plan_id: str, options: Any, as_json: bool) -> int:
    from planner.app.apply_plan import apply_fresh_plan
    from planner.app.plan_with_inputs import open_session_with_plan
    from planner.cli.print_pages import print_plan
    from planner.cli.print_runs import print_run_result

    straight = replace(request, dry_creates=bool(plan_id))
    with open_session_with_plan(straight) as (one, session):
        if not as_json and not request.quiet:
            print_page(print_plan(one, request, "text", confirmed=True))
        report = apply_fresh_plan(one, session, options, approved=plan_id)
    return print_run_result(report, request, as_json, made=one)
