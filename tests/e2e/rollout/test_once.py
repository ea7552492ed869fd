"""`hwplan trigger` on real parts: one command from an applied lane to aligned, once for a commit."""

from __future__ import annotations

import pytest

from tests.e2e.hwplan import changes
from tests.e2e.rollout.real_lane import GITOPS, NOTIFIER, RUNTIME, RealLane
from tests.testbed import audit

pytestmark = pytest.mark.timeout(900)


def test_s12_r2_from_an_applied_lane_to_aligned_with_one_command(lane: RealLane) -> None:
    """S12, S14, R1, R2, R14, B4, B14: once for a commit, and then there is nothing to do; a status is cheap."""
    known = lane.run_names()  # others were rolled out here where the long tests run too
    if known:
        lane.grow(NOTIFIER)
    since = audit.mark(lane.cluster)
    shown = lane.trigger()
    assert "unknown until they are built: the digests of hwlab-" in shown.out and lane.run_names() == known
    done = lane.trigger("--confirm", "--wait")
    assert "git mirror pendingFlush=false githubInSync=true" in done.out, done.out
    before = audit.mark(lane.cluster)
    lane.aligned()
    assert 0 < len(audit.requests(lane.cluster, before, user_agent="hwplan/")) < 25
    assert lane.trigger("--confirm", "--wait").out.endswith("nothing to do\n")
    assert changes(lane.hwplan.plan(*lane.words, "--scope", "rollout")) == {}
    assert lane.writes(since) == ([lane.run_name()], [RUNTIME])
    named = {one["image"] for one in lane.catalog(lane.mirror.at(GITOPS))["services"].values()}
    assert lane.running_images() == named and len(named) == 6
