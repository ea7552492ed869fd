"""The metrics of a drift report, read by Prometheus' own checker: whatever stands in their labels."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from planner.drift import DriftState
from planner.render.drift_prometheus import MOST_OBJECTS, render_drift_prometheus
from tests.testbed.errors import PartMissing
from tests.testbed.fixtures import part
from tests.unit.drift.reports import ACCEPTED, AT, EVERY, report, row
from tests.unit.render.hostile_strings import STRINGS
from tests.unit.render.test_hostile_reports import report as hostile

pytestmark = pytest.mark.integration

MANY = report(*(row(f"ConfigMap/shop/c{n}", DriftState.DRIFTED) for n in range(MOST_OBJECTS + 1)), at=AT)
PAGES = {
    "every-state": render_drift_prometheus(report(*EVERY, expired=(ACCEPTED,), at=AT)),
    "clean": render_drift_prometheus(report(EVERY[0], at=AT)),
    "many": render_drift_prometheus(MANY),
    **{f"hostile-{at}": render_drift_prometheus(hostile(text)) for at, text in enumerate(STRINGS[::100])},
}


@pytest.mark.parametrize("name", PAGES)
def test_promtool_reads_them_and_has_nothing_to_say(name: str) -> None:
    with part():
        if not (promtool := shutil.which("promtool")):
            raise PartMissing("promtool (Debian package prometheus)")
    done = subprocess.run([promtool, "check", "metrics"], input=PAGES[name], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
