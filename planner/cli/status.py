"""`hwplan status`: a lane from its commit to its public answer (spec 02, S04 and S12); of scopes with --scope."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.common_options import selection_options
from planner.cli.terminal_output import print_document, print_page, terminal_width, wants_colour

if TYPE_CHECKING:
    from planner.app.lane.lane_status import LaneStatus

_EVERY = 20.0  # seconds between two readings of --watch: about one request a second
_PENDING = 4


@click.command()
@selection_options
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "markdown", "in-toto")),
    default="text",
    help="How to show it; in-toto goes with --closeout.",
)
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.option("--full", is_flag=True, help="Every equation and every reading as well.")
@click.option("--raw", is_flag=True, help="The JSON document with all evidence, its sources, times and versions.")
@click.option("--pipeline-run", "run", default="", metavar="NAME", help="About this run and its commit.")
@click.option("--source-commit", "commit", default="", metavar="COMMIT", help="About this commit, not the newest.")
@click.option(
    "--logs",
    is_flag=False,
    flag_value="",
    metavar="[TASK/STEP]",
    help="With --pipeline-run: the end of a step's log, of the one that failed by default.",
)
@click.option("--closeout", is_flag=True, help="The closeout record; it is written to the state as well.")
@click.option("--watch", is_flag=True, help="Look again until nothing is under way any more.")
def status(
    request: Request,
    form: str,
    as_json: bool,
    full: bool,
    raw: bool,
    run: str,
    commit: str,
    logs: str | None,
    closeout: bool,
    watch: bool,
) -> int:
    """Show where a lane stands: source, PipelineRun, Argo CD, runtime, public probe, mirror, and what to do next.

    With --scope, of single scopes or of one service: what is not as declared. Exit codes: 0 aligned (or a named target
    that passed or was superseded), 2 not aligned, 4 pending, 1 when something could not be determined.
    """
    if run and commit:
        raise click.UsageError("--pipeline-run and --source-commit exclude each other.")
    chosen = "json" if as_json or raw else form
    if chosen == "in-toto" and not closeout:
        raise click.UsageError("--format in-toto is a form of --closeout.")
    if logs is not None:
        return _logs(request, run, logs, chosen)
    if request.scopes:
        if run or commit or closeout or watch or chosen == "markdown":
            raise click.UsageError("--scope shows resources; it goes with --full and --json only.")
        return show_scope_status(request, chosen, full)
    from planner.app.lane.lane_evidence import CommitOrRunToReport
    from planner.app.lane.lane_status import read_lane_status

    target, last = CommitOrRunToReport(commit, run), ""
    while True:
        found = read_lane_status(request, target, closeout=closeout)
        text = _page(found, request, chosen, full=full, raw=raw)
        if text != last:
            print_page(text)
        if not watch or found.exit_code != _PENDING:
            return found.exit_code
        last = text
        time.sleep(_EVERY)


def _page(found: LaneStatus, request: Request, form: str, *, full: bool, raw: bool) -> str:
    from planner.render.json_text import render_document_as_json
    from planner.render.lane_status import LaneStatusView, lane_status_markdown, render_lane_status
    from planner.render.lane_status_json import lane_status_json

    if found.record is not None:
        return _record(found, form)
    shown = LaneStatusView(
        found.cluster,
        found.selection,
        found.config,
        found.evidence,
        found.verdict,
        found.lines,
        _next(found, request),
        found.closeouts,
        str(found.hold or ""),
        found.expected_run,
    )
    if form == "markdown":
        return lane_status_markdown(shown)
    if form == "json":
        return render_document_as_json(lane_status_json(shown, raw=raw), indent=2, sort_keys=False)
    return render_lane_status(shown, colour=wants_colour(), width=terminal_width(), full=full)


def _record(found: LaneStatus, form: str) -> str:
    from planner.render.closeout_record import closeout_in_toto_statement, closeout_markdown, closeout_table
    from planner.rollout.closeout_record import closeout_record_bytes

    assert found.record is not None
    if form == "json":  # exactly the bytes that `hwplan verify` takes
        return closeout_record_bytes(found.record).decode()
    if form == "in-toto":
        return closeout_record_bytes(closeout_in_toto_statement(found.record)).decode()
    if form == "markdown":
        return closeout_markdown(found.record)
    note = "written to the state" if found.written else "in the state already"
    return closeout_table(found.record, terminal_width()) + f"\n{note}\n"


def _next(found: LaneStatus, request: Request) -> str:
    from planner.cli.print_pages import command_line_for_verb
    from planner.rollout.next_action import next_lane_command

    held = found.hold.commit if found.hold else None
    action = next_lane_command(found.evidence, found.verdict, held=held)
    if not action:
        return ""
    verb, _, options = action.partition(" ")
    if verb in ("mirror", "hold"):
        part, _, options = options.partition(" ")
        verb = f"{verb} {part}"
    return f"{command_line_for_verb(verb, request)} {options}".rstrip()


def _logs(request: Request, run: str, wanted: str, form: str) -> int:
    from planner.app.lane.run_step_log import read_step_log_of_named_run
    from planner.text_safe import safe_text

    if not run:
        raise click.UsageError("--logs needs --pipeline-run NAME.")
    headline, lines = read_step_log_of_named_run(request, run, wanted)
    if form == "json":
        print_document("json", {"schemaVersion": 1, "step": headline, "lines": list(lines)})
    else:
        print_page("\n".join([safe_text(headline), *(f"  {safe_text(line)}" for line in lines)]))
    return 0


def show_scope_status(request: Request, form: str, full: bool) -> int:
    """The page of `--scope`; gives the exit code."""
    from planner.app.lane.scope_status import read_scope_resource_statuses
    from planner.cli.print_pages import command_line_for_verb
    from planner.render.scope_status import render_scope_status, scope_status_json

    found = read_scope_resource_statuses(request)
    command = command_line_for_verb("plan", request)
    if form == "json":
        print_document("json", scope_status_json(found.cluster, found.selection, found.rows, command=command))
    else:
        print_page(
            render_scope_status(
                found.cluster,
                found.selection,
                found.rows,
                command=command,
                colour=wants_colour(),
                width=terminal_width(),
                full=full,
            )
        )
    return found.exit_code
