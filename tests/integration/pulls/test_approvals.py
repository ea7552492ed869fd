"""P7: with a quorum a pull request waits for approvals of its plan on its head; a push withdraws them."""

from __future__ import annotations

from planner.app.approvals import record_approval
from planner.app.pull_request_plan import open_pull_request_plan
from planner.spec.pull_requests import ApprovalRules
from tests.integration.pulls.pull_world import REPO, PullWorld


def _effect(world: PullWorld, number: int) -> str:
    """What `plan --pr` shows for approval: a cycle plans a rollout only where somebody has approved."""
    with open_pull_request_plan(world.place.request, number) as planned:
        return planned.identifier


def _asks(world: PullWorld) -> tuple[int, str]:
    """A lane with a quorum of one, and a pull request that waits for it; its number and head."""
    world.rule(approvals=ApprovalRules(quorum=1, people=("olga",)))
    number, head = world.pull("one")
    assert world.cycle().result == "waiting" and world.unmet(number) == ["approval"]
    return number, head


def test_p7_an_approval_that_was_recorded_is_counted_and_a_push_withdraws_it(world: PullWorld) -> None:
    number, head = _asks(world)
    approved = _effect(world, number)
    record_approval(world.place.request, approved, "olga", until="24h", head=head)
    world.check(world.bare.write("refs/heads/one", {"more.txt": "more\n"}, "more"))
    assert world.cycle().result == "waiting" and world.unmet(number) == ["approval"]
    assert _effect(world, number) != approved and world.merges() == 0
    record_approval(world.place.request, _effect(world, number), "mallory", until="24h")
    assert world.cycle().result == "waiting", "nobody asked mallory"
    record_approval(world.place.request, _effect(world, number), "olga", until="24h")
    assert world.cycle().result == "done" and world.merges() == 1


def test_p20_the_sentence_in_a_comment_counts_from_an_allowed_person_who_saw_this_head(world: PullWorld) -> None:
    number, _ = _asks(world)
    sentence = f"Looks right.\n\nhwplan approve {_effect(world, number)}\n"

    def comment(author: str, **fields: str) -> None:
        with world.github.stored(REPO) as rows:
            rows.add("comments", issue=number, author=author, body=sentence, **fields)

    comment("mallory")
    comment("olga", created_at="2020-01-01T00:00:00Z", updated_at="2020-01-01T00:00:00Z")
    comment("olga", updated_at="2099-01-01T00:00:00Z")  # edited
    assert world.cycle().result == "waiting" and world.merges() == 0
    comment("olga")
    record = world.cycle()
    assert record.result == "done" and world.merges() == 1, [record.notes, record.document()["candidates"]]


def test_an_edited_approval_approves_nothing(world: PullWorld) -> None:
    number, head = _asks(world)
    made = record_approval(world.place.request, "sha256:" + "0" * 64, "olga", until="24h", head=head)
    made.file.write_text(made.file.read_text().replace("0" * 64, _effect(world, number).removeprefix("sha256:")))
    record = world.cycle()
    assert record.result == "unknown" and world.merges() == 0
    assert any("the approval was edited" in note for note in record.notes)


def test_p7_a_push_withdraws_an_approval_with_one_comment_that_names_both_values(world: PullWorld) -> None:
    number, head = _asks(world)
    world.rule(approvals=ApprovalRules(quorum=2, people=("olga", "ivan")))
    record_approval(world.place.request, _effect(world, number), "olga", until="24h", head=head)
    world.cycle()
    approved = _effect(world, number)
    assert world.comments(number) == []
    pushed = world.bare.write("refs/heads/one", {"more.txt": "more\n"}, "more")
    world.check(pushed)
    for _ in range(3):
        world.cycle()
    (comment,) = world.comments(number)
    assert "approval of `olga` does not count any more" in comment
    assert all(value in comment for value in (head, pushed, approved, _effect(world, number)))
