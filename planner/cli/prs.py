"""`hwplan prs`: the pull requests of a lane, cycle by cycle (spec 02, S01 to S03).

Exit codes: 0 done or nothing to do, 1 failed or unreadable, 4 a rollout goes on, 5 another monitor is at work.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.common_options import selection_options
from planner.cli.terminal_output import print_json, print_page, show_error

if TYPE_CHECKING:
    from planner.app.pull_requests.apply_cycle import PlannedCycle
    from planner.app.pull_requests.monitor import MonitorLoopChoices
    from planner.app.pull_requests.monitor_cronjob import MonitorCronJob
    from planner.app.pull_requests.monitored_lane import MonitoredLane
    from planner.pull_requests.cycle_record import CycleRecord

_PATIENCE = 30.0  # seconds for the lock of the state


@click.command()
@selection_options
@click.option("--once", is_flag=True, help="One cycle; the exit code says how it ended.")
@click.option("--dry-run", is_flag=True, help="One cycle that shows what it would do, and writes nothing.")
@click.option(
    "--interval-seconds",
    type=click.IntRange(5, 86_400),
    default=60,
    show_default=True,
    metavar="N",
    help="Pause between two cycles.",
)
@click.option("--max-cycles", type=click.IntRange(1), metavar="N", help="End after this many (default: never).")
@click.option(
    "--timeout-seconds",
    type=click.IntRange(1, 86_400),
    default=1800,
    show_default=True,
    metavar="N",
    help="Longest wait for a rollout; after it the failure issue cd-timeout, and the next cycle goes on.",
)
@click.option("--history", is_flag=True, help="Show the stored cycles instead, and the newest of each purpose.")
@click.option("--resume", is_flag=True, help="Let a lane go on that paused itself, or stopped at a merge mismatch.")
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "cronjob")), default="text", help="How to show it."
)
@click.option("--json", "as_json", is_flag=True, help="Same as --format json: one document a line and cycle.")
@click.option("--schedule", default="*/5 * * * *", show_default=True, metavar="CRON", help="Of --format cronjob.")
@click.option("--image", default="", metavar="IMAGE", help="Of --format cronjob: hwplan and the configuration.")
@click.option("--run-in", default="hwplan", show_default=True, metavar="NS", help="Of --format cronjob: namespace.")
@click.option("--state-claim", default="", metavar="NAME", help="Of --format cronjob: the volume claim of the state.")
@click.option(
    "--token-secret",
    default="",
    metavar="NAME",
    help="Of --format cronjob: the Secret with the credential of GitHub, under its file name.",
)
@click.option(
    "--ssh-secret", default="", metavar="NAME", help="Of --format cronjob: the Secret with git's key, id_ed25519."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Of --format cronjob: write the manifests to this file, in one step.",
)
def prs(
    request: Request,
    once: bool,
    dry_run: bool,
    interval_seconds: int,
    max_cycles: int | None,
    timeout_seconds: int,
    history: bool,
    resume: bool,
    form: str,
    as_json: bool,
    schedule: str,
    image: str,
    run_in: str,
    state_claim: str,
    token_secret: str,
    ssh_secret: str,
    out: Path | None,
) -> int:
    """Watch the pull requests of a lane: merge what is ready, one at a time, verify the merge, roll it out, report.

    Each cycle shows every candidate with all that it lacks and what is next. The rules are `pulls` of the lane; without
    --node it runs on the node that merges for it. Exit codes: 0 done or nothing to do, 1 failed or unreadable, 4 a
    rollout goes on, 5 another monitor of the lane is at work.
    """
    from planner.app.pull_requests.monitored_lane import find_monitored_lane

    as_json = as_json or form == "json"
    place = find_monitored_lane(request)
    if form == "cronjob":
        from planner.app.pull_requests.monitor_cronjob import MonitorCronJob

        job = MonitorCronJob(image, schedule, run_in, state_claim, token_secret, ssh_secret, timeout_seconds)
        return _cronjob(place, job, out)
    if history or resume:
        return _stored(place, as_json=as_json, resume=resume)
    from planner.app.pull_requests.monitor import MONITOR, ONCE, run_pull_request_monitor

    single = once or dry_run
    choices = _choices(place, timeout_seconds, as_json=as_json, dry_run=dry_run, purpose=ONCE if single else MONITOR,
                       cycles=1 if single else max_cycles or 0, interval=float(interval_seconds))  # fmt: skip
    return run_pull_request_monitor(place, choices)


def _choices(
    place: MonitoredLane,
    timeout: int,
    *,
    as_json: bool,
    dry_run: bool,
    purpose: str,
    cycles: int,
    interval: float,
) -> MonitorLoopChoices:
    from planner.app.apply_plan import ApplyChoices
    from planner.app.pull_requests.monitor import MonitorLoopChoices
    from planner.executor import ErrorPolicy, ExecutionOptions, WaitPolicy
    from planner.render.run_progress import progress_observer

    options = ExecutionOptions(
        parallelism=2 * place.request.parallelism,
        wait=WaitPolicy.NEEDED,
        timeout=float(timeout),
        on_error=ErrorPolicy.CONTINUE,
    )
    how = ApplyChoices(options, (), _PATIENCE, None if place.request.quiet else progress_observer)
    told = _told_json if as_json else _teller(place)
    show = _shower(place) if dry_run and not as_json else None
    return MonitorLoopChoices(how, purpose, told, show_error, show, dry_run, cycles, interval)


def _teller(place: MonitoredLane) -> Callable[[CycleRecord], None]:
    from planner.render.pull_request_cycle_text import render_pull_request_cycle

    def told(record: CycleRecord) -> None:
        page = render_pull_request_cycle(record, f"{place.node}/{place.lane}", place.repo, place.branch)
        print_page(page.rpartition("\n")[2] if place.request.quiet else page)

    return told


def _told_json(record: CycleRecord) -> None:
    print_json(record.document() | {"exitCode": record.exit_code}, indent=None)


def _shower(place: MonitoredLane) -> Callable[[PlannedCycle], None]:
    from planner.cli.print_pages import print_plan

    def show(planned: PlannedCycle) -> None:
        if not place.request.quiet:
            print_page(print_plan(planned.made, place.request, "text", verb="prs", confirmed=True) + "\n")

    return show


def _stored(place: MonitoredLane, *, as_json: bool, resume: bool) -> int:
    from planner.app.pull_requests.monitor import resume_paused_lane, stored_pull_request_cycles
    from planner.render.pull_request_cycle_text import render_pull_request_cycle_history
    from planner.text_safe import safe_text

    accepted = resume_paused_lane(place) if resume else ()
    document = stored_pull_request_cycles(place).document()
    if as_json:
        print_json(document | ({"accepted": list(accepted)} if resume else {}))
        return 0
    if resume:
        lines = [f"accepted, and not rolled out: {safe_text(one)}" for one in accepted]
        print_page("\n".join([*lines, f"{place.node}/{place.lane} goes on with its next cycle"]))
        return 0
    print_page(render_pull_request_cycle_history(document))
    return 0


def _cronjob(place: MonitoredLane, job: MonitorCronJob, out: Path | None) -> int:
    from planner.app.pull_requests.monitor_cronjob import monitor_cronjob_manifests
    from planner.redaction.redactor import REDACTOR
    from planner.whole_file import write_whole_file

    if not job.image:
        raise click.UsageError("--format cronjob needs --image IMAGE: one with hwplan and the configuration.")
    if not job.state_claim:
        raise click.UsageError(
            "--format cronjob needs --state-claim NAME: a cycle goes on with what the last one began."
        )
    text = monitor_cronjob_manifests(place, job)
    if out is None:
        print_page(text)
    else:
        write_whole_file(out, REDACTOR.clean(text).encode())
    return 0
