"""`hwplan cleanup runs|pvs|runners`: what is over or idle, as a part of the plan (spec 02, S24 and S26)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options

if TYPE_CHECKING:
    from planner.app.narrowed_retentions import RetentionCleanupLimits
    from planner.app.plan_with_inputs import PlanWithInputs
    from planner.cli.plan_or_apply_selected_resources import VerbFactsBesidePlan

_min_age = click.option(
    "--min-age-minutes", type=click.IntRange(0), metavar="N", help="Only those that ended at least so long ago."
)
_limit = click.option("--limit", type=click.IntRange(1), metavar="N", help="Delete at most so many.")


@click.group()
def cleanup() -> None:
    """Delete what is over, by the `retention` of the lane; running and protected objects stay.

    Options may only narrow what the configuration selects.
    """


@cleanup.command("runs")
@selection_options
@_min_age
@_limit
@click.option(
    "--pipeline-run", "run", default="", metavar="NAME", help="Only this run, however young; one that runs is refused."
)
@approval_options
@apply_options
def cleanup_pipeline_runs(
    request: Request,
    min_age_minutes: int | None,
    limit: int | None,
    run: str,
    plan_id: str,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: Any,
) -> int:
    """Finished PipelineRuns of the lane, oldest first. Their TaskRuns, pods and claims go with them."""
    from planner.app.narrowed_retentions import RUNS, RetentionCleanupLimits

    words = RetentionCleanupLimits(min_age_minutes, limit, run)
    return _clean(request, "cleanup runs", RUNS, words, confirm and not dry_run, plan_id, as_json, how)


@cleanup.command("pvs")
@selection_options
@_min_age
@_limit
@approval_options
@apply_options
def cleanup_released_volumes(
    request: Request,
    min_age_minutes: int | None,
    limit: int | None,
    plan_id: str,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: Any,
) -> int:
    """Released PersistentVolumes that the lane's runs had claimed, oldest first."""
    from planner.app.narrowed_retentions import VOLUMES, RetentionCleanupLimits

    words = RetentionCleanupLimits(min_age_minutes, limit)
    return _clean(request, "cleanup pvs", VOLUMES, words, confirm and not dry_run, plan_id, as_json, how)


@cleanup.command("runners")
@selection_options
@click.option(
    "--force-active",
    is_flag=True,
    help="Delete the active ones too, all of them: their runs are cut off. Confirmed by the --plan-id of a plan that"
    " showed who.",
)
@_limit
@approval_options
@apply_options
def cleanup_ci_runners(
    request: Request,
    force_active: bool,
    limit: int | None,
    plan_id: str,
    confirm: bool,
    dry_run: bool,
    as_json: bool,
    **how: Any,
) -> int:
    """Runners of the lane that are over or idle, the longest idle first; never one with a heartbeat in its window.

    Shows what is known of each, which of them may go, which go, and whose work would be cut off."""
    from planner.app.ci_runner_cleanup import (
        SCOPE,
        check_forced_cleanup,
        ci_runner_cleanup_json,
        narrow_retentions_of_inactive_runners,
        retention_selections_of_plan,
    )
    from planner.app.resource_filters import is_retention_of_inactive_objects
    from planner.cli.plan_or_apply_selected_resources import VerbFactsBesidePlan, plan_or_apply_selected_resources
    from planner.render.ci_runner_cleanup_text import render_ci_runner_cleanup_plan

    if force_active and limit is not None:
        raise click.UsageError("--force-active takes all that match; it has no --limit.")
    confirmed = confirm and not dry_run
    check_forced_cleanup(force=force_active, confirmed=confirmed, plan_id=plan_id)

    def facts(run: PlanWithInputs) -> VerbFactsBesidePlan:
        found = ci_runner_cleanup_json(retention_selections_of_plan(run))
        return VerbFactsBesidePlan(
            "" if request.quiet else render_ci_runner_cleanup_plan(found, full=request.full), found
        )

    words = " --force-active" if force_active else "" if limit is None else f" --limit {limit}"
    return plan_or_apply_selected_resources(
        request if request.scopes or request.plain else replace(request, scopes=(SCOPE,)),
        is_retention_of_inactive_objects,
        f"cleanup runners{words}",
        confirm=confirmed,
        plan_id=plan_id,
        json=as_json,
        how=how,
        rewrite=lambda session: narrow_retentions_of_inactive_runners(session, limit, force=force_active),
        facts=facts,
    )


def _clean(
    request: Request,
    verb: str,
    kind: str,
    words: RetentionCleanupLimits,
    confirmed: bool,
    plan_id: str,
    as_json: bool,
    how: dict[str, Any],
) -> int:
    from planner.app.narrowed_retentions import narrow_retentions
    from planner.app.resource_filters import is_retention_of_kind
    from planner.cli.plan_or_apply_selected_resources import plan_or_apply_selected_resources

    return plan_or_apply_selected_resources(
        request,
        is_retention_of_kind(kind),
        f"{verb}{words.words}",
        confirm=confirmed,
        plan_id=plan_id,
        json=as_json,
        how=how,
        rewrite=lambda session: narrow_retentions(session, kind, words),
    )
