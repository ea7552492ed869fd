"""`python -m bench [SCENARIO...]`: runs the scenarios and prints the table. Leaves with 1 when a goal is missed.

The machine stands above the table, and its load beside each row: a figure without them says nothing.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from bench import engine, heavy, lanes, scenarios, systems
from tests.testbed import cluster as testbed

_ALL = {
    "starting": scenarios.starting,
    "unchanged": scenarios.unchanged,
    "drifted": scenarios.drifted,
    "far": scenarios.far_away,
    "fresh": scenarios.fresh,
    "larger": scenarios.larger,
    "sandboxes": heavy.sandboxes,
    "definitions": heavy.definitions,
    "together": systems.together,
    "status": lanes.status,
    "graph": engine.graph,
    "makespan": engine.makespan,
    "memory": engine.memory,
}


def main() -> int:
    """Run what was named, or all."""
    names = sys.argv[1:] or list(_ALL)
    missed = 0
    print(f"{_machine()}\n\n| scenario | measured | goal | | load |\n|---|---|---|---|---|")
    with testbed.running(controllers=False) as running, scenarios.rig(running.value) as rig:
        for name in names:
            for row in _ALL[name](rig):
                mark = "" if row.holds is None else "holds" if row.holds else "**missed**"
                missed += row.holds is False
                print(
                    f"| {row.scenario} | {row.measured} | {row.goal} | {mark} | {os.getloadavg()[0]:.1f} |", flush=True
                )
    return 1 if missed else 0


def _machine() -> str:
    """Processor, cores and memory."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
