"""Merges on the local GitHub, each predicted and verified in git (P3, P5, P8, P9, P10, P11, P18, P21)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, TemporaryError
from planner.ports import PreviewEffect
from providers.github.merge_pull_request import UnpredictedMerge
from providers.github.provider import GitHubProvider
from providers.simulated_github.bare_repository import SimulatedBareRepository
from tests.integration.github.github_world import REPO, GitHubWorld
from tests.integration.github.merge_world import merge, merging, planned, provider_of
from tests.testbed.github_lies import LIES
from tests.testbed.github_server import Fault

METHODS = ("merge", "squash", "rebase")


def outputs_at(commit: str) -> dict[str, str]:
    """What a merge that was verified says of itself."""
    return {"mergeCommit": commit, "short": commit[:12]}


def _moved_base(world: GitHubWorld) -> tuple[int, str]:
    """A pull request of three commits, whose base has gone on."""
    world.branch("feature", {"one.txt": "1\n"})
    world.branch("feature", {"two.txt": "2\n", "app.py": "one\ntwo\nthree\nfour\n"})
    head = world.branch("feature", {"one.txt": "1!\n"})
    world.bare.write("refs/heads/main", {"README.md": "shop, changed\n"}, "meanwhile")
    return world.github.open_pull("feature"), head


@pytest.mark.parametrize("method", METHODS)
def test_p10_each_method_is_foretold_and_verified(world: GitHubWorld, method: str) -> None:
    number, head = _moved_base(world)
    before = world.tip()
    done = merge(world, number, head, method)
    assert done.outputs == outputs_at(world.tip()) and not done.already
    parents = world.bare.git("rev-list", "--first-parent", f"{before}..main").splitlines()
    assert len(parents) == (3 if method == "rebase" else 1)
    assert world.bare.read("main", "one.txt") == "1!" and world.bare.read("main", "README.md") == "shop, changed"
    assert [one.body["sha"] for one in world.github.writes()] == [head]
    preview, _ = planned(world, merging(world, number, head, method))
    assert preview.effect is PreviewEffect.NONE and preview.outputs == done.outputs


@pytest.mark.parametrize("lie", sorted(LIES))
def test_p10_a_lie_is_caught_with_both_trees(world: GitHubWorld, lie: str) -> None:
    number, head = _moved_base(world)
    preview, change = planned(world, merging(world, number, head))
    honest = SimulatedBareRepository(world.bare.path).merged(world.tip(), head, "merge", "by git in a working tree")
    world.github.lie = lie
    with pytest.raises(UnpredictedMerge) as caught:
        provider_of(world).apply(change, {})
    expected = world.bare.git("rev-parse", f"{honest}^{{tree}}")
    assert caught.value.mismatch.expected_tree == expected and "merge-mismatch" in caught.value.message
    assert f"expected tree {expected}, found {caught.value.mismatch.found_tree or 'none'}" in caught.value.message
    assert preview.effect is PreviewEffect.RUN
    assert len(world.github.writes()) == 1


def test_there_are_twenty_lies() -> None:
    assert len(LIES) >= 20


@pytest.mark.parametrize("method", ["squash", "rebase"])
@pytest.mark.parametrize(
    "lie", ["tree-with-another-file", "tree-of-the-base", "history-rewritten", "not-on-the-branch"]
)
def test_p10_lies_about_other_methods(world: GitHubWorld, method: str, lie: str) -> None:
    number, head = _moved_base(world)
    _, change = planned(world, merging(world, number, head, method))
    world.github.lie = lie
    with pytest.raises(UnpredictedMerge):
        provider_of(world).apply(change, {})


@pytest.mark.parametrize("method", METHODS)
def test_p11_a_merge_by_somebody_else_is_verified_the_same_way(world: GitHubWorld, method: str) -> None:
    number, head = _moved_base(world)
    world.client("ghp_token-of-alice-0002").merge(REPO, number, head, method)  # type: ignore[arg-type]
    world.bare.write("refs/heads/main", {"later.txt": "later\n"}, "later")
    preview, _ = planned(world, merging(world, number, head))
    assert preview.effect is PreviewEffect.NONE and not preview.blocked
    assert world.bare.git("merge-base", "--is-ancestor", preview.outputs["mergeCommit"], "main") == ""


_OTHERS = ("tree-with-another-file", "parents-swapped", "fast-forwarded-to-the-head", "on-another-branch",
           "another-head-was-merged", "names-a-commit-that-is-not-there", "history-rewritten")  # fmt: skip


@pytest.mark.parametrize("lie", _OTHERS)
def test_p11_a_lie_about_somebody_elses_merge_is_blocked(world: GitHubWorld, lie: str) -> None:
    number, head = _moved_base(world)
    world.github.lie = lie
    world.client("ghp_token-of-alice-0002").merge(REPO, number, head, "merge")
    assert planned(world, merging(world, number, head))[0].blocked.startswith("merge-mismatch")


def test_p08_a_conflict_is_found_before_github_is_asked(world: GitHubWorld) -> None:
    number, head = world.pull(files={"app.py": "ours\n", "same.txt": "a\n"})
    theirs = world.bare.write("refs/heads/main", {"app.py": "theirs\n"}, "theirs")
    preview, change = planned(world, merging(world, number, head))
    assert "app.py" in preview.blocked and "same.txt" not in preview.blocked and theirs[:12] in preview.blocked
    with pytest.raises(PreconditionError):
        provider_of(world).apply(change, {})
    assert not world.github.writes()


def test_p08_a_conflict_names_the_pull_request_that_touched_the_files(world: GitHubWorld) -> None:
    """Each file with its own: one came with a merged pull request, one was pushed, one conflicts with nobody's."""
    number, head = world.pull(files={"app.py": "ours\n", "README.md": "ours\n", "mine.txt": "a\n"})
    theirs, their_head = world.pull("theirs", {"app.py": "theirs\n"})
    world.client("ghp_token-of-alice-0002").merge(REPO, theirs, their_head, "merge")
    merged = world.tip()
    pushed = world.bare.write("refs/heads/main", {"README.md": "pushed\n"}, "pushed")
    preview, change = planned(world, merging(world, number, head))
    words = f"app.py (changed by #{theirs}, {merged[:12]})", f"README.md (changed by {pushed[:12]})"
    assert all(one in preview.blocked for one in words) and "mine.txt" not in preview.blocked, preview.blocked
    with pytest.raises(PreconditionError) as caught:
        provider_of(world).apply(change, {})
    assert all(one in caught.value.message for one in words)
    world.github.faults = [Fault("status", "GET", "/commits/[0-9a-f]+/pulls", 404)]
    assert f"app.py (changed by {merged[:12]})" in planned(world, merging(world, number, head))[0].blocked


