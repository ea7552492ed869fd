"""`hwplan undo RUN`: the plan that takes back what a run did; with --confirm, done (spec 05)."""

from __future__ import annotations

from pathlib import Path

import click
import click.shell_completion

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import NAMES, approved, approved_by, common_options, resolve_approved_plan_id
from planner.cli.terminal_output import print_page


def _runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[click.shell_completion.CompletionItem]:
    """The latest runs of the state, with when and what; empty when there is no state."""
    from planner.app.runtime import open_state_store
    from planner.cli.common_options import make_request
    from planner.errors import HwplanError

    try:
        with open_state_store(make_request({name: ctx.params.get(name) for name in NAMES})) as store:
            found = [(str(run.number), f"{run.operation} {run.started} {run.outcome}") for run in store.history(20)]
    except (HwplanError, OSError, click.UsageError):
        return []
    return [
        click.shell_completion.CompletionItem(one, help=reported)
        for one, reported in found
        if one.startswith(incomplete)
    ]


@click.command("undo")
@click.argument("run", type=click.IntRange(min=1), shell_complete=_runs)
@approved
@approved_by
@apply_options
@common_options
def undo_run(
    request: Request,
    run: int,
    plan_id: str,
    approvals: tuple[Path, ...],
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: object,
) -> int:
    """Plan the reverse of RUN from what the state keeps. The configuration stays as it is.

    Who has to approve it is `pulls.approvals` of the lanes that the run was of.
    """
    from planner.app.apply_plan import apply_fresh_plan
    from planner.app.approvals_and_shown_plans import store_shown_plan
    from planner.app.completion_values import without_scopes_where_all_are_selected
    from planner.app.undo_plan import open_undo_plan
    from planner.cli.print_pages import exit_code_of_plan_only_shown, print_plan
    from planner.cli.print_runs import print_run_result
    from planner.cli.run_options import make_run_choices

    options = make_run_choices(request, **how)  # type: ignore[arg-type]  # click has checked them
    with open_undo_plan(request, run) as (made, session):
        plan_id = resolve_approved_plan_id(without_scopes_where_all_are_selected(session.request), approvals, plan_id)
        if not confirm or dry_run:
            store_shown_plan(session.request, made)
            form = "json" if as_json else "text"
            print_page(print_plan(made, request, form, verb=f"undo {run}", allow=options.allow))
            return exit_code_of_plan_only_shown(made.plan)
        if not as_json and not session.request.quiet:
            print_page(print_plan(made, session.request, "text", confirmed=True))
        report = apply_fresh_plan(made, session, options, approved=plan_id)
    return print_run_result(report, session.request, as_json, made=made)
