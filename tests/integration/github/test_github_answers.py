"""Every answer of the local GitHub is as GitHub's published description says."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.integration.github.github_world import REPO, GitHubWorld
from tests.testbed.fixtures import part
from tests.testbed.github_openapi import description, problems
from tests.testbed.github_server import BOT_TOKEN, Fault

Json = Any
GONE = "0" * 40


@pytest.fixture(scope="session", autouse=True)
def _published() -> None:
    with part():
        description()


def ask(world: GitHubWorld, method: str, path: str, body: Json = None, *, good: int = 200) -> Json:
    """The document of an answer, held against the description."""
    headers = {"Authorization": f"Bearer {BOT_TOKEN}", "X-GitHub-Api-Version": "2022-11-28"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(world.github.url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    document = json.loads(text) if text else None
    assert status == good, document
    assert problems(method, path.partition("?")[0], status, document) == []
    return document


def test_readings_are_as_described(world: GitHubWorld) -> None:
    number, head = world.pull()
    world.github.add_check(head)
    world.github.add_check(head, "slow", None)
    world.github.add_review(number, "bob", "APPROVED", head)
    base = f"/repos/{REPO}"
    with world.github.stored() as rows:
        rows.data["required"] = {"main": ["ci"]}
        rows.rows("pulls")[0]["labels"] = ["urgent"]
    assert len(ask(world, "GET", f"{base}/pulls?state=open&base=main")) == 1
    assert ask(world, "GET", f"{base}/pulls/{number}")["mergeable_state"] == "unstable"
    assert ask(world, "GET", f"{base}/pulls/{number}/reviews")[0]["commit_id"] == head
    assert ask(world, "GET", f"{base}/commits/{head}/check-runs")["total_count"] == 2
    assert ask(world, "GET", f"{base}/commits/{head}/status")["state"] == "pending"
    assert ask(world, "GET", f"{base}/issues?state=all")[0]["pull_request"]
    assert ask(world, "GET", f"{base}/branches/main")["protected"] is True
    assert ask(world, "GET", f"{base}/rules/branches/main")[0]["type"] == "required_status_checks"
    assert ask(world, "GET", f"{base}/compare/main...{head}")["ahead_by"] == 1
    for path in ("/rate_limit", "/user"):
        ask(world, "GET", path)


def test_writings_are_as_described(world: GitHubWorld) -> None:
    number, head = world.pull()
    base = f"/repos/{REPO}"
    comment = ask(world, "POST", f"{base}/issues/{number}/comments", {"body": "one"}, good=201)
    ask(world, "PATCH", f"{base}/issues/comments/{comment['id']}", {"body": "two"})
    assert ask(world, "GET", f"{base}/issues/{number}/comments")[0]["body"] == "two"
    ask(world, "DELETE", f"{base}/issues/comments/{comment['id']}", good=204)
    issue = ask(world, "POST", f"{base}/issues", {"title": "broken", "body": "b", "labels": ["hwplan"]}, good=201)
    ask(world, "PATCH", f"{base}/issues/{issue['number']}", {"state": "closed"})
    ask(world, "GET", f"{base}/issues/{issue['number']}")
    ask(world, "POST", f"{base}/issues/{number}/labels", {"labels": ["hold"]})
    assert ask(world, "GET", f"{base}/issues/{number}/labels")[0]["name"] == "hold"
    ask(world, "DELETE", f"{base}/issues/{number}/labels/hold")
    ask(world, "POST", f"{base}/statuses/{head}", {"state": "success", "context": "lane", "description": "d"}, good=201)
    assert ask(world, "GET", f"{base}/commits/{head}/statuses")[0]["context"] == "lane"
    assert ask(world, "GET", f"{base}/commits/{head}/status")["state"] == "success"
    assert ask(world, "PUT", f"{base}/pulls/{number}/merge", {"sha": head})["merged"] is True
    assert ask(world, "GET", f"{base}/pulls/{number}")["merged_by"]["login"] == "hwplan-bot"


def test_refusals_are_as_described(world: GitHubWorld) -> None:
    number, head = world.pull()
    base = f"/repos/{REPO}"
    merge = f"{base}/pulls/{number}/merge"
    assert "Head branch was modified" in ask(world, "PUT", merge, {"sha": GONE}, good=409)["message"]
    ask(world, "PUT", merge, {"sha": head, "merge_method": "octopus"}, good=422)
    with world.github.stored() as rows:
        rows.data["allowed_methods"] = ["squash"]
    assert "not allowed" in ask(world, "PUT", merge, {"sha": head}, good=405)["message"]
    other, conflicting = world.pull("conflict", {"app.py": "ours\n"})
    world.bare.write("refs/heads/main", {"app.py": "theirs\n"}, "theirs")
    words = {"sha": conflicting, "merge_method": "squash"}
    assert (
        ask(world, "PUT", f"{base}/pulls/{other}/merge", words, good=405)["message"] == "Pull Request is not mergeable"
    )
    ask(world, "GET", f"{base}/pulls/999", good=404)
    ask(world, "GET", "/repos/no/where/pulls/1", good=404)
    ask(world, "POST", f"{base}/issues", {"title": ""}, good=422)
    world.github.faults = [Fault("status", code=502)]
    ask(world, "GET", f"{base}/pulls", good=502)


def test_an_answer_that_is_not_as_described_is_seen() -> None:
    assert problems("GET", "/rate_limit", 200, {"rate": {}})
    assert problems("PUT", f"/repos/{REPO}/pulls/1/merge", 200, {"merged": "yes", "sha": "x", "message": "m"})
    assert problems("GET", f"/repos/{REPO}/nothing", 200, {})
    assert problems("PUT", f"/repos/{REPO}/pulls/1/merge", 418, {})
