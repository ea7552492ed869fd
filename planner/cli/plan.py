"""`hwplan plan`: show what would change. Exit 0, 1 for what is blocked, 2 for changes with --detailed-exitcode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.common_options import fully, ownership_options, selection_options
from planner.cli.output_formats import format_options
from planner.cli.terminal_output import print_page

if TYPE_CHECKING:
    from planner.address import Address
    from planner.plan import Plan
    from planner.render.git_change_under_review import GitChangeUnderReview

_REVIEWED = ("markdown", "html")  # pages that somebody decides by
FORMATS = ("text", "wide", "json", "yaml", "markdown", "html", "mermaid", "dot", "svg")


@click.command()
@click.argument("saved", required=False, default="", metavar="[PLAN]")
@click.option("--against", default="", metavar="PLAN", help="Say what differs from a plan (file, or number of a run).")
@selection_options
@ownership_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also save the plan to this file.")
@format_options(*FORMATS)
@fully
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="2 when there are changes, 0 when there are none, 1 when something is blocked.",
)
@click.option("--refresh-only", is_flag=True, help="Only what drifted; propose nothing.")
@click.option(
    "--base",
    default="",
    metavar="REF",
    help="The branch or commit that the change goes to: say what is pending there anyway.",
)
@click.option("--change", default="", metavar="NAME", help="How the page names the change, such as 'pull request 17'.")
@click.option(
    "--pr",
    "number",
    type=click.IntRange(min=1),
    metavar="N",
    help="A pull request of the lane, from merge to gate.",
)
def plan(
    request: Request,
    saved: str,
    against: str,
    out: Path | None,
    form: str,
    detailed_exitcode: bool,
    refresh_only: bool,
    base: str,
    change: str,
    number: int | None,
) -> int:
    """Show what would change, in order, field by field, and why. Changes nothing.

    Signs: + create, ~ update, ± replace, - delete, ^ adopt, > run, o forget, = only waited for, ! blocked, ? drift that
    is left alone. Numbers are the order of execution. With --detailed-exitcode it exits 2 when there are changes.

    With --against it compares two plans: PLAN (a file, or the number of a run; else the plan that is made now) with
    the other one. Then --detailed-exitcode means 2 when they do not do the same.

    With --base it plans the configuration of that commit as well, and says which changes come from here and which are
    pending there anyway. The plan, its id and its file are the same without.

    With --pr it plans the merge of a pull request of the lane and the whole rollout after it: snapshot, run, GitOps,
    Argo CD, pods, gate. The id is one for before and after the merge; approve it, the monitor (`prs`) does the rest.
    """
    if saved and not against:
        raise click.UsageError("PLAN is compared with another one: --against; to see it: hwplan apply --plan PLAN")
    if number is not None:
        if saved or against or base or change or refresh_only or out is not None:
            raise click.UsageError("--pr takes a lane and a format: its merge is planned anew by whoever does it.")
        return _pull(request, number, form, detailed_exitcode)
    if against:
        return _compare(request, saved, against, form, detailed_exitcode)
    from planner.app.approvals_and_shown_plans import store_shown_plan
    from planner.app.plan_with_inputs import open_session_with_plan
    from planner.cli.print_pages import exit_code_of_plan_only_shown, print_drift_report, print_plan

    with open_session_with_plan(request) as (one, session):
        store_shown_plan(request, one)
        if out is not None:
            from planner.app.plan_files import write_plan_file

            write_plan_file(one.plan, out)
        if refresh_only:
            report = one.drift()
            print_page(print_drift_report(report, request, "json" if form == "json" else "text"))
            return report.exit_code if detailed_exitcode or report.exit_code == 1 else 0
        now = session.world.clock.now()
        review = _review(one.plan, request, now, base, change) if base or change or form in _REVIEWED else None
        print_page(print_plan(one, request, form, saved=out, review=review))
    return exit_code_of_plan_only_shown(one.plan) or (2 if detailed_exitcode and one.plan.applyable else 0)


def _pull(request: Request, number: int, form: str, detailed_exitcode: bool) -> int:
    import json

    from planner.app.pull_request_plan import make_predicted_pull_request_stages_input, open_pull_request_plan
    from planner.cli.print_pages import command_line_for_object, exit_code_of_plan_only_shown, print_plan
    from planner.plan_id import short_plan_id
    from planner.pull_requests.predicted_merge_verification import PredictedMerge
    from planner.render.git_change_under_review import GitChangeUnderReview
    from planner.render.json_text import render_document_as_json
    from planner.render.predicted_pull_request_stages import (
        predicted_pull_request_stage_facts,
        pull_request_merge_effect_headline,
        what_pull_request_approval_covers,
    )
    from planner.render.rollout_forecast_and_time_spent import promotion_prediction_document
    from planner.rollout.argo_prediction import ArgoPrediction

    with open_pull_request_plan(request, number) as found:
        way, pull = make_predicted_pull_request_stages_input(found), found.pull
        stages = predicted_pull_request_stage_facts(way, found.plan)
        review = GitChangeUnderReview(
            planned_at=found.session.world.clock.now(),
            name=f"pull request {number}",
            title=pull.title,
            author=pull.author,
            head=pull.head,
            base=found.merge.base if isinstance(found.merge, PredictedMerge) else pull.base,
            base_name=pull.base_branch,
            command_of=lambda verb, address: command_line_for_object(verb, request, address),
            way=stages,
            identifier=found.identifier,
            approval=what_pull_request_approval_covers(way, short_plan_id(found.identifier)),
            headline=pull_request_merge_effect_headline(way),
        )
        page = print_plan(found.made, request, form, review=review, offer=False)
        if form == "json":
            told = {"pullRequest": number, "head": pull.head, "id": found.identifier}
            told["way"] = [{"stage": one.title, "text": "".join(one.words)} for one in stages]
            argo = promotion_prediction_document(found.argo or ArgoPrediction(problem=found.problem))
            page = render_document_as_json({**json.loads(page), "approval": told, "argo": argo})
        print_page(page)
        return exit_code_of_plan_only_shown(found.plan) or (2 if detailed_exitcode and found.plan.applyable else 0)


def _review(plan: Plan, request: Request, now: str, base: str, name: str) -> GitChangeUnderReview:
    from planner.app.git_change_under_review import read_git_change_under_review
    from planner.cli.print_pages import command_line_for_object

    def command_of(verb: str, address: Address) -> str:
        return command_line_for_object(verb, request, address)

    return read_git_change_under_review(request, plan, planned_at=now, command_of=command_of, base=base, name=name)


def _compare(request: Request, saved: str, against: str, form: str, detailed_exitcode: bool) -> int:
    from planner.app.plan_files import read_plan_of_file_or_run
    from planner.app.plan_with_inputs import open_session_with_plan
    from planner.plan_id import plan_id
    from planner.render.plan_comparison import render_plan_comparison, render_plan_comparison_json

    before = read_plan_of_file_or_run(request, against)
    if saved:
        after = read_plan_of_file_or_run(request, saved)
    else:
        with open_session_with_plan(request) as (one, _):
            after = one.plan
    as_json = form == "json"
    print_page((render_plan_comparison_json if as_json else render_plan_comparison)(before, after))
    return 2 if detailed_exitcode and plan_id(before) != plan_id(after) else 0
