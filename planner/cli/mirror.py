"""`hwplan mirror status|sync|flush`: the refs of the git mirror as a part of the plan (spec 02, S16)."""

from __future__ import annotations

import json
from typing import Any

import click

from planner.app.request import Request
from planner.cli.apply import applying
from planner.cli.options import approved, selecting
from planner.cli.output import colour, page, width


@click.group()
def mirror() -> None:
    """The refs of the git mirror: what it holds, from the upstream into it, and back."""


@mirror.command()
@selecting
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(request: Request, as_json: bool) -> int:
    """Each ref on both sides. Reads only. Ends with 1 when a ref cannot be read, or may not be moved."""
    from planner.app.parts import is_git
    from planner.app.status import status_of
    from planner.cli.pages import command_of
    from planner.render.mirror_status import mirror_status_json, render_mirror_status

    found = status_of(request, is_git)
    if as_json:
        page(json.dumps(mirror_status_json(found), indent=1, sort_keys=True))
    else:
        sync, flush = command_of("mirror sync", request), command_of("mirror flush", request)
        page(render_mirror_status(found, sync=sync, flush=flush, colour=colour(), width=width()))
    return 1 if any(row.problem for row in found.rows) else 0


@mirror.command()
@selecting
@approved
@applying
def sync(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Bring the upstream's branches and an immutable snapshot of each into the mirror."""
    from planner.app.parts import is_sync
    from planner.cli.part import apply_part

    confirmed = confirm and not dry_run
    return apply_part(request, is_sync, "mirror sync", confirm=confirmed, plan_id=plan_id, json=as_json, how=how)


@mirror.command()
@selecting
@approved
@applying
def flush(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Bring promoted branches back to the upstream, fast-forward only."""
    from planner.app.parts import is_flush
    from planner.cli.part import apply_part

    confirmed = confirm and not dry_run
    return apply_part(request, is_flush, "mirror flush", confirm=confirmed, plan_id=plan_id, json=as_json, how=how)
