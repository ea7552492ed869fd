"""Jobs: commands that go on without their client, recorded in the state and followed by their id (S29, R15)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from planner.app.request import Request
from planner.app.runtime import open_state_store, state_folder
from planner.disk_errors import disk_error_text
from planner.errors import PermanentError, SelectionError
from state.detached_jobs import DetachedJob
from state.process_identity import parse_process_identity

_ID = re.compile(r"(?:job-)?([1-9]\d{0,15})")


def start_detached_job(request: Request, name: str, command: Sequence[str]) -> DetachedJob:
    """Start `command` (words of hwplan, without `hwplan`) as a process that outlives this one; its record."""
    with open_state_store(request) as store:
        job = store.create_detached_job(name, command)
        log = job_log_path(request, job)
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "planner", "job", "run", job.id, *_where(request)]
        try:
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
                subprocess.Popen(  # it is never waited for: that is what makes it a job
                    argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                )
        except OSError as error:
            store.end_detached_job(job.number, 1)
            raise PermanentError(f"the job cannot be started: {disk_error_text(error)}", where=job.id) from error
    return job


def run_detached_job(request: Request, identifier: str, run: Callable[[list[str]], int]) -> int:
    """Carry a job out in this process: `run` takes its words and gives its exit code. Raises SelectionError."""
    with open_state_store(request) as store:
        job = store.begin_detached_job(_number(identifier))
    code = 1
    try:
        code = run(list(job.command))
    finally:
        with open_state_store(request) as store:
            store.end_detached_job(job.number, code)
    return code


def find_detached_job(request: Request, identifier: str) -> DetachedJob:
    """A job by its id. Raises SelectionError."""
    with open_state_store(request) as store:
        return store.job(_number(identifier))


def list_detached_jobs(request: Request) -> tuple[DetachedJob, ...]:
    """The newest jobs, newest first."""
    with open_state_store(request) as store:
        return store.jobs()


def cancel_detached_job(request: Request, identifier: str) -> DetachedJob:
    """Ask a running job to stop: what it has begun is finished, nothing else begins. Raises SelectionError."""
    job = find_detached_job(request, identifier)
    process = parse_process_identity(job.process)
    if job.state != "running" or process is None:
        raise SelectionError(f"{job.id} is {job.state}", remedy="only a running job can be cancelled")
    os.kill(process.pid, signal.SIGINT)
    return job


def job_log_path(request: Request, job: DetachedJob) -> Path:
    """The path of the log file of a job."""
    return state_folder(request) / "jobs" / f"{job.id}.log"


def read_job_log(request: Request, job: DetachedJob, most: int | None) -> str:
    """The log of a job, or its last `most` bytes from the start of a line; empty when there is none yet."""
    path = job_log_path(request, job)
    if not path.exists():
        return ""
    data = path.read_bytes()
    if most is None or len(data) <= most:
        return data.decode(errors="replace")
    tail = data[len(data) - most :] if most else b""
    return (tail.partition(b"\n")[2] or tail).decode(errors="replace")


def _where(request: Request) -> list[str]:
    """The options that name the same state."""
    pairs = (("--state", request.state), ("--live", str(request.live) if request.live else ""))
    return [word for option, value in pairs if value for word in (option, value)]


def _number(identifier: str) -> int:
    match = _ID.fullmatch(identifier)
    if match is None:
        raise SelectionError(f"{identifier} is no id of a job", remedy="hwplan job list shows them, such as job-7")
    return int(match[1])
