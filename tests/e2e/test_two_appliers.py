"""Two applies at once, as processes: each object is written by one of them, the other is refused by name (spec 06).

Both plans are made before either apply begins, so whoever is late always finds a world that moved. HWPLAN_PAIRS says
how many pairs are run for each case; where they meet is moved from pair to pair by failpoints and delays.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, Ran
from tests.e2e.rollout_box import RUN, RolloutBox
from tests.testbed import audit
from tests.testbed.cluster import TestCluster

PAIRS = int(os.environ.get("HWPLAN_PAIRS", "1"))
OBJECTS = 5
STALE, LOCKED = 3, 5
MEETINGS = ("", "lease.taken=sleep:80", "run.begun=sleep:60", "node.effect=sleep:40", "node.effected=sleep:40",
            "run.drained=sleep:60")  # fmt: skip
DONE = re.compile(r"(?:create|update) +(\S+)  done in ")
WROTE = re.compile(r"(?:done|stale) in |world moved|moved since|locked by|no longer|changed since")


def _manifests(folder: Path, namespace: str, by: str) -> str:
    objects = "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}, namespace: {namespace}}}\n"
        f"data: {{by: '{by}'}}\n"
        for n in range(OBJECTS)
    )
    file = folder / f"by-{by}.yaml"
    file.write_text(objects)
    return str(file)


def _at_once(runs: Sequence[tuple[Hwplan, tuple[str, ...]]], seed: int) -> list[Ran]:
    """Both commands, the second some milliseconds after the first."""
    rng = random.Random(seed)
    env = {"HWPLAN_FAILPOINT": rng.choice(MEETINGS)}
    waits = [0.0, rng.choice((0.0, 0.0, 0.02, 0.05, 0.1))]

    def one(number: int) -> Ran:
        time.sleep(waits[number])
        hwplan, words = runs[number]
        return hwplan(*words, code=None, env=env)

    with ThreadPoolExecutor(len(runs)) as pool:
        return list(pool.map(one, range(len(runs))))


def _with_state(hwplan: Hwplan, file: Path) -> Hwplan:
    where = list(hwplan.where)
    if "--state" in where:
        at = where.index("--state")
        del where[at : at + 2]
    return Hwplan(hwplan.folder, (*where, "--state", str(file)))


def _planned(hwplan: Hwplan, file: str, name: str, out: Path) -> tuple[str, ...]:
    hwplan("plan", "-f", file, "--name", name, "--out", str(out))
    return ("apply", str(out), "--confirm", "--allow", "missing-state")


@pytest.mark.parametrize("case", ["same plan", "other plan", "other state"])
def test_each_object_is_written_once(simulated: Hwplan, case: str) -> None:
    for seed in range(PAIRS):
        action = "create" if (seed % 2 == 0) == (case != "other plan") else "update"
        _pair(simulated, "default", f"app{seed}", case, action, seed)
        for file in Path(simulated.where[-1]).glob("cluster/default/ConfigMap/c*.yaml"):
            file.unlink()


@pytest.mark.parametrize("case", ["same plan", "other plan", "other state"])
def test_the_log_of_the_api_server_shows_each_object_made_once(
    real: Hwplan, api_server: TestCluster, unique: str, case: str
) -> None:
    assert api_server.run_kubectl("create", "namespace", unique).returncode == 0
    for seed in range(PAIRS):
        since = audit.mark(api_server)
        _pair(real, unique, f"{unique}-{seed}", case, "create", seed)
        found = audit.requests(api_server, since, user_agent="hwplan/")
        made = Counter(one.name for one in found if one.code == 201 and not one.dry_run)
        assert made == {f"c{n}": 1 for n in range(OBJECTS)}
        assert api_server.run_kubectl("-n", unique, "delete", "configmap", "-l", "hwplan.dev/set").returncode == 0


def _pair(hwplan: Hwplan, namespace: str, name: str, case: str, action: str, seed: int) -> None:
    first = _with_state(hwplan, hwplan.folder / f"{name}-1.db")
    other = _with_state(hwplan, hwplan.folder / f"{name}-2.db") if case == "other state" else first
    if action == "update":
        first("apply", "-f", _manifests(hwplan.folder, namespace, "0"), "--name", name, "--confirm")
    files = [_manifests(hwplan.folder, namespace, by) for by in ("1", "1" if case == "same plan" else "2")]
    runs = [
        (one, _planned(one, file, name, hwplan.folder / f"{name}-{number}.json"))
        for number, (one, file) in enumerate(zip((first, other), files, strict=True))
    ]
    ran = _at_once(runs, seed)
    told = "\n".join(f"exit {one.code}\n{one.out[-1500:]}\n{one.err[-800:]}" for one in ran)
    done = Counter(address for one in ran for address in DONE.findall(one.out + one.err))
    assert done == {f"ConfigMap/{namespace}/c{n}": 1 for n in range(OBJECTS)}, told
    codes = sorted(one.code for one in ran)
    # Two states know nothing of each other's lease: each may get a part of the objects, and then both are refused.
    assert codes in ([0, STALE], [0, LOCKED]) or (case == "other state" and codes == [STALE, STALE]), told
    for one in ran:
        assert one.code == 0 or WROTE.search(one.out + one.err), told
    winner = next((number for number, one in enumerate(ran) if one.code == 0), 0)
    if codes[0] != 0:
        words = ("-f", files[0], "--name", name, "--confirm", "--allow", "missing-state")
        runs[0][0]("apply", *words)
    runs[winner][0].empty("-f", files[winner], "--name", name)


def test_two_triggers_at_once_start_one_run(lane_box: Hwplan) -> None:
    """One run, one promotion; whoever is late is refused, waits for the lease, or finds nothing to do."""
    lane_box("apply", *LANE, "--confirm", "-q")
    box = RolloutBox(lane_box, Path(lane_box.where[-1]))
    for seed in range(max(1, PAIRS // 2)):
        if seed:
            box.grow("services/notifier/main.go")
        ran = _at_once([(lane_box, ("trigger", *LANE, "--confirm"))] * 2, seed)
        told = "\n".join(f"exit {one.code}\n{one.out[-1500:]}\n{one.err[-800:]}" for one in ran)
        codes = sorted(one.code for one in ran)
        assert codes in ([0, 0], [0, STALE], [0, LOCKED]), told
        assert len(box.runs()) == box.promotions() == seed + 1 and f"{RUN}-{box.tip()[:12]}" in box.runs(), told
        assert box.trigger("--json").json["changes"] == []
