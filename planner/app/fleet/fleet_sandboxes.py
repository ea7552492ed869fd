"""A simulated fleet: a folder with one sandbox for each node, to see and try a fleet without a cluster."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from planner.app.fleet.fleet_shards import select_fleet
from planner.app.request import Request
from planner.app.sandbox import create_sandbox
from planner.errors import SelectionError
from planner.loading.selection import ALL


def create_fleet_sandboxes(request: Request, folder: Path) -> str:
    """Make `folder/NODE` for each node that the words of `request` name (as `hwplan fleet` reads them), with all its
    lanes; all of them or none. Gives what was made, as text.

    Raises SelectionError when the folder exists, and for single lanes: a sandbox is a whole node here.
    """
    if folder.exists():
        raise SelectionError(f"{folder} exists already", remedy="choose another folder, or remove it first")
    if request.lanes:
        raise SelectionError(
            "the sandboxes of a fleet have all lanes of their nodes", where="--lane", remedy="leave it out"
        )
    shards = select_fleet(replace(request, live=None)).shards
    made = []
    try:
        for node in dict.fromkeys(one.node for one in shards):
            whole = replace(request, product=request.product or ALL, nodes=(node,))
            made.append(create_sandbox(whole, folder / node))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return "\n".join([*made, f"all of them: hwplan fleet --live {folder}"])
