"""`hwplan sandbox create|set|delete|fail`: a simulated cluster, somebody else who changes it, and faults."""

from __future__ import annotations

from pathlib import Path

import click

from planner.app.request import Request
from planner.cli.common_options import common_options, selection_options
from planner.cli.terminal_output import print_page


@click.group()
def sandbox() -> None:
    """A simulated cluster in a folder that a person can read and edit."""


@sandbox.command("create")
@click.argument("directory", type=click.Path(path_type=Path))
@selection_options
@click.option(
    "--fleet",
    "whole_fleet",
    is_flag=True,
    help="One sandbox for each node, DIRECTORY/NODE, with all its lanes: for hwplan fleet --live DIRECTORY.",
)
def sandbox_create(request: Request, directory: Path, whole_fleet: bool) -> None:
    """Make a sandbox in DIRECTORY for the selected nodes and lanes. Never overwrites."""
    from planner.app.sandbox import create_sandbox

    if whole_fleet:
        from planner.app.fleet.fleet_sandboxes import create_fleet_sandboxes

        if request.plain:
            raise click.UsageError("--fleet is of the configuration; it goes without -f and -k.")
        print_page(create_fleet_sandboxes(request, directory))
        return
    print_page(create_sandbox(request, directory))


@sandbox.command("set")
@click.argument("directory", type=click.Path(exists=True, path_type=Path))
@click.argument("address")
@click.argument("assignments", nargs=-1, required=True, metavar="PATH=VALUE...")
@click.option("--manager", required=True, metavar="NAME", help="Who does it: the field manager to record.")
@common_options
def sandbox_set_object_fields(
    request: Request, directory: Path, address: str, assignments: tuple[str, ...], manager: str
) -> None:
    """Play somebody else: change fields of the live object ADDRESS.

    A PATH is written as plans show it, a VALUE as in YAML or JSON; null removes the field. Of a value of a Secret
    (plain text) only the fingerprint is retained.
    """
    from planner.app.sandbox import simulate_foreign_change

    print_page(simulate_foreign_change(request, directory, address, assignments, manager))


@sandbox.command("delete")
@click.argument("directory", type=click.Path(exists=True, path_type=Path))
@click.argument("address")
@common_options
def sandbox_delete_object(request: Request, directory: Path, address: str) -> None:
    """Play somebody else: delete the live object ADDRESS."""
    from planner.app.sandbox import simulate_foreign_delete

    print_page(simulate_foreign_delete(directory, address))


@sandbox.command("fail")
@click.argument("directory", type=click.Path(exists=True, path_type=Path))
@click.argument("address")
@click.option(
    "--task", default="", metavar="TASK", help="Of a PipelineRun: the task that fails (default: the first build)."
)
@click.option("--undo", is_flag=True, help="It works again.")
@common_options
def sandbox_fail_effect(request: Request, directory: Path, address: str, task: str, undo: bool) -> None:
    """Make the effect of ADDRESS fail from now on: a run, a sync, a push, a probe, or any object.

    A PipelineRun comes to a failed end; everything else refuses to be done.
    """
    from planner.app.sandbox import simulate_failing_effect

    print_page(simulate_failing_effect(directory, address, task, undo=undo))
