"""`--detach`: the same command as a job, its id at once (spec 02 S29, decision B7)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import click

from planner.app.request import Request
from planner.cli.terminal_output import print_json

detachable = click.option(
    "--detach", "detached", is_flag=True, help="Do it as a job, and print its id at once (hwplan job status ID)."
)


def start_as_detached_job(
    request: Request, verb: str, arguments: Sequence[str], *, confirmed: bool, how: dict[str, Any], name: str = ""
) -> int:
    """Start `hwplan VERB` about the same selection as a job, with `arguments` and the choices of a run. `name` is that
    of the job, else verb and selection.

    Raises click.UsageError without --confirm, and for manifests on standard input, which a job has not.
    """
    from planner.app.detached_jobs import start_detached_job
    from planner.cli.print_pages import command_line_for_verb

    if not confirmed:
        raise click.UsageError("--detach goes with --confirm: a plan is shown at once.")
    if "-" in request.files:
        raise click.UsageError("--detach takes no manifests from standard input: write them to a file, -f FILE.")
    words = [*shlex.split(command_line_for_verb(verb, request))[1:], "--config", str(request.config), *arguments]
    words += [f"--allow={guard}" for guard in how["allow"]]
    words += [word for word in ("--timeout", how["timeout"]) if how["timeout"]]
    words += ["--on-error", how["on_error"], "--lock-timeout", how["lock_timeout"]]
    words += ["--wait" if how["wait"] else "--no-wait", "--confirm"]
    name = name or "-".join([verb, *request.nodes, *request.lanes, *([request.name] if request.name else [])])
    print_json({"job": {"id": start_detached_job(request, name, words).id}}, indent=None)
    return 0
