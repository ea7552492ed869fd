"""`hwplan fleet`: every lane on every node in one matrix. Exit 0 aligned, 2 not, 1 when of a shard nothing is known."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from planner.app.request import Request
from planner.cli.common_options import common_options, option_completer
from planner.cli.ending_signals import ending_by_signals
from planner.cli.output_formats import format_options
from planner.cli.run_options import parse_duration_option
from planner.cli.terminal_output import wants_colour, write_page

if TYPE_CHECKING:
    from planner.app.fleet.fleet_job import FleetJob
    from planner.app.fleet.fleet_shards import FleetSelection
    from planner.fleet import FleetReport, Shard, ShardResult

_PART = re.compile(r"(\d{1,6})/([1-9]\d{0,5})")
_TIMEOUT = "10m"
_NIGHTLY = "0 3 * * *"


@click.command()
@common_options
@click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="GLOB",
    shell_complete=option_completer("nodes"),
    help="Only nodes of this name, such as D601 or 'D*' (default: all).",
)
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    metavar="GLOB",
    shell_complete=option_completer("lanes"),
    help="Only lanes of this name, such as v03 or 'v*' (default: all that are enabled).",
)
@click.option(
    "--product", metavar="NAME", shell_complete=option_completer("products"), help="Only this product (default: all)."
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE",
    shell_complete=option_completer("scopes"),
    help="Only this scope of each lane; products without it are left out.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="KIND/NS/NAME",
    help="Of each lane only these addresses (a glob), and what they depend on.",
)
@click.option("--exclude", multiple=True, metavar="KIND/NS/NAME", help="A glob of addresses to leave out.")
@click.option(
    "--shard",
    "part",
    default="",
    metavar="INDEX/COUNT",
    help="Only the shards with the numbers INDEX, INDEX+COUNT, INDEX+2*COUNT, ... (from 0), as the pods of"
    " --format job do.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    metavar="N",
    help="Shards at the same time; of --format job: pods at the same time.",
)
@click.option(
    "--timeout",
    default=_TIMEOUT,
    show_default=True,
    metavar="DURATION",
    help="The longest that one shard may take; of --format job: one pod.",
)
@click.option("--in-process", is_flag=True, hidden=True, help="Look at the one shard in this process.")
@format_options("text", "json", "job", "cronjob")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it to this file instead, in one step.",
)
@click.option(
    "--image", default="", metavar="IMAGE", help="Of job and cronjob: one that holds hwplan and the configuration."
)
@click.option(
    "--run-in", default="hwplan", show_default=True, metavar="NS", help="Of job and cronjob: their namespace."
)
@click.option(
    "--schedule", default="", metavar="CRON", help=f'Of --format cronjob: when it runs, in UTC (default: "{_NIGHTLY}").'
)
@click.option(
    "--kubeconfig-secret",
    default="",
    metavar="NAME",
    help="Of job and cronjob: the Secret with a kubeconfig (key `kubeconfig`) that has the contexts of all nodes."
    " Without it the pods ask the cluster that they run in, and all nodes have to be that one.",
)
@click.option(
    "--state-claim",
    default="",
    metavar="NAME",
    help="Of job and cronjob: the PersistentVolumeClaim with the state.",
)
@click.option("--read-secrets", is_flag=True, help="Of job and cronjob: also grant reading declared Secrets.")
def fleet(
    request: Request,
    part: str,
    concurrency: int,
    timeout: str,
    in_process: bool,
    form: str,
    out: Path | None,
    image: str,
    run_in: str,
    schedule: str,
    kubeconfig_secret: str,
    state_claim: str,
    read_secrets: bool,
) -> int:
    """Plan and judge every lane on every node, and show the results as a matrix. Changes nothing.

    A shard is one lane of one product on one node; each is looked at by itself, several at the same time. Its row says
    whether it is aligned, would change, has drift, is blocked, unreachable or failed, how many changes of which kind
    its plan has, and the plan's id. One that fails has its reason and remedy below its row, and stops no other.

    Exit codes: 0 all aligned, 2 when any is not, 1 when any is unreachable or failed, or the words are wrong.

    With --live DIR each node is the sandbox DIR/NODE (`hwplan sandbox create DIR --fleet`) or the snapshot
    DIR/NODE.json.

    With --format job nothing is looked at: it prints the manifests of a Kubernetes Job (completionMode Indexed) that
    has one pod for each shard, with a read-only account; with --format cronjob, or --schedule, a CronJob of it.
    """
    from planner.app.fleet.fleet_shards import select_fleet, shards_of_part

    seconds = parse_duration_option(timeout, "--timeout") or 0.0
    if seconds < 1:
        raise click.UsageError("--timeout: at least 1s, or no shard could be looked at.")
    found = select_fleet(request)
    if form in ("job", "cronjob"):
        from planner.app.fleet.fleet_job import FleetJob

        when = schedule or (_NIGHTLY if form == "cronjob" else "")
        job = FleetJob(image, run_in, when, concurrency, int(seconds), kubeconfig_secret, state_claim, read_secrets)
        write_page(_manifests(request, found, job, part), out)
        return 0
    _refuse_options_of_job(
        image=image, schedule=schedule, kubeconfig_secret=kubeconfig_secret, state_claim=state_claim,
        read_secrets=read_secrets,
    )  # fmt: skip
    shards = shards_of_part(found.shards, *_index_and_count(part)) if part else found.shards
    from planner.app.fleet.shard_look import FleetChoices, look_at_fleet, look_here

    with ending_by_signals():
        if in_process and len(shards) == 1:
            report = look_here(request, shards[0])
        else:
            told = _progress(request) if len(shards) > 1 else None
            report = look_at_fleet(request, shards, FleetChoices(concurrency, seconds, told))
    write_page(_page(report, request, found, form), out)
    return report.exit_code


def _manifests(request: Request, found: FleetSelection, job: FleetJob, part: str) -> str:
    from planner.app.fleet.fleet_job import fleet_job_manifests

    if part:
        raise click.UsageError("--shard is what each pod of --format job gets; the manifests are of all shards.")
    if not job.image:
        form = "cronjob" if job.schedule else "job"
        raise click.UsageError(f"--format {form} needs --image IMAGE: one with hwplan and the configuration.")
    return fleet_job_manifests(request, found, job)


def _page(report: FleetReport, request: Request, found: FleetSelection, form: str) -> str:
    if form == "json":
        from planner.fleet_document import fleet_document
        from planner.render.json_text import render_document_as_json

        return render_document_as_json(fleet_document(report))
    from planner.app.fleet.fleet_shards import request_of_shard
    from planner.cli.print_pages import command_line_for_verb
    from planner.render.fleet_text import fleet_verdict, render_fleet

    if request.quiet:
        return fleet_verdict(report)
    nodes = frozenset(one.node for one in found.shards)

    def command_of(verb: str, shard: Shard) -> str:
        return command_line_for_verb(verb, request_of_shard(request, shard, nodes))

    return render_fleet(report, command_of=command_of, colour=wants_colour())


def _progress(request: Request) -> Callable[[ShardResult], None] | None:
    """On a terminal each shard is named when it is done: the matrix comes when all are."""
    if request.quiet or not sys.stderr.isatty():
        return None
    from planner.render.fleet_text import shard_progress_text

    return lambda result: click.echo(shard_progress_text(result), err=True)


def _index_and_count(text: str) -> tuple[int, int]:
    match = _PART.fullmatch(text)
    if match is None or int(match[1]) >= int(match[2]):
        raise click.UsageError(f"--shard: {text!r} is not INDEX/COUNT with INDEX from 0 to COUNT-1, such as 0/4.")
    return int(match[1]), int(match[2])


def _refuse_options_of_job(**given: object) -> None:
    """Options of manifests are refused where none are made: whoever gives one expects some."""
    if named := [f"--{name.replace('_', '-')}" for name, value in given.items() if value]:
        raise click.UsageError(f"{', '.join(named)}: goes with --format job or --format cronjob.")
