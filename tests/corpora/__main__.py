"""`python -m tests.corpora FOLDER… [--kubeconfig FILE --kubectl FILE]`: every set below the folders through its life.

Without a kubeconfig a cluster of the testbed is started, with controllers. Exit code 1 when there is any exception that
`reasons.yaml` does not name.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.corpora.manifest_sets import sets_below
from tests.corpora.reasons import reason_of
from tests.corpora.story import Outcome, Where, tell


def main() -> int:
    """Run, print a line for each set, and a sum."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpora", description=__doc__)
    parser.add_argument("folder", nargs="+", type=Path)
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--kubectl", type=Path)
    parser.add_argument("--most", type=int, default=10_000, help="no more sets than these")
    given = parser.parse_args()
    found = [one for folder in given.folder for one in sets_below(folder.resolve())][: given.most]
    with _cluster(given.kubeconfig, given.kubectl) as where:
        outcomes = [_told(tell(one, where, number)) for number, one in enumerate(found)]
    unnamed = [one for outcome in outcomes for one in outcome.exceptions if not reason_of(outcome.file, one)]
    skipped = sum(bool(outcome.skipped) for outcome in outcomes)
    objects = sum(outcome.objects for outcome in outcomes if not outcome.skipped)
    print(f"{len(outcomes)} sets, {skipped} refused by kubectl too, {objects} objects, {len(unnamed)} exceptions")
    return 1 if unnamed else 0


def _told(outcome: Outcome) -> Outcome:
    print(f"{outcome.file.parent.name}/{outcome.file.name}  {outcome.objects} objects  {outcome.skipped or 'ran'}")
    for one in outcome.exceptions:
        print(f"    {reason_of(outcome.file, one) or 'EXCEPTION'}: {one}", flush=True)
    return outcome


@contextmanager
def _cluster(kubeconfig: Path | None, kubectl: Path | None) -> Iterator[Where]:
    if kubeconfig is not None:
        yield Where(kubeconfig.resolve(), kubectl or Path("kubectl"))
        return
    from tests.testbed import cluster

    with cluster.running(controllers=True) as running:
        yield Where(running.value.kubeconfig, running.value.kubectl)


if __name__ == "__main__":
    sys.exit(main())
