"""`hwplan approve`: record that somebody approves a plan, by its id, until a time (P7)."""

from __future__ import annotations

import getpass
import shlex
from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.common_options import selection_options
from planner.cli.terminal_output import print_json, print_page


@click.command()
@selection_options
@click.argument("identifier", metavar="ID")
@click.option("--as", "who", default="", metavar="ACCOUNT", help="Who approves (default: the user of this machine).")
@click.option("--until", default="72h", show_default=True, metavar="TIME", help="A duration from now, or an instant.")
@click.option("--head", default="", metavar="COMMIT", help="The reviewed head, for the plan of a pull request.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it to this file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def approve(request: Request, identifier: str, who: str, until: str, head: str, out: Path | None, as_json: bool) -> int:
    """Approve the plan with this ID: a file that says who, which plan and until when. Applies nothing.

    How many have to approve, and who may, is `pulls.approvals` of the lane. The file is sealed with the key of the
    state: hwplan apply --approved-by FILE refuses one that was edited or recorded elsewhere.
    """
    from planner.app.approvals import record_approval
    from planner.app.lane_holds import SCOPE
    from planner.cli.print_pages import command_line_for_verb
    from planner.plan_id import short_plan_id
    from planner.render.plan_headline import plan_headline
    from planner.text_safe import safe_text

    made = record_approval(request, identifier, who or getpass.getuser(), until=until, head=head, out=out)
    one = made.approval
    assert one.until is not None
    if as_json:
        document = {"schemaVersion": 1, "plan": one.effect, "head": one.head, "who": one.who}
        document |= {"until": one.until.isoformat(), "file": str(made.file), "shown": made.plan is not None}
        print_json(document)
        return 0
    what = (
        "".join(plan_headline(made.plan))
        if made.plan
        else "This plan was not shown with this state: what it does is unknown."
    )
    lines = [
        f"{safe_text(one.who)} approves {short_plan_id(one.effect)} until {one.until:%Y-%m-%dT%H:%M:%SZ}",
        f"  {what}",
    ]
    verb = "trigger" if made.plan is not None and SCOPE in made.plan.selection.scopes else "apply"
    apply = f"{command_line_for_verb(verb, request)} --approved-by {shlex.quote(str(made.file))} --confirm"
    print_page("\n".join([*lines, "when enough have approved:", f"  {apply}"]))
    return 0
