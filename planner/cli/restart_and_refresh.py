"""`hwplan restart` and `hwplan refresh`: what is due because a person says so, planned like all else (decision A3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options

if TYPE_CHECKING:
    from planner.app.plan_run import Rewrite


@click.command()
@selection_options
@approval_options
@apply_options
def restart(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Replace the pods of a lane's workloads, as `kubectl rollout restart` does, and wait for the rollout.

    Those of role `runtime` and what the lane's Applications manage; others by --target Deployment/NAMESPACE/NAME.
    """
    from planner.app.restarts_and_refreshes import with_restarts

    targets = request.targets
    return _apply(
        request,
        "restart",
        lambda session: with_restarts(session, targets),
        confirm and not dry_run,
        plan_id,
        as_json,
        how,
    )


@click.command()
@selection_options
@approval_options
@apply_options
def refresh(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Have Argo CD make the lane's manifests anew and compare them (a hard refresh); no workload is patched."""
    from planner.app.restarts_and_refreshes import with_argo_refreshes

    targets = request.targets
    return _apply(
        request,
        "refresh",
        lambda session: with_argo_refreshes(session, targets),
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
    from planner.app.restarts_and_refreshes import is_requested_by_command
    from planner.cli.part_command import plan_and_apply_part

    words = "".join(f" --target {word}" for word in request.targets)
    return plan_and_apply_part(
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
