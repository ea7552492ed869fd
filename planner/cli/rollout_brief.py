"""`hwplan record-rollout`: the entry of a rollout in the lane's brief, added by hand (spec 02, S25)."""

from __future__ import annotations

import shlex

import click

from planner.app.request import Request
from planner.cli.common_options import selection_options
from planner.cli.terminal_output import print_json, print_page


@click.command("record-rollout")
@selection_options
@click.option("--pr", "number", type=click.IntRange(min=1), required=True, metavar="N", help="The pull request.")
@click.option("--source-commit", required=True, metavar="COMMIT", help="The commit that was rolled out.")
@click.option("--confirm", is_flag=True, help="Append it. Without this it is only shown.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def append_rollout_to_brief(request: Request, number: int, source_commit: str, confirm: bool, as_json: bool) -> int:
    """Show the entry of a rollout, and with --confirm append it to the brief of the lane, once.

    `brief` of the lane says where that is: {issue: N} or {file: PATH}. A rollout by hwplan adds its entry itself; this
    is for others, and for one that could not. An entry that stands there is left as it is.
    """
    from planner.app.rollout_brief_entries import append_brief_entry_by_hand as record
    from planner.cli.print_pages import command_line_for_verb

    done = record(request, number, source_commit, confirm=confirm)
    if as_json:
        document = {"schemaVersion": 1, "place": done.place, "written": done.written, "known": done.known}
        print_json({**document, "text": done.text})
        return 0
    said = "it stands there already" if done.known else "added" if done.written else "not added"
    words = f"--pr {number} --source-commit {shlex.quote(source_commit)} --confirm"
    again = [] if done.written or done.known else [f"  {command_line_for_verb('record-rollout', request)} {words}"]
    print_page("\n".join([done.text, "", f"{said}: {done.place}", *again]))
    return 0
