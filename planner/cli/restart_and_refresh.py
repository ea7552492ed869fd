"""`hwplan restart` and `hwplan refresh`: what is due because a person says so, planned like all else (decision A3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options

if TYPE_CHECKING:
    from planner.app.plan_with_inputs import Rewrite


@click.command("restart")
@selection_options
@approval_options
@apply_options
def restart_workloads(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Replace the pods of a lane's workloads, as `kubectl rollout restart` does, and wait for the rollout.

    Those of role `runtime` and what the lane's Applications manage; others by --target Deployment/NAMESPACE/NAME.
    """
    from planner.app.requested_restarts_and_refreshes import with_requested_restarts

    targets = request.targets
    return _apply(
        request,
        "restart",
        lambda session: with_requested_restarts(session, targets),
        confirm and not dry_run,
        plan_id,
        as_json,
        how,
    )


@click.command("refresh")
@selection_options
@approval_options
@apply_options
def refresh_argo_applications(
    request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any
) -> int:
    """Have Argo CD make the lane's manifests anew and compare them (a hard refresh); no workload is patched."""
    from planner.app.requested_restarts_and_refreshes import with_requested_argo_refreshes

    targets = request.targets
    return _apply(
        request,
        "refresh",
        lambda session: with_requested_argo_refreshes(session, targets),
        confirm and not dry_run,
        plan_id,
        as_json,
        how,
    )


def _apply(
    request: Request,
    verb: str,
    rewrite: Rewrite,
    confirmed: bool,
    plan_id: str,
    as_json: bool,
    how: dict[str, Any],
) -> int:
    from planner.app.requested_restarts_and_refreshes import is_requested_by_command
    from planner.cli.plan_or_apply_selected_resources import plan_or_apply_selected_resources

    words = "".join(f" --target {word}" for word in request.targets)
    return plan_or_apply_selected_resources(
        replace(request, targets=()),  # they choose workloads, and no resources of the graph
        is_requested_by_command,
        verb + words,
        confirm=confirmed,
        plan_id=plan_id,
        json=as_json,
        how=how,
        rewrite=rewrite,
        look="plan",  # what is asked for on demand is due each time
    )
