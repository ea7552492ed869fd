"""`hwplan sync`: repairs of what keeps Argo CD from converging, each a node of the plan, then one sync (S13)."""

from __future__ import annotations

from typing import Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options
from planner.cli.plan_or_apply_selected_resources import show_or_apply_plan_of_opener


@click.command("sync")
@selection_options
@approval_options
@apply_options
def sync_argo_applications(
    request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any
) -> int:
    """Bring Argo CD to what was promoted last: mend what is stuck, then sync.

    A stuck operation is terminated, a failed hook Job deleted, a pod of an old revision that cannot start deleted: each
    is a line of the plan with what was seen, and bound to that very object. Nothing else is touched.
    """
    from planner.app.argo_sync_plan import open_argo_sync_plan

    confirmed = confirm and not dry_run
    return show_or_apply_plan_of_opener(
        open_argo_sync_plan(request), request, "sync", confirm=confirmed, plan_id=plan_id, json=as_json, how=how
    )
