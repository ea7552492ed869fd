"""What a plan, its drift or an error makes of a shard, and shards of a fleet; the document says the same."""

from __future__ import annotations

import json

import pytest

from planner.drift import DriftState
from planner.errors import PermanentError, StateError
from planner.fleet import FleetReport, ShardResult, ShardState
from planner.fleet_document import fleet_document, shard_result_from_document
from planner.plan_id import plan_id
from tests.unit.drift import reports
from tests.unit.fleet.fleets import BROKEN, CHANGED, DOWN, QUIET, STUCK, every_state, failed, planned, shard

NAMED = {"node": "D601", "product": "hwlab", "lane": "v03"}
WHOLE: dict[str, object] = {**NAMED, "state": "aligned", "counts": None, "plan": None, "cluster": None, "problems": []}
SYNCED, PENDING, DRIFTED, BOTH, ACKNOWLEDGED, UNREAD = reports.EVERY


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (planned(QUIET), ShardState.ALIGNED),
        (planned(QUIET, SYNCED, PENDING, ACKNOWLEDGED), ShardState.ALIGNED),
        (planned(CHANGED, PENDING), ShardState.CHANGES),
        (planned(CHANGED, DRIFTED), ShardState.DRIFT),
        (planned(QUIET, DRIFTED), ShardState.DRIFT),  # what others added, an apply leaves alone
        (planned(QUIET, BOTH), ShardState.DRIFT),
        (planned(STUCK, DRIFTED), ShardState.BLOCKED),
        (planned(QUIET, UNREAD), ShardState.BLOCKED),
        (failed(DOWN), ShardState.UNREACHABLE),
        (failed(PermanentError("401", where="a")), ShardState.UNREACHABLE),
        (failed(BROKEN), ShardState.FAILED),
        (failed(StateError("damaged")), ShardState.FAILED),
    ],
)
def test_the_gravest_counts(result: ShardResult, state: ShardState) -> None:
    assert result.state is state


def test_counts_are_those_of_the_plan_and_the_report() -> None:
    result = planned(CHANGED, DRIFTED, BOTH, SYNCED)
    assert result.counts["create"] == result.counts["delete"] == 1 and result.counts["update"] == 0
    assert result.counts["drifted"] == 2 and result.changes == 2
    assert result.plan == plan_id(CHANGED) and result.cluster == CHANGED.cluster
    assert failed(DOWN).counts == {} and failed(DOWN).plan == ""


def test_an_object_that_is_blocked_and_unread_is_one_problem() -> None:
    row = reports.row("Secret/shop/s0", DriftState.INCOMPLETE, "cannot list secrets")
    result = planned(STUCK, row)
    assert [one.where for one in result.problems] == [f"Secret/shop/s{n}" for n in range(5)]
    assert result.problems[0].remedy == "add it", "what the plan says has a remedy"


def test_an_error_of_files_brings_all_its_problems() -> None:
    found = failed(BROKEN).problems
    assert [(one.where, one.remedy) for one in found] == [
        ("config/lanes.yaml:7:3", "did you mean replicas?"),
        ("templates/a.yaml.j2:2", "did you mean name?"),
    ]


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ((), 0),
        ((planned(QUIET), planned(QUIET)), 0),
        ((planned(QUIET), planned(CHANGED)), 2),
        ((planned(QUIET, DRIFTED),), 2),
        ((planned(STUCK),), 2),
        ((planned(CHANGED), failed(DOWN)), 1),
        ((failed(BROKEN), planned(QUIET)), 1),
    ],
)
def test_the_exit_code(results: tuple[ShardResult, ...], code: int) -> None:
    assert FleetReport(results).exit_code == code


def test_a_document_of_one_shard_is_read_back_whole() -> None:
    for result in every_state().results:
        document = json.loads(json.dumps(fleet_document(FleetReport((result,)))))
        assert shard_result_from_document(result.shard, document) == result


def test_a_whole_document_is_an_answer() -> None:
    found = shard_result_from_document(shard(), {"shards": [WHOLE], "more": "is let pass"})
    assert found is not None and found.state is ShardState.ALIGNED


def test_the_document_has_no_times() -> None:
    assert "seconds" not in json.dumps(fleet_document(every_state()))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"shards": []},
        {"shards": [1]},
        {"shards": [NAMED]},
        {"shards": [{**WHOLE, "state": "fine"}]},
        {"shards": [{**WHOLE, "state": None}]},
        {"shards": [{**WHOLE, "counts": {"create": "1"}}]},
        {"shards": [{**WHOLE, "counts": [1]}]},
        {"shards": [{**WHOLE, "cluster": {"uid": "1"}}]},
        {"shards": [{**WHOLE, "problems": [{"text": "a"}]}]},
        {"shards": [{**WHOLE, "problems": None}]},
        {"shards": [{**WHOLE, "node": "G14"}]},
        {"shards": [WHOLE, WHOLE]},
        {"job": {"id": "job-1"}},
    ],
)
def test_anything_else_is_no_answer(document: object) -> None:
    assert shard_result_from_document(shard(), document) is None
