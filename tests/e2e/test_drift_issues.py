"""Drift as issues in a sandbox: one for each finding, updated in place, closed when it is clean, never two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan

OPENFGA = "Deployment.apps/hwlab-v03/openfga"
NOTIFIER = "ConfigMap/hwlab-v03/hwlab-notifier"


def issues(box: Hwplan) -> list[dict[str, Any]]:
    """The issues of the lane's repository."""
    found: list[dict[str, Any]] = json.loads((Path(box.where[1]) / "github.json").read_text())["repositories"][
        "pikasTech/HWLAB"
    ]["issues"]
    return found


def played(box: Hwplan, verb: str, *words: str) -> None:
    Hwplan(box.folder, ())("sandbox", verb, box.where[1], *words)


def test_an_issue_lives_as_long_as_its_finding(lane_box: Hwplan) -> None:
    lane_box("apply", *LANE, "--confirm")
    played(lane_box, "set", OPENFGA, "spec.replicas=7", "--manager", "night-shift")
    said = lane_box("drift", *LANE, "--issue", code=2).out
    assert "would open  Drift in hwlab.D601.v03: objects were changed by hand (1 object)" in said
    assert not issues(lane_box)
    lane_box("drift", *LANE, "--issue", "--confirm", code=2)
    [first] = issues(lane_box)
    assert "`spec.replicas 1 -> 7` | `night-shift, " in first["body"] and str(lane_box.folder) not in first["body"]
    lane_box("drift", *LANE, "--issue", "--confirm", code=2)
    assert issues(lane_box) == [first]  # nothing differs, nothing is written
    played(lane_box, "delete", NOTIFIER)
    lane_box("drift", *LANE, "--issue", "--confirm", code=2)
    [same, deleted] = issues(lane_box)
    assert same == first and NOTIFIER in deleted["body"]
    lane_box("apply", *LANE, "--confirm")
    said = lane_box("drift", *LANE, "--issue", "--confirm").out
    assert said.count("issue  closed") == 2 and [one["state"] for one in issues(lane_box)] == ["closed", "closed"]


def test_a_part_of_a_lane_is_refused(lane_box: Hwplan) -> None:
    said = lane_box("drift", *LANE, "--issue", "--confirm", "--target", OPENFGA, code=None)
    assert said.code != 0 and "what is not looked at would count as clean" in said.err
