"""`python -m tests.fuzz [--inputs N] [--seed N] [NAME...]`: the table of targets, inputs, seconds and faults."""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.fuzz_target import run_target
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run the targets whose names hold one of the words; 1 when anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    faults = 0
    print(f"{'target':44} {'inputs':>8} {'read':>8} {'seconds':>8} {'slowest':>8} {'MiB':>5} faults", flush=True)
    for target in TARGETS:
        if given.words and not any(word in target.name for word in given.words):
            continue
        found = run_target(target, given.inputs, given.seed)
        row = (
            f"{found.inputs:>8} {found.accepted:>8} {found.seconds:>8.1f} {found.slowest:>8.3f} {found.grown >> 20:>5}"
        )
        print(f"{target.name:44} {row} {len(found.faults)}", flush=True)
        for place, (times, first) in found.faults.items():
            print(f"    {times} x {place}\n        {first!r:.2000}", flush=True)
        faults += len(found.faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