def test_p08_a_rebase_conflicts_where_a_merge_would_not(world: GitHubWorld) -> None:
    world.branch("feature", {"app.py": "one\nTWO\nthree\n"})
    head = world.branch("feature", {"app.py": "one\ntwo\nthree\n"})  # taken back again
    world.bare.write("refs/heads/main", {"app.py": "one\ntwo, changed\nthree\n"}, "meanwhile")
    number = world.github.open_pull("feature")
    assert not planned(world, merging(world, number, head))[0].blocked
    assert "app.py" in planned(world, merging(world, number, head, "rebase"))[0].blocked


def test_p03_a_head_that_moved_is_never_merged(world: GitHubWorld) -> None:
    number, head = world.pull()
    _, change = planned(world, merging(world, number, head))
    world.branch("feature", {"more.txt": "more\n"})
    with pytest.raises(PreconditionError, match="reviewed"):
        provider_of(world).apply(change, {})
    assert not world.github.writes()
    assert head in planned(world, merging(world, number, head))[0].blocked


def test_p09_force_push_between_check_and_merge(world: GitHubWorld) -> None:
    number, head = world.pull()
    _, change = planned(world, merging(world, number, head))
    evil = world.bare.commit("evil", world.tip())
    world.github.before["PUT .*"] = lambda: world.bare.put("refs/heads/feature", evil)
    before = world.tip()
    with pytest.raises(PreconditionError, match="not the reviewed commit"):
        provider_of(world).apply(change, {})
    assert world.tip() == before and world.github.count("PUT") == 1


@pytest.mark.parametrize("action", ["lose-answer", "cut"])
def test_p09_an_answer_that_is_lost_after_the_merge_is_read(world: GitHubWorld, action: str) -> None:
    number, head = world.pull()
    world.github.faults = [Fault(action, "PUT")]  # type: ignore[arg-type]
    assert merge(world, number, head).outputs == outputs_at(world.tip())
    assert world.github.count("PUT") == 1


