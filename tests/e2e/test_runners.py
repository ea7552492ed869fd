"""`hwplan cleanup runners` in a sandbox of AgentRun: an active runner goes only by a plan that showed it (S26, B16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan, changes

LANE = ("--config", str(REPOSITORY / "config"), "--node", "D601", "--lane", "v02")
POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: agentrun-v02
  labels: {{app.kubernetes.io/component: {component}}}
  annotations: {{agentrun.dev/last-heartbeat: "{beat}", agentrun.dev/run: run-{name}}}
spec: {{containers: [{{name: c, image: "registry.test/c:1"}}]}}
---
"""
BEATS = {"working": 0, "idle-1": 30, "idle-2": 60}  # minutes since the last heartbeat
FORCE = ("cleanup", "runners", *LANE, "--force-active")


def _put(box: Hwplan, name: str, minutes: float, component: str = "runner") -> None:
    """Make a runner, or give it a heartbeat of so many minutes ago."""
    beat = (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    file = box.folder / f"{name}.yaml"
    file.write_text(POD.format(name=name, beat=beat, component=component))
    box("apply", "-f", str(file), "--name", f"test-{name}", "--confirm", "-q", "--no-wait")


def _left(box: Hwplan) -> set[str]:
    return {file.stem for file in (box.folder / "box" / "cluster").rglob("*.yaml") if "kind: Pod\n" in file.read_text()}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Hwplan:
    folder: Path = tmp_path_factory.mktemp("runners")
    Hwplan(folder, ())("sandbox", "create", "box", *LANE)
    found = Hwplan(folder, ("--live", "box"))
    found("apply", *LANE, "--scope", "infra", "--confirm", "-q", "--no-wait")
    for name, minutes in BEATS.items():
        _put(found, name, minutes)
    _put(found, "manager", 600, component="manager")
    return found


def test_a8_no_active_runner_is_selected_and_below_the_cap_none_is(box: Hwplan) -> None:
    known = box("cleanup", "runners", *LANE, "--json").json
    assert known["criteria"]["forceActive"] is False and known["plan"]["changes"] == []
    assert {one["runner"]: one["state"] for one in known["managerFacts"]} == {
        "Pod/agentrun-v02/working": "active",
        "Pod/agentrun-v02/idle-1": "inactive",
        "Pod/agentrun-v02/idle-2": "inactive",
    }
    assert len(known["inactiveCandidates"]) == 2 and known["selected"] == known["activeRunRisk"] == []
    assert known["criteria"]["rules"]["Retention/v02-runner-pods"]["maxRunners"] == 20
    assert changes(box.plan(*LANE, "--scope", "cleanup")) == {}, "a clean-up of runs takes no runner"
    refused = box("cleanup", "runners", *LANE, "--limit", "999", code=1)
    assert "may only narrow" in refused.err


def test_b16_force_active_needs_the_plan_that_named_who_is_cut_off(box: Hwplan) -> None:
    refused = box(*FORCE, "--confirm", code=3)
    assert "criteria.forceActive=true" in refused.err and len(_left(box)) == 4
    shown = box(*FORCE)
    assert (
        "criteria.forceActive=true" in shown.out and "cut off: Pod/agentrun-v02/working  run run-working" in shown.out
    )
    ordinary = box("cleanup", "runners", *LANE, "--json").json["plan"]["id"]
    assert box(*FORCE, "--confirm", "--plan-id", ordinary, code=3).err and len(_left(box)) == 4

    planned = box(*FORCE, "--json").json
    assert planned["criteria"]["forceActive"] is True and [one["runner"] for one in planned["activeRunRisk"]] == [
        "Pod/agentrun-v02/working"
    ]
    _put(box, "newcomer", 0)
    assert "--plan-id" in box(*FORCE, "--confirm", "--plan-id", planned["plan"]["id"], code=3).err
    assert len(_left(box)) == 5, "whom nobody saw is not cut off"

    planned = box(*FORCE, "--json").json
    _put(box, "working", 0)  # a heartbeat makes the approved plan no other one
    done = box(*FORCE, "--confirm", "--plan-id", planned["plan"]["id"], "--json").json
    assert done["exitCode"] == 0 and len(done["activeRunRisk"]) == 2
    assert _left(box) == {"manager"}
    assert box("cleanup", "runners", *LANE, "--confirm").out.endswith("nothing to do\n")
