"""`hwplan trigger --hold` on real parts: a lane that is held at an older commit, and released."""

from __future__ import annotations

import pytest

from tests.e2e.rollout.real_lane import NOTIFIER, RealLane

pytestmark = pytest.mark.timeout(900)


def test_r9_a_lane_that_is_held_at_an_older_commit(settled: RealLane) -> None:
    """R9, B9: the older one runs, every other rollout is refused by name, and after the release the tip comes back."""
    lane = settled
    old = lane.tip()
    new = lane.grow(NOTIFIER)
    lane.trigger("--confirm")
    assert lane.serving() == new
    lane.trigger("--source-commit", old, "--hold", "the notifier loops", "--confirm")
    assert lane.serving() == old
    held = lane.status("--source-commit", old)
    assert old[:12] in held["hold"] and held["targetValidation"]["state"] in ("passed", "superseded")
    refused = lane.trigger("--confirm", code=3)
    assert "the notifier loops" in refused.out + refused.err
    lane.hwplan("hold", "release", *lane.words)
    lane.trigger("--confirm")
    assert lane.serving() == new
    lane.aligned()
