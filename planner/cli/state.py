"""`hwplan state`: what was applied, the history of runs, and the lock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from planner.address import Address
from planner.app.request import Request
from planner.cli.common_options import common_options
from planner.cli.terminal_output import print_json, print_page

SCHEMA_VERSION = 1


@click.group()
def state() -> None:
    """What was applied, when, by whom, from which configuration."""


@state.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@common_options
def state_list(request: Request, as_json: bool) -> None:
    """Every resource that was applied and not deleted since."""
    from planner.app.runtime import open_state_store

    with open_state_store(request) as store:
        records = store.records()
    rows = [
        {
            "address": str(record.address),
            "apiVersion": record.api_version,
            "set": record.owned_by,
            "scope": record.scope,
            "uid": record.uid,
            "run": record.run,
            "at": record.at,
            "source": str(record.source),
        }
        for record in records
    ]
    _show(rows, "resources", as_json, lambda row: f"{row['address']}  run {row['run']}  {row['at']}")


@state.command("history")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="How many, newest first.")
@common_options
def state_history_of_runs(request: Request, as_json: bool, limit: int) -> None:
    """The runs, newest first."""
    from planner.app.runtime import open_state_store

    with open_state_store(request) as store:
        runs = store.history(limit)
    successors = {run.resumes: run.number for run in runs if run.resumes}  # newer, so they are among the newest too
    rows = [
        {
            "run": run.number,
            "plan": run.plan_id,
            "operation": run.operation,
            "startedAt": run.started,
            "endedAt": run.ended,
            "outcome": run.outcome or "unfinished",
            "resumes": run.resumes,
            "resumedBy": successors.get(run.number),
            "by": run.who,
            "tool": run.tool,
        }
        for run in runs
    ]
    _show(
        rows,
        "runs",
        as_json,
        lambda row: (
            f"{row['run']:>4}  {row['operation']:<8} {row['outcome']:<12} {row['startedAt']}  {row['by']}"
            f"  {row['plan'][:19]}" + (f"  resumed as run {row['resumedBy']}" if row["resumedBy"] else "")
        ),
    )


@state.command("show")
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@common_options
def state_show_record_versions(request: Request, address: str, as_json: bool) -> None:
    """Every version of one resource that was applied, oldest first."""
    from planner.app.runtime import open_state_store

    with open_state_store(request) as store:
        versions = store.versions(address=_address(address))
    rows = [
        {
            "run": version.record.run,
            "at": version.record.at,
            "uid": version.record.uid,
            "action": str(version.action),
        }
        for version in versions
    ]
    _show(rows, "versions", as_json, lambda row: f"run {row['run']}  {row['action']:<8} {row['at']}  uid {row['uid']}")


@state.command("rm")
@click.argument("address")
@common_options
def state_rm(request: Request, address: str) -> None:
    """Forget a resource: its record goes, the live object stays."""
    from planner.app.runtime import open_state_store

    with open_state_store(request) as store:
        store.forget(_address(address))
    print_page(f"forgot {address}; the live object is untouched")


@state.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@common_options
def state_backup(request: Request, file: Path) -> None:
    """Write a copy of the state to FILE, whole and consistent also while something applies. Never overwrites."""
    from planner.app.runtime import open_state_store

    if file.exists():
        raise click.UsageError(f"{file} exists; a backup never overwrites.")
    with open_state_store(request) as store:
        store.backup(file)
    print_page(f"the state is in {file}; to use it: --state {file}")


@state.command("unlock")
@click.argument("lock_id", type=int)
@common_options
def state_unlock(request: Request, lock_id: int) -> None:
    """End the lock with this id (the refused command names it); its holder can never write again."""
    from planner.app.runtime import open_state_store

    with open_state_store(request) as store:
        store.unlock(lock_id)
    print_page(f"lock {lock_id} is gone")


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _show(rows: list[dict[str, Any]], key: str, as_json: bool, line: Any) -> None:
    if as_json:
        print_json({"schemaVersion": SCHEMA_VERSION, key: rows}, indent=2, sort_keys=False)
    else:
        print_page("\n".join(line(row) for row in rows) or f"no {key}")