def test_p09_502_after_merging(world: GitHubWorld) -> None:
    number, head = world.pull()
    client = world.client()
    world.github.before[f"PUT /repos/{REPO}/pulls/{number}/merge"] = lambda: client.merge(REPO, number, head, "merge")
    world.github.faults = [Fault("status", "PUT", code=502)]
    _, change = planned(world, merging(world, number, head))
    world.client("ghp_token-of-alice-0002").merge(REPO, number, head, "merge")  # gateway's answer: 502, not merged
    assert provider_of(world).apply(change, {}).outputs == outputs_at(world.tip())


@pytest.mark.parametrize(
    ("fault", "pauses"),
    [
        (Fault("status", "PUT", code=502, times=2), [4.0, 8.0]),
        (Fault("lose-request", "PUT", times=3), [4.0, 8.0, 16.0]),
        (Fault("status", "PUT", code=405, message="Base branch was modified. Review and try the merge again."), [4.0]),
    ],
)
def test_p09_what_did_not_happen_is_tried_again_at_most_three_times(
    world: GitHubWorld, fault: Fault, pauses: list[float]
) -> None:
    number, head = world.pull()
    world.github.faults = [fault]
    assert merge(world, number, head).outputs == outputs_at(world.tip())
    assert world.pauses == pauses


def test_p09_the_base_moves_while_github_merges(world: GitHubWorld) -> None:
    number, head = world.pull()
    _, change = planned(world, merging(world, number, head))
    moved = "Base branch was modified. Review and try the merge again."
    world.github.faults = [Fault("status", "PUT", code=405, message=moved)]
    world.bare.write("refs/heads/main", {"late.txt": "late\n"}, "late")
    assert provider_of(world).apply(change, {}).outputs == outputs_at(world.tip())


@pytest.mark.parametrize("method", METHODS)
def test_p09_the_base_moves_while_the_merge_is_predicted(world: GitHubWorld, method: str) -> None:
    """Seen right before the request: nothing is asked, all is read again, and the merge is made on the new base."""
    number, head = world.pull()
    _, change = planned(world, merging(world, number, head, method))
    provider = provider_of(world)
    _moving_base(world, provider, times=1)
    done = provider.apply(change, {})
    assert done.outputs == outputs_at(world.tip()) and not done.warnings
    assert world.pauses == [4.0] and world.github.count("PUT") == 1
    assert world.bare.read("main", "late-1.txt") == "late"


def test_p09_a_base_that_never_stands_still_is_refused_cleanly(world: GitHubWorld) -> None:
    number, head = world.pull()
    _, change = planned(world, merging(world, number, head))
    provider = provider_of(world)
    _moving_base(world, provider, times=9)
    with pytest.raises(TemporaryError, match="the base branch moves on"):
        provider.apply(change, {})
    assert world.github.count("PUT") == 0 and world.pauses == [4.0, 8.0, 16.0]


def test_p06_a_head_that_has_to_contain_its_base_is_refused_when_the_base_moves(world: GitHubWorld) -> None:
    number, head = world.pull()
    resource = merging(world, number, head)
    resource.manifest["spec"]["freshness"] = "merge"
    preview, change = planned(world, resource)
    assert not preview.blocked
    provider = provider_of(world)
    _moving_base(world, provider, times=1)
    with pytest.raises(PreconditionError, match="its head does not contain"):
        provider.apply(change, {})
    assert world.github.count("PUT") == 0
    assert "its head does not contain" in planned(world, resource)[0].blocked


@pytest.mark.parametrize("method", METHODS)
def test_p10_the_base_moves_in_the_last_moment_and_the_merge_is_what_git_makes_of_it(
    world: GitHubWorld, method: str
) -> None:
    """No request names the base, so GitHub merges onto whatever is there: right, and it is said."""
    number, head = world.pull()
    _, change = planned(world, merging(world, number, head, method))
    world.github.before["PUT .*"] = lambda: world.bare.write("refs/heads/main", {"late.txt": "late\n"}, "late")
    done = provider_of(world).apply(change, {})
    assert done.outputs == outputs_at(world.tip()) and "moved on to" in done.warnings[0]
    assert world.bare.read("main", "late.txt") == "late" and world.github.count("PUT") == 1


def test_p10_a_merge_onto_a_base_that_was_never_tested_with_it_stops_the_lane(world: GitHubWorld) -> None:
    number, head = world.pull()
    resource = merging(world, number, head)
    resource.manifest["spec"]["freshness"] = "merge"
    _, change = planned(world, resource)
    world.github.before["PUT .*"] = lambda: world.bare.write("refs/heads/main", {"late.txt": "late\n"}, "late")
    with pytest.raises(UnpredictedMerge, match="was never tested"):
        provider_of(world).apply(change, {})


