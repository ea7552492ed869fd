"""kill -9 around the marks of a command: after any of them, the command has run at most once, and it shows (F1, F2)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner import failpoint
from planner.events import ChangeResult
from planner.ports import PreviewEffect
from planner.resource import Resource
from tests.faults.kill_world import status_of
from tests.integration.podexec_world import Shop, apply, ended, look, planned, shop_of
from tests.testbed.cluster import TestCluster


@pytest.fixture(scope="module")
def common(cluster: TestCluster) -> Iterator[Shop]:
    with shop_of(cluster) as made:
        yield made


@pytest.fixture
def shop(common: Shop, tmp_path: Path) -> Shop:
    return common.fresh(tmp_path)


def _in_child(shop: Shop, wanted: Resource, spec: str) -> int:
    """Fork, arm `spec`, plan and apply; how the child ended: 0, a signal, or 1 after an error."""
    if pid := os.fork():
        return status_of(pid)
    code = 1
    try:
        failpoint.arm_failpoints(spec)
        provider = shop.provider()
        code = 0 if ended(apply(provider, planned(provider, wanted))) is ChangeResult.DONE else 1
    finally:
        os._exit(code)


@pytest.mark.parametrize(
    ("point", "runs", "blocked"),
    [("exec.begin", 0, False), ("exec.begun", 0, True), ("exec.ended", 1, True), ("exec.recorded", 1, False)],
)
@pytest.mark.parametrize("idempotent", [False, True])
def test_killed_around_the_marks(shop: Shop, point: str, runs: int, blocked: bool, idempotent: bool) -> None:
    wanted = shop.wanted(shop.count, idempotent=idempotent)
    before = planned(shop.provider(), wanted)
    assert _in_child(shop, wanted, f"{point}=kill") == -signal.SIGKILL
    assert shop.runs() == runs

    resumed = ended(apply(shop.provider(), before))
    _, preview = look(shop.provider(), wanted)
    if not blocked:
        assert resumed is (ChangeResult.DONE if runs == 0 else ChangeResult.UNCHANGED)
        assert preview.effect is PreviewEffect.NONE and shop.runs() == 1
        return
    assert resumed is ChangeResult.UNKNOWN and shop.runs() == runs, (
        "who goes on with the killed run does not run it again"
    )
    assert bool(preview.blocked) is not idempotent and preview.effect is PreviewEffect.RUN
    if idempotent:
        assert ended(apply(shop.provider(), planned(shop.provider(), wanted))) is ChangeResult.DONE
        assert shop.runs() == runs + 1 and look(shop.provider(), wanted)[1].effect is PreviewEffect.NONE


def test_killed_while_it_runs(shop: Shop) -> None:
    wanted = shop.wanted(f"{shop.count}; exec sleep 2")
    if not (pid := os.fork()):
        try:
            provider = shop.provider()
            apply(provider, planned(provider, wanted))
        finally:
            os._exit(1)
    shop.wait_for_runs(1)
    os.kill(pid, signal.SIGKILL)
    assert status_of(pid) == -signal.SIGKILL
    assert look(shop.provider(), wanted)[1].blocked and shop.runs() == 1
