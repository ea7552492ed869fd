"""`hwplan hold set|release|show`: a lane that stays where it is, until somebody says otherwise (R9, B9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.common_options import selection_options
from planner.cli.terminal_output import print_json, print_page
from planner.text_safe import safe_text

if TYPE_CHECKING:
    from state.lane_holds_and_targets import LaneHold


@click.group()
def hold() -> None:
    """Keep a lane at a commit: while it is held, every rollout of another commit is refused."""


@hold.command("set")
@selection_options
@click.option("--reason", required=True, metavar="WHY", help="Why, for whoever is refused.")
@click.option("--source-commit", default="", metavar="COMMIT", help="The commit that may still be rolled out.")
def hold_set(request: Request, reason: str, source_commit: str) -> None:
    """Hold a lane. What runs already goes on.

    To roll an older commit out and hold the lane there: hwplan trigger --source-commit COMMIT --hold WHY.
    """
    from planner.app.lane_holds import set_hold

    print_page(safe_text(str(set_hold(request, source_commit, reason))))


@hold.command("release")
@selection_options
def hold_release(request: Request) -> None:
    """Release a lane: the next trigger rolls its newest commit out."""
    from planner.app.lane_holds import release_hold
    from planner.cli.print_pages import command_line_for_verb

    ended = release_hold(request)
    print_page(f"released: {safe_text(str(ended))}\nnext: {command_line_for_verb('trigger', request)}")


@hold.command("show")
@selection_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def hold_show(request: Request, as_json: bool) -> None:
    """The holds that are in force: what, who, when, why, and the run."""
    from planner.app.lane_holds import standing_holds_of_selection

    found = standing_holds_of_selection(request)
    if as_json:
        rows = [_document(one) for one in found]
        print_json({"schemaVersion": 1, "holds": rows})
        return
    print_page("\n".join(safe_text(str(one)) for one in found) or "no lane is held")


def _document(one: LaneHold) -> dict[str, object]:
    return {
        "lane": one.lane,
        "commit": one.commit or None,
        "who": one.who,
        "since": one.at,
        "reason": one.reason,
        "run": one.run or None,
    }