def test_p10_a_base_that_was_rewritten_in_the_last_moment_is_a_mismatch(world: GitHubWorld) -> None:
    number, head = _moved_base(world)
    _, change = planned(world, merging(world, number, head))
    rewritten = world.bare.git("rev-parse", f"{world.tip()}^")
    world.github.before["PUT .*"] = lambda: world.bare.put("refs/heads/main", rewritten)
    with pytest.raises(UnpredictedMerge, match="merge-mismatch: the tree is another one"):
        provider_of(world).apply(change, {})


def _moving_base(world: GitHubWorld, provider: GitHubProvider, times: int) -> None:
    """The base moves on whenever a merge was predicted, before it is asked for."""
    git, count = provider.git, iter(range(1, times + 1))

    @dataclass(frozen=True)
    class Moving:
        def predict(self, *given: Any, **named: Any) -> Any:
            found = git.predict(*given, **named)
            if at := next(count, 0):
                world.bare.write("refs/heads/main", {f"late-{at}.txt": "late\n"}, f"late {at}")
            return found

        def __getattr__(self, name: str) -> Any:
            return getattr(git, name)

    provider.git = Moving()


@pytest.mark.parametrize(
    ("code", "message", "error", "words"),
    [
        (405, "Merge commits are not allowed on this repository.", PermanentError, "not allowed"),
        (403, "Resource not accessible by integration", PermanentError, "may not merge"),
        (405, "Pull Request is not mergeable", TemporaryError, "not mergeable"),
        (409, "Head branch was modified. Review and try the merge again.", PreconditionError, "reviewed"),
        (422, "Validation Failed", PermanentError, "invalid"),
        (500, "Server Error", OutcomeUnknown, "not known"),
    ],
)
def test_p09_the_table_of_answers(
    world: GitHubWorld, code: int, message: str, error: type[Exception], words: str
) -> None:
    number, head = world.pull()
    world.github.faults = [Fault("status", "PUT", code=code, message=message, times=9)]
    with pytest.raises(error, match=words):
        merge(world, number, head)
    assert world.github.count("PUT") == (4 if code == 500 else 1)
    world.github.faults = []
    assert merge(world, number, head).outputs == outputs_at(world.tip())


def test_p05_mergeability_that_is_known_late_is_waited_for(world: GitHubWorld) -> None:
    number, head = world.pull()
    world.github.late = 4
    preview, change = planned(world, merging(world, number, head))
    assert not preview.blocked and preview.warnings
    assert provider_of(world).apply(change, {}).outputs == outputs_at(world.tip())
    assert world.pauses == [1.0, 2.0]
    late, head = world.pull("other")
    world.github.late = 99
    _, change = planned(world, merging(world, late, head))
    with pytest.raises(TemporaryError, match="not computed"):
        provider_of(world).apply(change, {})
    assert world.github.count("PUT") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"draft": True}, "draft"),
        ({"state": "closed"}, "closed without a merge"),
        ({"base": "other"}, "for the branch other"),
    ],
)
def test_p05_what_may_not_be_merged_is_blocked(world: GitHubWorld, change: dict[str, object], words: str) -> None:
    world.branch("other")
    number, head = world.pull()
    with world.github.stored() as rows:
        rows.rows("pulls")[0].update(change)
    assert words in planned(world, merging(world, number, head))[0].blocked


def test_p05_a_required_check_that_is_missing_or_renamed(world: GitHubWorld) -> None:
    number, head = world.pull()
    world.github.add_check(head, "ci")
    with world.github.stored() as rows:
        rows.data["required"] = {"main": ["ci-renamed"]}
    assert "requires" in planned(world, merging(world, number, head))[0].blocked
    with world.github.stored() as rows:
        rows.data["required"] = {"main": ["ci"]}
    assert not planned(world, merging(world, number, head))[0].blocked


def test_p18_nothing_is_merged_below_the_reserve(world: GitHubWorld) -> None:
    number, head = world.pull()
    _, change = planned(world, merging(world, number, head))
    world.github.remaining = 90
    with pytest.raises(TemporaryError, match="requests are left"):
        provider_of(world).apply(change, {})
    assert not world.github.writes()


def test_p21_merged_before_a_crash_is_found_merged(world: GitHubWorld) -> None:
    number, head = world.pull()
    _, change = planned(world, merging(world, number, head))
    first = provider_of(world).apply(change, {})
    again = provider_of(world, "another-cache").apply(change, {})
    assert again.already and again.outputs == first.outputs and world.github.count("PUT") == 1
