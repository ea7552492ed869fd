"""`hwplan destroy`: the plan to take away what is ours, in reverse order; with --confirm, done.

Exit codes are those of `apply`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options
from planner.cli.terminal_output import print_page

FORMATS = ("text", "json", "markdown", "html")


@click.command()
@selection_options
@approval_options
@click.option("--set", "owned_set", metavar="NAME", help="Everything of this set, which nobody declares any more.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also save the plan to this file.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How to show the plan.")
@apply_options
def destroy(
    request: Request,
    plan_id: str,
    owned_set: str | None,
    out: Path | None,
    form: str,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: Any,
) -> int:
    """Delete everything of an owned set, in reverse order, with what depends on it; what others still use stays."""
    from planner.app.apply_plan import apply_fresh_plan
    from planner.app.approvals_and_shown_plans import store_shown_plan
    from planner.app.destroy_plan import make_destroy_plan, make_owned_set_destroy_plan
    from planner.app.plan_files import write_plan_file
    from planner.app.session import open_session
    from planner.app.undeclared_owned_sets import open_owned_set_session
    from planner.cli.print_pages import exit_code_of_plan_only_shown, print_plan
    from planner.cli.print_runs import print_run_result, print_warnings_of_plan
    from planner.cli.run_options import make_run_choices

    options = make_run_choices(request, **how)
    form = "json" if as_json else form
    refuse_set_option_with_selection(request, owned_set)
    with open_owned_set_session(request, owned_set) if owned_set else open_session(request) as session:
        request = session.request
        made = make_owned_set_destroy_plan(session) if owned_set else make_destroy_plan(session)
        if out is not None:
            write_plan_file(made.plan, out)
        if not confirm or dry_run:
            store_shown_plan(request, made)
            page = print_plan(made, request, form, verb="destroy", saved=out, allow=options.allow)
            print_page(page)
            return exit_code_of_plan_only_shown(made.plan)
        report = apply_fresh_plan(made, session, options, approved=plan_id)
    if not as_json:
        print_warnings_of_plan(made)
    return print_run_result(report, request, as_json, made=made)


def refuse_set_option_with_selection(request: Request, owned_set: str | None) -> None:
    """Refuse `--set` beside words of a selection, and an empty one. Raises click.UsageError."""
    if owned_set is not None and not owned_set.strip():
        raise click.UsageError("--set is empty, and names nothing.")
    if owned_set and (request.files or request.product or request.nodes or request.lanes or request.scopes):
        raise click.UsageError(
            "--set names everything of a set: no -f, --product, --node, --lane or --scope beside it."
        )
