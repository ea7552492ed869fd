"""How many plans a cycle takes: none of a rollout while nobody has approved, one before a merge, two after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planner.app import plan_with_inputs, pull_request_plan
from planner.app.approvals import record_approval
from planner.app.plan_with_inputs import PlanWithInputs
from planner.app.pull_requests import apply_cycle
from planner.app.session import Session
from planner.app.trigger import rollout_plan
from planner.spec.pull_requests import ApprovalRules
from tests.integration.pulls.pull_world import PullWorld

_PLANNING = (pull_request_plan, apply_cycle, rollout_plan)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Which part of a cycle made each plan, in their order."""
    made: list[str] = []

    for module in _PLANNING:
        name = module.__name__.rpartition(".")[2]

        def plan(session: Session, *, by: str = name) -> PlanWithInputs:
            made.append(by)
            return plan_with_inputs.plan_selected_resources(session)

        monkeypatch.setattr(module, "plan_selected_resources", plan)
    yield made


def test_a_cycle_that_waits_for_approvals_plans_no_rollout(world: PullWorld, planned: list[str]) -> None:
    world.rule(approvals=ApprovalRules(quorum=1, people=("olga",)))
    number, head = world.pull("one")
    assert world.cycle().result == "waiting" and world.unmet(number) == ["approval"]
    assert planned == ["apply_cycle"], "the status of the candidate alone"
    planned.clear()
    assert world.cycle().result == "waiting" and planned == []
    record_approval(world.place.request, "f" * 64, "mallory", until="24h", head=head)
    assert world.cycle().result == "waiting" and planned == [], "nobody asked mallory"


def test_a_cycle_that_merges_plans_a_rollout_before_and_two_after(world: PullWorld, planned: list[str]) -> None:
    """The last is made of the merge commit, and is what is applied: the one before cannot be (docs/adr/0045). The one
    in between is compared with what was approved (docs/adr/0049)."""
    world.rule(approvals=ApprovalRules(quorum=1, people=("olga",)))
    number, head = world.pull("one")
    with pull_request_plan.open_pull_request_plan(world.place.request, number) as made:
        identifier = made.identifier
    record_approval(world.place.request, identifier, "olga", until="24h", head=head)
    planned.clear()
    assert world.cycle().result == "done" and world.merges() == 1
    assert planned == ["pull_request_plan", "apply_cycle", "pull_request_plan", "rollout_plan", "apply_cycle"]


def test_an_approval_of_another_plan_is_compared_with_the_plan(world: PullWorld, planned: list[str]) -> None:
    world.rule(approvals=ApprovalRules(quorum=1, people=("olga",)))
    number, head = world.pull("one")
    record_approval(world.place.request, "f" * 64, "olga", until="24h", head=head)
    assert world.cycle().result == "waiting" and world.merges() == 0
    assert planned[0] == "pull_request_plan"
    assert "olga approved plan ffffffffffff, and it is " in world.records[-1].decision.verdicts[0].next_action
    assert world.unmet(number) == ["approval"]
