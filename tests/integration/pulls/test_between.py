"""What happens between the decision to merge and the merge: it is not made, and judged anew by the next cycle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from planner.pull_requests.deliveries import DeliveryStep
from tests.integration.pulls.pull_world import REPO, PullWorld


def _force_push(world: PullWorld, number: int) -> None:
    world.bare.put("refs/heads/evil", world.tip())
    world.bare.put("refs/heads/one", world.bare.write("refs/heads/evil", {"evil.txt": "evil\n"}, "evil"))


def _block(world: PullWorld, number: int) -> None:
    with world.pull_request_row(number) as row:
        row["labels"] = ["do-not-merge"]


def _rewrite_base(world: PullWorld, number: int) -> None:
    world.bare.put("refs/heads/v0.3", world.bare.git("rev-list", "--max-parents=0", world.tip()).splitlines()[0])
    world.bare.write("refs/heads/v0.3", {"rewritten.txt": "rewritten\n"}, "rewritten")


def _rename_check(world: PullWorld, number: int) -> None:
    with world.github.stored(REPO) as rows:
        rows.data["required"] = {"v0.3": ["build"]}


def _fail_check(world: PullWorld, number: int) -> None:
    world.check(world.bare.at("refs/heads/one"), conclusion="failure")


def _freeze(world: PullWorld, number: int) -> None:
    with world.github.stored(REPO) as rows:
        rows.add("issues", number=90, title="Stop", body="", author="alice", state="open", labels=["freeze"])


def _close(world: PullWorld, number: int) -> None:
    with world.pull_request_row(number) as row:
        row["state"] = "closed"


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (_force_push, "was changed while it was judged"),
        (_block, "it has the label do-not-merge"),
        (_rewrite_base, "v0.3 moved on"),
        (_rename_check, "the check build has not reported"),
        (_fail_check, "the check ci ended failure"),
        (_freeze, "issue 90 freezes it"),
        (_close, "it is closed"),
    ],
)
def test_p2_p12_the_candidate_is_read_anew_under_the_lease(
    world: PullWorld, happens: Callable[[PullWorld, int], None], said: str
) -> None:
    number, _ = world.pull("one")
    record = world.cycle(between=lambda: happens(world, number))
    assert record.result == "waiting" and any(said in note for note in record.notes), record.notes
    assert [(one.pull, one.step) for one in record.deliveries] == [(number, DeliveryStep.VOID)]
    assert world.github.count("PUT", "/merge") == 0 and world.runs() == [] and world.comments(number) == []


def test_a_label_that_gave_the_priority_is_removed_between(world: PullWorld) -> None:
    """A closed lane takes what has priority; without it the pull request waits like the others."""
    from planner.spec.pull_requests import LaneClosure

    closed = LaneClosure.model_validate({"reason": "fair", "until": "2099-01-01T00:00:00Z", "minimumPriority": 50})
    world.rule(closed=closed, priority_labels={"priority-high": 100})
    number, _ = world.pull("one", labels=["priority-high"])

    def unlabel() -> None:
        with world.pull_request_row(number) as row:
            row["labels"] = []

    record = world.cycle(between=unlabel)
    assert record.result == "waiting" and world.github.count("PUT", "/merge") == 0
    assert "closed until 2099" in record.notes[0]


def test_p3_a_push_at_the_last_moment_is_refused_by_github_itself(world: PullWorld) -> None:
    """The request names the reviewed head; the next cycle judges the new one by its own checks."""
    number, old = world.pull("one")
    world.github.before[f"PUT /repos/{REPO}/pulls/{number}/merge"] = lambda: world.bare.write(
        "refs/heads/one", {"more.txt": "more\n"}, "more"
    )
    record = world.cycle()
    assert record.result == "waiting" and "not the reviewed commit any more" in record.notes[0]
    assert world.merges() == 0 and world.bare.git("merge-base", "--is-ancestor", old, "refs/heads/one") == ""
    world.rule(checks=world.place.rules.checks.model_copy(update={"required": ("ci",)}))
    assert world.cycle().result == "waiting" and world.unmet(number) == ["check-missing"]
    world.check(world.bare.at("refs/heads/one"))
    assert world.cycle().result == "done" and world.merges() == 1
