"""`hwplan mirror status|sync|flush`: the refs of the git mirror as a part of the plan (spec 02, S16)."""

from __future__ import annotations

from typing import Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options
from planner.cli.terminal_output import print_json, print_page, terminal_width, wants_colour


@click.group("mirror")
def git_mirror() -> None:
    """The refs of the git mirror: what it holds, from the upstream into it, and back."""


@git_mirror.command("status")
@selection_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--full", is_flag=True, help="Whole commit ids, and every remote.")
@click.option("--raw", is_flag=True, help="The JSON document with the declaration of every ref.")
def git_mirror_status(request: Request, as_json: bool, full: bool, raw: bool) -> int:
    """Each ref on both sides; with --lane only the refs of these lanes. Reads only.

    Ends with 1 when a ref cannot be read, or may not be moved.
    """
    from planner.app.git_mirror_status import read_git_mirror_status
    from planner.app.resource_filters import is_git_ref, without_git_refs_of_other_lanes
    from planner.cli.print_pages import command_line_for_verb
    from planner.render.git_mirror_status import git_mirror_status_json, render_git_mirror_status

    found, flushed = read_git_mirror_status(request, without_git_refs_of_other_lanes(request, is_git_ref))
    if as_json or raw:
        print_json(git_mirror_status_json(found, flushed, raw=raw))
    else:
        sync, flush = command_line_for_verb("mirror sync", request), command_line_for_verb("mirror flush", request)
        print_page(
            render_git_mirror_status(
                found, flushed, sync=sync, flush=flush, colour=wants_colour(), width=terminal_width(), full=full
            )
        )
    return 1 if any(row.problem for row in found.rows) else 0


@git_mirror.command("sync")
@selection_options
@approval_options
@apply_options
def git_mirror_sync(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Bring the upstream's branches and an immutable snapshot of each into the mirror."""
    from planner.app.resource_filters import is_git_mirror_sync, without_git_refs_of_other_lanes
    from planner.cli.plan_or_apply_selected_resources import plan_or_apply_selected_resources

    confirmed, only = confirm and not dry_run, without_git_refs_of_other_lanes(request, is_git_mirror_sync)
    return plan_or_apply_selected_resources(
        request, only, "mirror sync", confirm=confirmed, plan_id=plan_id, json=as_json, how=how
    )


@git_mirror.command("flush")
@selection_options
@approval_options
@apply_options
def git_mirror_flush(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Bring promoted branches back to the upstream, fast-forward only."""
    from planner.app.git_mirror_status import git_mirror_flush_document
    from planner.app.resource_filters import is_git_mirror_flush, without_git_refs_of_other_lanes
    from planner.cli.plan_or_apply_selected_resources import plan_or_apply_selected_resources

    confirmed, only = confirm and not dry_run, without_git_refs_of_other_lanes(request, is_git_mirror_flush)
    return plan_or_apply_selected_resources(
        request,
        only,
        "mirror flush",
        confirm=confirmed,
        plan_id=plan_id,
        json=as_json,
        how=how,
        extra=git_mirror_flush_document,
    )
