"""The command: so many random cases from one seed, retained regressions first.

    python -m tests.fidelity --cases 2000 --seed 1 [--kubeconfig F] [--only CASE] [--keep]

Exit code 1 when anything did not agree. `--keep` adds failing cases to `seeds/`, which every run repeats first.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from providers.kubernetes.ssa.merge_types import MergeTypeTable
from tests.fidelity.cases import DESIRED_PER_HISTORY, run
from tests.fidelity.crds import CRDS
from tests.fidelity.server import APPLY, Server
from tests.fidelity.story import Verdict

SEEDS = Path(__file__).with_name("seeds") / "retained.txt"
THREADS = 8
SHOWN = 10


def retained() -> list[int]:
    """Cases that failed once."""
    lines = SEEDS.read_text().splitlines() if SEEDS.exists() else []
    return [int(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]


def numbers(cases: int, seed: int) -> Sequence[int]:
    """The integers of the histories of a run: each is compared with several desired objects."""
    return range(seed * 1_000_000, seed * 1_000_000 + -(-cases // DESIRED_PER_HISTORY))


def prepare(server: Server) -> tuple[MergeTypeTable, str]:
    """Install the custom kinds and a namespace; give the type table and the namespace's name."""
    for crd in CRDS:
        name = crd["metadata"]["name"]
        url = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
        answer = server.request("PATCH", f"{url}?fieldManager=fidelity&force=true", crd, APPLY)
        if not answer.ok:
            raise SystemExit(f"cannot install {name}: {answer.body.get('message')}")
    namespace = f"fidelity-{secrets.token_hex(4)}"
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    server.request("POST", "/api/v1/namespaces", document)
    for crd in CRDS:
        wait_served(server, f"{crd['spec']['group']}/v1", crd["spec"]["names"]["plural"])
    return MergeTypeTable.builtin().with_crds(CRDS), namespace


def wait_served(server: Server, api_version: str, plural: str) -> None:
    """Wait until the server answers for a custom kind. Raises SystemExit after ten seconds."""
    for _ in range(100):
        if server.request("GET", f"/apis/{api_version}/{plural}").ok:
            return
        time.sleep(0.1)
    raise SystemExit(f"{plural} of {api_version} is not served")


def run_all(server: Server, seeds: Sequence[int], shown: int = SHOWN) -> tuple[Counter[str], dict[int, Verdict]]:
    """Run many cases on several threads: summed counts, and the verdicts that hold a mismatch."""
    seeds = list(dict.fromkeys(seeds))
    types, namespace = prepare(server)
    counts: Counter[str] = Counter()
    failed: dict[int, Verdict] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        for seed, verdict in zip(seeds, pool.map(lambda s: run(s, server, types, namespace), seeds), strict=True):
            counts += verdict.counts
            if verdict.mismatches:
                failed[seed] = verdict
                if len(failed) <= shown:
                    print(verdict.mismatches[0], file=sys.stderr)
    return counts, failed


@contextmanager
def _server(kubeconfig: Path | None) -> Iterator[Server]:
    if kubeconfig is not None:
        with Server.from_kubeconfig(kubeconfig) as server:
            yield server
        return
    from tests.testbed import cluster

    with (
        cluster.running(controllers=False) as running,
        Server(running.value.server, running.value.token, running.value.ca) as server,
    ):
        yield server


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fidelity")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--only", type=int, action="append", help="run just this case (may be given again)")
    parser.add_argument("--keep", action="store_true", help="add failing cases to seeds/retained.txt")
    arguments = parser.parse_args(argv)
    seeds = arguments.only or [*retained(), *numbers(arguments.cases, arguments.seed)]
    with _server(arguments.kubeconfig) as server:
        started = time.monotonic()
        counts, failed = run_all(server, seeds)
        seconds = time.monotonic() - started
    for name in sorted(counts):
        print(f"{counts[name]:8d}  {name}")
    print(f"{counts['cases'] / seconds:8.0f}  cases per second")
    print(f"{len(failed)} mismatches in {counts['cases']} cases (seed {arguments.seed})")
    if failed:
        print("failing cases: " + " ".join(map(str, failed)))
    if failed and arguments.keep:
        known = set(retained())
        with SEEDS.open("a") as file:
            file.writelines(f"{seed}\n" for seed in failed if seed not in known)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
