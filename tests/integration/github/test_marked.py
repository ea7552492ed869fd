"""Comments, issues and statuses on the local GitHub: found by marker and author, never two (P14, P15, P16)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from planner.errors import PreconditionError
from planner.ports import PreviewEffect, Written
from planner.resource import Resource
from tests.integration.github.github_world import REPO, GitHubWorld
from tests.integration.github.merge_world import declare, planned, provider_of
from tests.testbed.github_server import BOT, PERSON, Fault

MARK = "rollout:v03"
SPOOF = "text\n\n<!-- hwplan:rollout:v03 -->"


def comment(world: GitHubWorld, number: int, body: str = "Started.") -> Resource:
    return declare(world, "GitHubComment", "note", number=number, marker=MARK, body=body)


def issue(world: GitHubWorld, **spec: Any) -> Resource:
    return declare(world, "GitHubIssue", "failure", **{"marker": MARK, "title": "cd failed", "body": "1 time", **spec})


def put(world: GitHubWorld, resource: Resource) -> Written:
    """Plan and apply, each as a command of its own."""
    preview, change = planned(world, resource)
    assert not preview.blocked and preview.effect is not PreviewEffect.NONE
    return provider_of(world).apply(change, {})


def bodies(world: GitHubWorld, number: int, author: str = BOT) -> list[str]:
    return [one.body for one in world.client().comments(REPO, number) if one.author == author]


def test_p15_a_comment_is_made_once_and_updated_in_place(world: GitHubWorld) -> None:
    number, _ = world.pull()
    first = put(world, comment(world, number))
    assert planned(world, comment(world, number))[0].effect is PreviewEffect.NONE
    second = put(world, comment(world, number, "Ended."))
    assert bodies(world, number) == ["Ended.\n\n<!-- hwplan:rollout:v03 -->"]
    assert first.outputs == second.outputs and str(first.outputs["url"]).startswith("https://")
    assert [one.method for one in world.github.writes()] == ["POST", "PATCH"]


def test_p15_a_marker_that_somebody_else_wrote_is_not_ours(world: GitHubWorld) -> None:
    number, _ = world.pull()
    world.client("ghp_token-of-alice-0002").create_comment(REPO, number, SPOOF)
    preview, change = planned(world, comment(world, number))
    assert preview.effect is PreviewEffect.CREATE
    provider_of(world).apply(change, {})
    assert bodies(world, number, PERSON) == [SPOOF] and len(bodies(world, number)) == 1


def test_p15_a_marker_inside_our_own_text_does_not_count(world: GitHubWorld) -> None:
    """Foreign text that a comment of ours quotes may hold any mark."""
    number, _ = world.pull()
    other = declare(world, "GitHubComment", "other", number=number, marker="other", body=f"quoted: {SPOOF}\nend")
    put(world, other)
    put(world, comment(world, number))
    put(world, comment(world, number, "Ended."))
    assert [one.rpartition("\n")[2] for one in bodies(world, number)] == [
        "<!-- hwplan:other -->", "<!-- hwplan:rollout:v03 -->",
    ]  # fmt: skip


@pytest.mark.parametrize("monitors", [2, 4])
def test_p15_monitors_at_once_make_one_comment(world: GitHubWorld, monitors: int) -> None:
    number, _ = world.pull()
    texts = [f"by {n}" for n in range(monitors)]
    _at_once([_writer(world, comment(world, number, text), str(n)) for n, text in enumerate(texts)])
    found = bodies(world, number)
    assert len(found) == 1 and found[0].partition("\n")[0] in texts


def test_p15_two_that_a_crash_left_become_one(world: GitHubWorld) -> None:
    number, _ = world.pull()
    client = world.client()
    for text in ("first", "second"):
        client.create_comment(REPO, number, f"{text}\n\n<!-- hwplan:{MARK} -->")
    lowest = client.comments(REPO, number)[0].identifier
    put(world, comment(world, number))
    assert [one.identifier for one in client.comments(REPO, number)] == [lowest]


def test_p15_line_ends_of_the_web_editor_are_no_difference(world: GitHubWorld) -> None:
    number, _ = world.pull()
    world.client().create_comment(REPO, number, f"a\r\nb\r\n\r\n<!-- hwplan:{MARK} -->\r\n")
    assert planned(world, comment(world, number, "a\nb"))[0].effect is PreviewEffect.NONE


def test_a_comment_that_was_edited_since_the_plan_is_not_overwritten(world: GitHubWorld) -> None:
    number, _ = world.pull()
    put(world, comment(world, number))
    _, change = planned(world, comment(world, number, "Ended."))
    client = world.client()
    client.update_comment(REPO, client.comments(REPO, number)[0].identifier, f"edited\n\n<!-- hwplan:{MARK} -->")
    with pytest.raises(PreconditionError):
        provider_of(world).apply(change, {})
    assert bodies(world, number)[0].startswith("edited")


@pytest.mark.parametrize("fault", [Fault("lose-answer", "POST"), Fault("cut", "POST")])
def test_p21_an_answer_that_was_lost_makes_no_second_one(world: GitHubWorld, fault: Fault) -> None:
    number, _ = world.pull()
    world.github.faults = [fault]
    assert put(world, comment(world, number)).warnings
    assert len(bodies(world, number)) == 1 and world.github.count("POST") == 1


def test_p16_an_issue_is_opened_updated_closed_and_opened_again(world: GitHubWorld) -> None:
    put(world, issue(world, labels=["hwplan"]))
    put(world, issue(world, body="2 times", labels=["hwplan"]))
    put(world, issue(world, body="2 times", labels=["hwplan"], state="closed"))
    (found,) = world.client().issues(REPO)
    assert not found.is_open and found.labels == ("hwplan",) and found.body.startswith("2 times")
    put(world, issue(world, body="3 times", labels=["hwplan"]))
    (found,) = world.client().issues(REPO)
    assert found.is_open and found.body.startswith("3 times") and world.github.count("POST") == 1


def test_p16_labels_of_others_are_left_alone(world: GitHubWorld) -> None:
    put(world, issue(world))
    (found,) = world.client().issues(REPO)
    world.client().update_issue(REPO, found.number, {"labels": ["theirs"]})
    assert planned(world, issue(world))[0].effect is PreviewEffect.NONE
    put(world, issue(world, labels=["ours"]))
    assert world.client().issues(REPO)[0].labels == ("theirs", "ours")


def test_p16_monitors_at_once_leave_one_open_issue(world: GitHubWorld) -> None:
    _at_once([_writer(world, issue(world), str(n)) for n in range(3)])
    found = world.client().issues(REPO)
    assert [one.is_open for one in found] == [True] + [False] * (len(found) - 1)
    assert planned(world, issue(world))[0].effect is PreviewEffect.NONE


def test_p16_an_issue_of_somebody_else_with_the_marker_is_not_ours(world: GitHubWorld) -> None:
    world.client("ghp_token-of-alice-0002").create_issue(REPO, "spoof", SPOOF)
    assert planned(world, issue(world))[0].effect is PreviewEffect.CREATE


def test_p14_a_status_is_written_only_when_it_differs(world: GitHubWorld) -> None:
    _, head = world.pull()

    def status(state: str) -> Resource:
        return declare(world, "GitHubStatus", "s", sha=head, context="hwplan/v03", state=state, description="queued")

    put(world, status("pending"))
    assert planned(world, status("pending"))[0].effect is PreviewEffect.NONE
    put(world, status("success"))
    world.client("ghp_token-of-alice-0002").set_status(REPO, head, "hwplan/v03", "success", "queued")
    put(world, status("success"))
    found = world.client().statuses(REPO, head)
    assert [(one.name, one.said, one.author) for one in found] == [("hwplan/v03", "success", BOT)]


def _writer(world: GitHubWorld, resource: Resource, cache: str) -> Callable[[], object]:
    """A monitor that has planned, and is about to apply."""
    _, change = planned(world, resource)
    provider = provider_of(world, cache)
    return lambda: provider.apply(change, {})


def _at_once(calls: list[Callable[[], object]]) -> None:
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        barrier.wait()
        with suppress(PreconditionError):  # the other one was there already: planned again in the next cycle
            call()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def part(world: GitHubWorld, node: str, text: str, state: str = "open") -> Resource:
    """What one node says in the issue of a family of its lane."""
    more = {"section": node, "formerMarkers": [f"failure:{node}/v03:cd-failed"], "state": state}
    return issue(world, marker="failure:v03:cd-failed", title="v03: a rollout failed", body=text, **more)


def test_b11_several_nodes_write_one_issue_and_it_is_open_while_one_of_them_has_something(world: GitHubWorld) -> None:
    steps = [
        ("d601", "| `one` |", "open", "open"),
        ("g14", "| `two` |", "open", "open"),
        ("d601", "Nothing of this fails.", "closed", "open"),
        ("g14", "Nothing of this fails.", "closed", "closed"),
        ("d601", "| `three` |", "open", "open"),
    ]
    said: dict[str, str] = {}
    for node, text, state, whole in steps:
        put(world, part(world, node, text, state))
        said[node] = text
        (one,) = world.client().issues(REPO)
        assert (one.number, "open" if one.is_open else "closed") == (1, whole), (node, text)
        assert all(words in one.body for words in said.values()) and one.body.endswith("failure:v03:cd-failed -->")
        assert planned(world, part(world, node, text, state))[0].effect is PreviewEffect.NONE
    world.client("ghp_token-of-alice-0002").update_issue(REPO, 1, {"state": "closed"})
    assert planned(world, part(world, "g14", "Nothing of this fails.", "closed"))[0].effect is PreviewEffect.NONE
    put(world, part(world, "d601", "| `three` |"))
    assert world.client().issues(REPO)[0].is_open, "what somebody closed while it fails is open again"


def test_b11_issues_under_former_markers_become_one(world: GitHubWorld) -> None:
    """Each node kept one of its own: the first that comes takes its one along, the other goes on in that."""
    for node in ("d601", "g14"):
        put(world, issue(world, marker=f"failure:{node}/v03:cd-failed", title=f"{node}/v03: a rollout failed"))
    preview, _ = planned(world, part(world, "d601", "| `one` |"))
    assert preview.effect is PreviewEffect.UPDATE and {str(one.path[0]) for one in preview.fields} == {
        "title",
        "body",
        "marker",
    }
    put(world, part(world, "d601", "| `one` |"))
    first, second = world.client().issues(REPO)
    assert first.title == "v03: a rollout failed" and second.title == "g14/v03: a rollout failed" and second.is_open
    put(world, part(world, "g14", "| `two` |"))
    first, second = world.client().issues(REPO)
    assert "| `one` |" in first.body and "| `two` |" in first.body and first.is_open
    assert not second.is_open and f"#{first.number} goes on" in second.body
