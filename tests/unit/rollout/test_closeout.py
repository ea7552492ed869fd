"""The closeout record: what it holds, which bytes it has, and that it is written once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from planner.errors import StateError
from planner.failpoint import arm_failpoints
from planner.render.closeout_record import closeout_in_toto_statement
from planner.rollout import lane_evidence as names
from planner.rollout.closeout_record import closeout_record, closeout_record_bytes, evidence_in_closeout_record
from planner.rollout.rollout_time_spent import OVER_BUDGET
from planner.rollout.verify_closeout import (
    check_closeout_facts,
    check_closeout_file_is_canonical,
    check_closeout_record,
)
from state.state_store import StateStore
from tests.unit.rollout.lanes import (
    AT,
    COMMIT,
    DEPLOYMENT,
    DIGEST,
    GITOPS,
    NEWER,
    OLD_DIGEST,
    RUN,
    contains,
    lane,
    pod,
    workload,
)

LANE = "D601/v03"


def _later(at: str, version: str) -> object:
    found = lane()
    readings = {name: replace(one, at=at, version=version) for name, one in found.readings.items()}
    return closeout_record(replace(found, readings=readings))


def test_c2_the_content_of_a_record() -> None:
    """C2: all parts are there; what nobody knows yet is null (B21)."""
    record = closeout_record(lane())
    assert (record["change"], record["approval"]) == (None, None)
    assert record["source"] == {"commit": COMMIT, "snapshot": COMMIT}
    assert record["run"]["name"] == RUN
    assert record["images"][0]["builtDigest"] == record["images"][0]["registryDigest"] == DIGEST
    assert record["gitops"]["commit"] == record["argo"]["shop"]["revision"] == GITOPS
    assert record["tip"] == {"commit": COMMIT, "containsSource": True}
    assert record["verdict"]["targetValidation"]["state"] == "passed"


def test_c4_each_value_has_its_source_its_time_and_its_version() -> None:
    """C4."""
    for name, entry in closeout_record(lane())["evidence"].items():
        assert entry["source"] == lane().readings[name].source
        assert entry["at"]
        assert entry["version"]


def test_c5_equations_are_stored_with_their_result() -> None:
    """C5."""
    record = closeout_record(lane({names.REGISTRY + "api": OLD_DIGEST}))
    broken = [one for one in record["equations"] if one["result"] == "broken"]
    assert [(one["left"], one["right"], one["code"]) for one in broken] == [(OLD_DIGEST, DIGEST, "image-tag-moved")]


def test_c9_same_evidence_same_digest() -> None:
    """C9: times and versions are outside the digest, and inside the checksum."""
    one, other = _later("2026-01-01T00:00:00Z", "1"), _later("2026-01-02T00:00:00Z", "2")
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    assert one["digest"] == other["digest"]
    assert one["checksum"] != other["checksum"]
    assert closeout_record(lane(pinned=True))["digest"] == closeout_record(lane())["digest"]


def test_c11_what_has_no_recorded_time_has_no_counter() -> None:
    """C11."""
    counted = {key: value for key, value in closeout_record(lane())["counters"].items() if value is not None}
    assert counted == {"waitSeconds": 6.0, "pipelineSeconds": 84.0, "syncSeconds": 11.0, "totalSeconds": 101.0}
    built = [
        {"task": "build-a", "images": {"a": {}}, "startTime": "2026-11-22T03:00:10Z", "completionTime": AT},
        {"task": "build-b", "images": {"b": {}}, "startTime": "2026-11-22T03:00:05Z", "completionTime": AT},
        {"task": "plan", "startTime": "2026-11-22T02:00:00Z", "completionTime": AT},
    ]
    assert closeout_record(lane({names.TASKS: built}))["counters"]["buildSeconds"] == 695.0
    missing = closeout_record(lane({names.RUN: None, names.ARGO + "shop": None}))["counters"]
    assert set(missing.values()) == {None}


def test_c2_a_rollback_is_what_the_commit_before_contains() -> None:
    """C2: true only where the older one runs; null where nothing came before, or git cannot say."""
    assert closeout_record(lane())["rollback"] is None
    back = {names.CONTAINS_BEFORE: contains(COMMIT, NEWER)}
    assert closeout_record(lane(back))["rollback"] is True
    assert closeout_record(lane({names.CONTAINS_BEFORE: contains(COMMIT, NEWER, False)}))["rollback"] is False
    assert closeout_record(lane({**back, names.REGISTRY + "api": OLD_DIGEST}))["rollback"] is False
    assert closeout_record(lane({names.CONTAINS_BEFORE: "!git: no route"}))["rollback"] is None


@pytest.mark.parametrize(("limit", "warned"), [(100.0, [OVER_BUDGET]), (101.0, [])])
def test_c2_r12_the_budget_warns_by_recorded_times(limit: float, warned: list[str]) -> None:
    """C2, R12: a lane without a limit warns of nothing."""
    assert closeout_record(lane())["budget"] == {"total": 101.0, "wait": 84.0, "warnAfter": None, "warnings": []}
    assert closeout_record(lane({names.BUDGET: {"warnAfter": limit}}))["budget"]["warnings"] == warned


def test_c10_a_statement_is_about_the_images_and_the_commit() -> None:
    """C10: the in-toto form holds the record unchanged."""
    record = closeout_record(lane())
    statement = closeout_in_toto_statement(record)
    assert statement["_type"] == "https://in-toto.io/Statement/v1" and statement["predicate"] == record
    digests = [one["digest"] for one in statement["subject"]]
    assert digests == [{"sha256": DIGEST.removeprefix("sha256:")}, {"gitCommit": COMMIT}]


def test_a_record_gives_its_evidence_back() -> None:
    evidence = lane()
    again = evidence_in_closeout_record(json.loads(closeout_record_bytes(closeout_record(evidence))))
    assert again == evidence


def _append(store: StateStore, digest: str, record: str = "{}") -> tuple[int, bool]:
    found, new = store.append_closeout(LANE, COMMIT, lambda previous: (digest, record or previous))
    return found.number, new


def test_c1_writing_twice_gives_one_and_a_later_fact_is_a_new_entry(tmp_path: Path) -> None:
    """C1: append-only, keyed by lane and commit; a later record names the earlier one."""
    with StateStore.open(tmp_path / "state.db") as store:
        assert _append(store, "sha256:1") == (1, True)
        assert _append(store, "sha256:1") == (1, False)
        found, new = store.append_closeout(LANE, COMMIT, lambda previous: ("sha256:2", f'{{"previous":"{previous}"}}'))
        assert (new, found.record) == (True, '{"previous":"sha256:1"}')
        assert [one.number for one in store.closeouts(LANE, COMMIT)] == [2, 1]
        assert store.closeouts(LANE, "0" * 40) == ()


@pytest.mark.parametrize("point", ["closeout.write.begin", "closeout.write.commit", "closeout.written"])
def test_c1_a_writer_that_fails_at_any_point_leaves_none_or_one(tmp_path: Path, point: str) -> None:
    """C1: the record is there whole or not at all, and writing again gives one."""
    with StateStore.open(tmp_path / "state.db") as store:
        arm_failpoints(f"{point}=error:StateError")
        try:
            with pytest.raises(BaseException):  # noqa: B017 (what a failpoint raises is its own)
                _append(store, "sha256:1")
        finally:
            arm_failpoints("")
        _append(store, "sha256:1")
        assert [one.number for one in store.closeouts(LANE)] == [1]


def test_a_damaged_record_of_the_state_is_an_error(tmp_path: Path) -> None:
    import sqlite3

    with StateStore.open(tmp_path / "state.db") as store:
        _append(store, "sha256:1", '{"a":1}')
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("UPDATE closeouts SET record = '{}'")
    connection.commit()
    connection.close()
    with StateStore.open(tmp_path / "state.db") as store, pytest.raises(StateError, match="closeout record"):
        store.closeouts()


def test_a_record_fits_itself_and_only_in_its_one_form() -> None:
    record = closeout_record(lane())
    assert check_closeout_record(record) == ()
    assert check_closeout_file_is_canonical(closeout_record_bytes(record), record) == ()
    assert [one.edge for one in check_closeout_file_is_canonical(json.dumps(record, indent=1).encode(), record)] == [
        "bytes"
    ]
    assert check_closeout_record({"kind": "closeout"})[0].edge == "kind"
    assert check_closeout_record([])[0].edge == "kind"


def test_replicas_that_come_and_go_break_no_edge() -> None:
    """What goes on living is compared by its identities: another pod of the same image is no other fact."""
    evidence = lane()
    record = closeout_record(evidence)
    facts = {DEPLOYMENT: lane({DEPLOYMENT: workload(pod("x", DIGEST), pod("y", DIGEST))}).readings[DEPLOYMENT]}
    assert check_closeout_facts(record, facts) == ()
    facts = {DEPLOYMENT: lane({DEPLOYMENT: workload(pod("x", OLD_DIGEST))}).readings[DEPLOYMENT]}
    assert [one.edge for one in check_closeout_facts(record, facts)] == [DEPLOYMENT]
