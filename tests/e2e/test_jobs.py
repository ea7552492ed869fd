"""Jobs: a trigger that goes on without its client, and a record that stays true (S29)."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan
from tests.e2e.rollout_box import RUN, RolloutBox

_SLOW = {"HWPLAN_FAILPOINT": "node.effected=sleep:30000@1"}


@pytest.fixture
def box(lane_box: Hwplan) -> RolloutBox:
    """A sandbox whose lane is applied."""
    lane_box("apply", *LANE, "--confirm", "-q")
    return RolloutBox(lane_box, Path(lane_box.where[-1]))


def job_of(box: RolloutBox, identifier: str, *until: str) -> Any:
    """The record of a job, as soon as its state is one of these."""
    for _ in range(600):
        found = box.hwplan("job", "status", identifier, "--json", code=None).json
        if found["job"]["status"] in until:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_b7_an_id_at_once_and_the_end_by_the_id(box: RolloutBox) -> None:
    """B7, S29, R15: the id is a document of its own; the tail is cut from the start of a line."""
    started = box.trigger("--confirm", "--detach").json
    found = job_of(box, started["job"]["id"], "succeeded", "failed")
    assert found["job"]["ok"] is True and found["job"]["exitCode"] == 0 and len(box.runs()) == 1
    short = box.hwplan("job", "status", started["job"]["id"], "--tail-bytes", "200", "--json").json
    assert 0 < len(short["tail"].encode()) <= 200 and found["tail"].endswith(short["tail"])
    assert "all 5 done" in box.hwplan("job", "logs", started["job"]["id"]).out
    assert started["job"]["id"] in box.hwplan("job", "list").out


def test_a14_a_job_that_did_not_do_it_is_a_failure(box: RolloutBox) -> None:
    """A14: whoever asks for its status sees it in the exit code."""
    box.fail(f"ArgoSync/{RUN}")
    identifier = box.trigger("--confirm", "--detach").json["job"]["id"]
    found = job_of(box, identifier, "succeeded", "failed")
    assert (found["job"]["status"], found["job"]["ok"], found["job"]["exitCode"]) == ("failed", False, 1)
    box.hwplan("job", "status", identifier, code=1)


def test_r15_a_runner_that_is_killed_is_told(box: RolloutBox) -> None:
    """R15: nobody has written an end, and still the record says what is true; the next trigger goes on."""
    identifier = box.trigger("--confirm", "--detach", env=_SLOW).json["job"]["id"]
    running = job_of(box, identifier, "running")
    while not box.runs():
        time.sleep(0.1)
    os.kill(running["job"]["pid"], signal.SIGKILL)
    found = job_of(box, identifier, "died")
    assert found["job"]["ok"] is False and found["job"]["ended"] is None
    box.hwplan("job", "status", identifier, code=1)
    box.hwplan("job", "cancel", identifier, code=1)
    box.trigger("--confirm")
    assert len(box.runs()) == 1 and box.promotions() == 1


def test_detach_without_confirm_and_unknown_ids_are_refused(lane_box: Hwplan) -> None:
    assert "--detach goes with --confirm" in lane_box("trigger", *LANE, "--detach", code=1).err
    assert "there is no job-7" in lane_box("job", "status", "job-7", code=1).err
    assert "is no id of a job" in lane_box("job", "status", "../7", code=1).err
    assert "no jobs" in lane_box("job", "list").out
