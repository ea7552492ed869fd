"""A world in one append-only file, written by the "server" part of each call: what happened, whoever was killed.

A line is one effect, appended by a single `write` under a lock, so that a kill leaves all of it or nothing. The server
is idempotent by name: a second apply of the same document finds it there, as server-side apply does.
"""

from __future__ import annotations

import fcntl
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from planner import failpoint
from planner.address import Address
from planner.errors import PreconditionError
from planner.events import ChangeResult
from planner.executor import ExecutionOptions, ObserverChain, execute_plan, run_verdict
from planner.plan import Action, Change, ClusterIdentity, Plan, Precondition, Selection
from planner.ports import Readiness, ReadResult, Written
from planner.source_line_ref import SourceRef
from planner.values import Vault
from state import StateStore


class FileWorld:
    """A provider over the file `log`."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def apply(self, change: Change, vault: Vault) -> Written:
        name = change.address.name
        with self._log.open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            already = f"{name}\n".encode() in file.readlines()
            if not already:
                if any(f"{need.name}\n" not in self._log.read_text() for need in change.needs):
                    raise PreconditionError(f"{name} came before what it needs")
                os.write(file.fileno(), f"{name}\n".encode())
        return Written(uid=f"uid-{name}", outputs={"name": name}, already=already)

    def delete(self, change: Change) -> Written:
        raise NotImplementedError

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        return {change.address: Readiness(done=True, ok=True) for change in changes}

    def read(self, *_: object) -> ReadResult:
        raise NotImplementedError

    def preview(self, *_: object) -> dict[Address, object]:
        raise NotImplementedError


class InstantClock:
    """No test here waits."""

    def now(self) -> str:
        return "2026-11-22T09:00:00.000Z"

    def monotonic(self) -> float:
        import time

        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        pass


def shape(name: str, seed: int = 0) -> Plan:
    """A ten-node plan: `chain`, `fan`, `diamond` (a ladder of diamonds) or `random`."""
    rng = random.Random(seed)
    names = [f"n{number}" for number in range(10)]
    needs: dict[str, list[str]] = {
        "chain": lambda i: names[i - 1 : i] if i else [],
        "fan": lambda i: names[:1] if i else [],
        "diamond": lambda i: [names[(i - 1) // 3 * 3]] if i % 3 else names[i - 2 : i] if i else [],
        "random": lambda i: rng.sample(names[:i], k=rng.randint(0, min(i, 3))),
    }[name]  # type: ignore[assignment]
    changes = tuple(_change(node, needs(index), index) for index, node in enumerate(names))  # type: ignore[operator]
    return Plan(Selection(), ClusterIdentity("uid", "server"), "c", "l", changes)


def _change(name: str, needs: Sequence[str], index: int) -> Change:
    desired = {"kind": "ConfigMap", "metadata": {"name": name, "labels": {"hwplan.dev/set": "app"}}}
    return Change(
        Address("", "ConfigMap", "", "ns", name),
        Action.CREATE,
        "v1",
        "infra",
        "declared",
        Precondition(absent=True),
        SourceRef("a.yaml", index + 1),
        desired,
        needs=tuple(Address("", "ConfigMap", "", "ns", need) for need in needs),
        wait="ready" if index % 2 else "none",
    )


def apply(folder: Path, plan: Plan, parallelism: int, lease_seconds: float = 30.0) -> None:
    """What `hwplan apply --resume` does, or `apply` when there is nothing to resume."""
    with StateStore.open(folder / "s" / "state.db") as store, store.acquire("apply", "p", 5.0, lease_seconds) as lease:
        left = store.unfinished_run()
        run = store.begin_run(lease, "p", plan, b"{}", resumes=left.info.number if left else None)
        world = FileWorld(folder / "world.log")
        options = ExecutionOptions(parallelism=parallelism, done=left.done if left else {})
        result = execute_plan(plan, lambda _: world, {}, ObserverChain(run.observer), InstantClock(), options)  # type: ignore[arg-type,return-value]
        run.end(run_verdict(result))


def in_child(folder: Path, plan: Plan, parallelism: int, spec: str, lease_seconds: float = 30.0) -> int:
    """Fork, arm `spec`, apply; the child's pid. It ends with 0, with a signal, or with 1 after an error."""
    if (pid := os.fork()) != 0:
        return pid
    code = 1
    try:
        failpoint.arm_failpoints(spec)
        apply(folder, plan, parallelism, lease_seconds)
        code = 0
        if spec.startswith("*=count"):
            text = "".join(f"{name} {count}\n" for name, count in failpoint.failpoint_counts().items())
            (folder / "counts").write_text(text)
    finally:
        os._exit(code)


def status_of(pid: int) -> int:
    """Wait for a child; its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def points(folder: Path, plan: Plan, parallelism: int) -> list[tuple[str, int]]:
    """Every failpoint that an undisturbed apply passes, with each occurrence."""
    assert status_of(in_child(folder, plan, parallelism, "*=count")) == 0
    counted = (line.split() for line in (folder / "counts").read_text().splitlines())
    return [(name, number) for name, count in counted for number in range(1, int(count) + 1)]


def check(folder: Path, plan: Plan) -> None:
    """After everything: each effect once on the server, all on record, the journal whole, nothing left to resume."""
    effects = (folder / "world.log").read_text().splitlines()
    assert sorted(effects) == [change.address.name for change in plan.changes], effects
    with StateStore.open(folder / "s" / "state.db") as store:
        store.check()
        assert store.unfinished_run() is None
        assert store.holder() == ""
        assert [record.address for record in store.records()] == [change.address for change in plan.changes]
        ends: dict[Address, str] = {}
        for info in store.history():
            for node in store.nodes(info.number):
                if node.phase == "END":
                    assert ends.setdefault(node.address, node.result) in (ChangeResult.DONE, ChangeResult.UNCHANGED)
        assert set(ends) == {change.address for change in plan.changes}
    assert {entry.name for entry in (folder / "s").iterdir()} == {"state.db", "state.db-journal"}
