"""`hwplan job list|status|logs|cancel`: commands that were detached, and what became of them (spec 02, S29)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.common_options import common_options
from planner.cli.terminal_output import print_json, print_page

if TYPE_CHECKING:
    from state.detached_jobs import DetachedJob

_TAIL = 4000  # bytes


@click.group()
def job() -> None:
    """Detached commands: `hwplan trigger --detach` prints an id at once."""


@job.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@common_options
def job_list(request: Request, as_json: bool) -> None:
    """The newest jobs, newest first."""
    from planner.app.detached_jobs import list_detached_jobs

    found = list_detached_jobs(request)
    if as_json:
        print_json({"schemaVersion": 1, "jobs": [_document(one) for one in found]})
        return
    print_page("\n".join(_line(one) for one in found) or "no jobs")


@job.command("status")
@click.argument("job_id", metavar="ID")
@click.option("--tail-bytes", type=click.IntRange(0), default=_TAIL, metavar="N", help="How much of its log (4000).")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@common_options
def job_status(request: Request, job_id: str, tail_bytes: int, as_json: bool) -> int:
    """What a job came to, with the end of its log.

    Exit codes: 0 it goes on or did what was asked; 1 it did not, or its process is gone.
    """
    from planner.app.detached_jobs import find_detached_job, read_job_log

    found = find_detached_job(request, job_id)
    tail = read_job_log(request, found, tail_bytes)
    if as_json:
        print_json({"schemaVersion": 1, "job": _document(found), "tail": tail})
    else:
        print_page("\n".join(filter(None, [tail.rstrip(), _line(found)])))
    return 1 if found.ok is False else 0


@job.command("logs")
@click.argument("job_id", metavar="ID")
@click.option("--tail-bytes", type=click.IntRange(0), metavar="N", help="Only the end (default: all).")
@common_options
def job_logs(request: Request, job_id: str, tail_bytes: int | None) -> None:
    """What a job has said so far."""
    from planner.app.detached_jobs import find_detached_job, read_job_log

    print_page(read_job_log(request, find_detached_job(request, job_id), tail_bytes).rstrip())


@job.command("cancel")
@click.argument("job_id", metavar="ID")
@common_options
def job_cancel(request: Request, job_id: str) -> None:
    """Ask a job to stop: what it has begun is finished, nothing else begins."""
    from planner.app.detached_jobs import cancel_detached_job

    found = cancel_detached_job(request, job_id)
    print_page(f"{found.id} was asked to stop: hwplan job status {found.id}")


@job.command("run", hidden=True)
@click.argument("job_id", metavar="ID")
@common_options
def job_run(request: Request, job_id: str) -> int:
    """Carry a job out: what `--detach` starts."""
    from planner.app.detached_jobs import run_detached_job
    from planner.cli.main import run_command_line

    return run_detached_job(request, job_id, run_command_line)


def _document(one: DetachedJob) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "status": one.state,
        "ok": one.ok,
        "exitCode": one.code,
        "command": list(one.command),
        "pid": one.pid,
        "who": one.who,
        "created": one.created,
        "started": one.started or None,
        "ended": one.ended or None,
    }


def _line(one: DetachedJob) -> str:
    since = one.ended or one.started or one.created
    return f"{one.id}  {one.state}  {one.name}  since {since}  by {one.who}"
