"""`python -m bench [SCENARIO...]`: runs the scenarios and prints the table. Leaves with 1 when a goal is missed."""

from __future__ import annotations

import sys

from bench import engine, scenarios, systems
from tests.testbed import cluster as testbed

_ALL = {
    "starting": scenarios.starting,
    "unchanged": scenarios.unchanged,
    "drifted": scenarios.drifted,
    "far": scenarios.far_away,
    "fresh": scenarios.fresh,
    "larger": scenarios.larger,
    "together": systems.together,
    "graph": engine.graph,
    "makespan": engine.makespan,
    "memory": engine.memory,
}


def main() -> int:
    """Run what was named, or all."""
    names = sys.argv[1:] or list(_ALL)
    missed = 0
    print("| scenario | measured | goal | |\n|---|---|---|---|")
    with testbed.running(controllers=False) as running, scenarios.rig(running.value) as rig:
        for name in names:
            for row in _ALL[name](rig):
                mark = "" if row.holds is None else "holds" if row.holds else "**missed**"
                missed += row.holds is False
                print(f"| {row.scenario} | {row.measured} | {row.goal} | {mark} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
