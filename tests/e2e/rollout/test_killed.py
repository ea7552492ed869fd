"""`hwplan trigger` on real parts: a client that is killed anywhere, and the same command again, are one rollout."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.rollout.real_lane import GITOPS, NOTIFIER, RUNTIME, RealLane
from tests.testbed import audit

pytestmark = pytest.mark.timeout(900)


# Nodes in the order in which they begin: branch and snapshot on the mirror, the run, sync and flush, the probe.
@pytest.mark.parametrize(
    "point",
    ["node.begin=kill@3", "node.effect=kill@3", "node.effected=kill@3", "node.wait=kill@3", "node.look=kill@2",
     "node.effect=kill@4", "node.effected=kill@4", "node.effected=kill@5", "node.ready=kill@5", "node.ended=kill@5",
     "journal.batch.committed=kill@4", "run.end.commit=kill"],
)  # fmt: skip
def test_r14_killed_anywhere_there_is_one_of_each_in_the_servers_logs(settled: RealLane, point: str) -> None:
    """R14, R15: kill -9 of the client, then the same command again: one run, one flush, one sync, and aligned."""
    lane = settled
    lane.grow(NOTIFIER)
    flushed, promoted = (len(lane.pushes(one, GITOPS)) for one in (lane.upstream, lane.mirror))
    since = audit.mark(lane.cluster)
    lane.trigger("--confirm", code=-signal.SIGKILL, env={"HWPLAN_FAILPOINT": point})
    lane.trigger("--confirm")
    assert lane.writes(since) == ([lane.run_name()], [RUNTIME])
    assert len(lane.pushes(lane.upstream, GITOPS)) == flushed + 1
    assert len(lane.pushes(lane.mirror, GITOPS)) == promoted + 1
    lane.aligned()
