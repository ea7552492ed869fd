"""The pages of a lane's status and of its closeout, at two widths and as markdown, against golden files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from planner.plan import ClusterIdentity, Selection
from planner.render.closeout_record import closeout_in_toto_statement, closeout_line, closeout_markdown, closeout_table
from planner.render.lane_status import LaneStatusView, lane_status_markdown, render_lane_status
from planner.render.lane_status_json import lane_status_json
from planner.rollout import lane_evidence as names
from planner.rollout.closeout_record import closeout_record
from planner.rollout.lane_verdict import judge_lane
from planner.rollout.next_action import next_lane_command
from state.lane_holds_and_targets import LaneHold
from tests.unit.render.sample_plans import HOSTILE
from tests.unit.rollout.lanes import (
    ARGO_VALUE,
    COMMIT,
    DEPLOYMENT,
    DIGEST,
    GITOPS,
    NEWER,
    OLD_DIGEST,
    OTHER,
    PROBE_VALUE,
    contains,
    lane,
    pod,
    workload,
)

GOLDEN = Path(__file__).parent / "golden" / "lane"
BEHIND: Mapping[str, Any] = {
    names.ARGO + "shop": {**ARGO_VALUE, "revision": OTHER, "sync": "OutOfSync", "health": "Degraded"},
    names.CONTAINS_ARGO + "shop": contains(GITOPS, OTHER, False),
    DEPLOYMENT: workload(pod("api-1", DIGEST), pod("api-0", OLD_DIGEST), complete=False, message="1 of 2 updated"),
    names.PROBE + "gate": {**PROBE_VALUE, "provenance": {"commit": OTHER}},
    names.REGISTRY + "api": "!127.0.0.1:5000: connection refused",
    names.MIRROR + "flush": {"from": GITOPS, "to": OTHER, "inSync": False},
}
LANES: Mapping[str, Mapping[str, Any]] = {
    "aligned": {},
    "behind": BEHIND,
    "superseded": {names.TIP: NEWER, names.CONTAINS_TIP: contains(COMMIT, NEWER), names.RUN: None},
    "held": {names.RUN: None},
}
HOLDS = {
    "held": LaneHold("shop/D601/v03", 1, "set", OTHER, "the notifier loops", 7, "ann@desk", "2026-11-20T00:00:00Z")
}
LINES = ("source", "pipelinerun", "argo", "runtime", "probe", "mirror")


def shown(changes: Mapping[str, Any], hold: LaneHold | None = None) -> LaneStatusView:
    evidence = lane(changes, pinned=names.RUN in changes)
    action = next_lane_command(evidence, judge_lane(evidence), held=hold.commit if hold else None)
    command = f"hwplan {action}" if action else ""
    cluster = ClusterIdentity("3f0c51ab-1", "k3s-d601")
    selection = Selection("shop", "", ("D601",), ("v03",))
    past = (closeout_record(lane()),) if changes else ()
    held = str(hold or "")
    return LaneStatusView(
        cluster, selection, "sha256:9b1e07aa", evidence, judge_lane(evidence), LINES, command, past, held
    )


FORMS: Mapping[str, Callable[[LaneStatusView], str]] = {
    "80.txt": lambda page: render_lane_status(page, colour=False, width=80),
    "200.txt": lambda page: render_lane_status(page, colour=False, width=200),
    "full-80.txt": lambda page: render_lane_status(page, colour=False, width=80, full=True),
    "full-200.txt": lambda page: render_lane_status(page, colour=False, width=200, full=True),
    "md": lane_status_markdown,
    "json": lambda page: json.dumps(lane_status_json(page), indent=1) + "\n",
    "closeout-80.txt": lambda page: closeout_table(closeout_record(page.evidence), 80),
    "closeout-200.txt": lambda page: closeout_table(closeout_record(page.evidence), 200),
    "closeout.md": lambda page: closeout_markdown(closeout_record(page.evidence)),
    "closeout.in-toto.json": lambda page: (
        json.dumps(closeout_in_toto_statement(closeout_record(page.evidence)), indent=1, sort_keys=True) + "\n"
    ),
    "closeout.json": lambda page: json.dumps(closeout_record(page.evidence), indent=1, sort_keys=True) + "\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LANES)
def test_a_page_is_as_its_golden_file(name: str, form: str) -> None:
    """C10 and S12; `HWPLAN_GOLDEN=write` writes them anew."""
    text, file = FORMS[form](shown(LANES[name], HOLDS.get(name))), GOLDEN / f"{name}-{form}"
    if os.environ.get("HWPLAN_GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("width", [80, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    for name, changes in LANES.items():
        for full in (False, True):
            lines = render_lane_status(
                shown(changes, HOLDS.get(name)), colour=False, width=width, full=full
            ).splitlines()
            assert [line for line in lines if len(line) > width] == [], name


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_stay_text(text: str) -> None:
    """C12: what systems say reaches neither the terminal nor a comment as anything but text."""
    evil = {
        names.ARGO + "shop": {**ARGO_VALUE, "sync": text, "message": text},
        names.PROBE + "gate": {**PROBE_VALUE, "wrong": text, "provenance": {"commit": text}},
        names.REGISTRY + "api": "!" + text,
        DEPLOYMENT: workload(complete=False, message=text),
    }
    page = shown(evil)
    record = closeout_record(page.evidence)
    pages = [
        render_lane_status(page, colour=False, width=200, full=True),
        lane_status_markdown(page),
        closeout_table(record, 200),
        closeout_markdown(record),
        closeout_line(record),
    ]
    for one in pages:
        assert not any((ord(char) < 32 and char != "\n") or 0x7F <= ord(char) < 0xA0 for char in one)
    assert "\n" not in closeout_line(record)
    for comment in (pages[1], pages[3]):
        outside = re.sub(r"`[^`\n]*`", "", comment)  # nothing is obeyed inside of a code span
        assert "<script" not in outside.lower()


@pytest.mark.parametrize("name", sorted(LANES))
def test_a1_the_keys_that_agentrun_has_and_no_other(name: str) -> None:
    data = lane_status_json(shown(LANES[name]))["data"]
    assert data.keys() == {"summary", "alignment"}, "there is no data.status"
    assert data["alignment"].keys() == {"aligned", "blockers", "branchDrift"}
    summary = data["summary"]
    assert summary.keys() == {
        "sourceCommit", "expectedPipelineRun", "gitMirror", "argo", "branchDrift", "ci", "runtimeAlignment"
    }  # fmt: skip
    assert summary["ci"].keys() == {"pipelineRun"} and summary["ci"]["pipelineRun"].keys() == {"status"}
    assert summary["runtimeAlignment"].keys() == {"argoSyncedToGitops", "managerSourceMatchesExpected"}
