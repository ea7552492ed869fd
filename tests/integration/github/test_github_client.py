"""The client of GitHub: conditional requests, whole lists, limits, one write a second, credentials (P1, P18)."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from planner.errors import OutcomeUnknown, PermanentError, TemporaryError
from planner.redaction.redactor import REDACTOR
from providers.github.credentials import AnonymousCredential, GitHubAppCredential, TokenFileCredential
from tests.integration.github.github_world import REPO, GitHubWorld
from tests.testbed.github_server import BOT, BOT_TOKEN, PERSON, Fault


def test_p01_every_page_is_read_and_the_list_is_of_the_base_alone(world: GitHubWorld) -> None:
    head = world.branch()
    world.branch("other")
    with world.github.stored() as rows:
        rows.data["pulls"] = [
            {"id": n, "number": n, "title": f"Change {n}", "author": PERSON, "state": "open", "labels": [],
             "head": "feature", "base": "main" if n % 2 else "other", "created_at": "2026-01-01T00:00:00Z",
             "updated_at": "2026-01-01T00:00:00Z"} for n in range(1, 401)
        ]  # fmt: skip
    client = world.client()
    assert [one.number for one in client.open_pulls(REPO)] == list(range(1, 401))
    assert world.github.count("GET", "/pulls$") == 4
    mine = client.open_pulls(REPO, "main")
    assert {one.base_branch for one in mine} == {"main"} and len(mine) == 200 and mine[0].head == head


@pytest.mark.parametrize(
    "fault",
    [Fault("status", code=502, skip=2, times=99), Fault("cut", skip=2, times=99), Fault("status", code=404, skip=3)],
)
def test_p01_a_page_that_fails_is_no_list(world: GitHubWorld, fault: Fault) -> None:
    world.branch()
    for _ in range(5):
        world.github.open_pull("feature")
    with world.github.stored() as rows:
        first = rows.rows("pulls")
        rows.data["pulls"] = [{**first[n % 5], "number": n + 1} for n in range(400)]
    world.github.faults = [fault]
    with pytest.raises((TemporaryError, PermanentError)):
        world.client().open_pulls(REPO)


def test_p01_a_page_that_fails_once_is_asked_again(world: GitHubWorld) -> None:
    world.pull()
    world.github.faults = [Fault("status", code=503), Fault("lose-answer", skip=1)]
    client = world.client()
    assert len(client.open_pulls(REPO)) == 1 and len(client.open_pulls(REPO)) == 1
    assert len(world.pauses) == 2


def test_p18_what_did_not_change_is_not_sent_again(world: GitHubWorld) -> None:
    number, _ = world.pull()
    world.github.remaining = 100
    client = world.client()
    first = client.pull(REPO, number)
    left = world.github.remaining
    assert client.pull(REPO, number) == first
    assert world.github.log[-1].status == 304 and world.github.remaining == left
    world.branch("feature", {"more.txt": "more\n"})
    assert client.pull(REPO, number).head != first.head


def test_p18_at_most_one_write_a_second(world: GitHubWorld) -> None:
    number, _ = world.pull()
    client = world.client()
    for n in range(3):
        client.create_comment(REPO, number, f"comment {n}")
    assert world.pauses == [1.0, 1.0]


def test_p18_retry_after_is_obeyed_and_the_write_is_made_once(world: GitHubWorld) -> None:
    number, _ = world.pull()
    limit = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    world.github.faults = [
        Fault("status", "POST", code=403, headers={"Retry-After": "17"}, message=limit),
        Fault("status", "POST", code=429, message=limit),
    ]
    world.client().create_comment(REPO, number, "once")
    assert 17.0 in world.pauses
    assert [one.body["body"] for one in world.github.log if one.status == 201] == ["once"]


def test_p18_a_limit_that_takes_too_long_is_an_error_that_says_how_long(world: GitHubWorld) -> None:
    world.github.remaining, world.github.resets_in = 0, 1800.0
    with pytest.raises(TemporaryError, match="limit") as failed:
        world.client().open_pulls(REPO)
    assert 1700 < failed.value.retry_after < 1900 and not world.pauses


@pytest.mark.parametrize("skew", [-7200.0, 7200.0])
def test_p18_a_wrong_clock_changes_no_pause(world: GitHubWorld, skew: float) -> None:
    world.github.remaining, world.github.resets_in, world.github.skew = 0, 1800.0, skew
    with pytest.raises(TemporaryError) as failed:
        world.client().open_pulls(REPO)
    assert 1700 < failed.value.retry_after < 1900


def test_p18_the_quota_is_known_after_any_answer(world: GitHubWorld) -> None:
    world.github.remaining = 42
    client = world.client()
    client.open_pulls(REPO)
    assert client.connection.quota is not None and client.connection.quota.remaining == 41


def test_p18_every_request_names_the_version_of_the_api(world: GitHubWorld) -> None:
    number, head = world.pull()
    client = world.client()
    client.open_pulls(REPO)
    client.set_status(REPO, head, "lane", "success", "")
    client.merge(REPO, number, head, "merge")
    assert {one.headers["X-GitHub-Api-Version"] for one in world.github.log} == {"2022-11-28"}


@pytest.mark.parametrize("action", ["lose-answer", "lose-request", "cut"])
def test_a_write_whose_answer_is_lost_is_never_sent_twice(world: GitHubWorld, action: str) -> None:
    number, _ = world.pull()
    world.github.faults = [Fault(action, "POST", times=9)]  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        world.client().create_comment(REPO, number, "once")
    assert world.github.count("POST") == 1


def test_facts_of_a_commit(world: GitHubWorld) -> None:
    _, head = world.pull()
    world.github.add_check(head, "build", "skipped")
    world.github.add_check(head, "lint", "startup_failure")
    world.github.add_check(head, "slow", None)
    client, other = world.client(), world.client("ghp_token-of-alice-0002")
    client.set_status(REPO, head, "lane", "pending", "first")
    other.set_status(REPO, head, "lane", "error", "not mine")
    found = {one.name: one.state for one in client.checks(REPO, head)}
    assert found == {"build": "success", "lint": "failure", "slow": "pending", "lane": "failure"}
    assert [(one.name, one.author) for one in client.statuses(REPO, head)] == [("lane", PERSON)]


def test_rules_and_comparison(world: GitHubWorld) -> None:
    _, head = world.pull(files={"a.txt": "a", "b.txt": "b"})
    with world.github.stored() as rows:
        rows.data.update(required={"main": ["ci", "lint"]}, strict=["main"])
    client = world.client()
    rules, found = client.branch_rules(REPO, "main"), client.compare(REPO, "main", head)
    assert rules.contexts == ("ci", "lint") and rules.strict
    assert (found.ahead, found.behind, found.files) == (1, 0, ("a.txt", "b.txt"))


def test_the_token_is_in_the_header_and_nowhere_else(world: GitHubWorld, tmp_path: Path) -> None:
    number, _ = world.pull()
    client = world.client()
    assert client.login() == BOT
    client.create_comment(REPO, number, "hello")
    assert {one.headers["Authorization"] for one in world.github.log} == {f"Bearer {BOT_TOKEN}"}
    assert all(BOT_TOKEN not in f"{one.path}{one.query}{one.body}" for one in world.github.log)
    assert BOT_TOKEN not in repr(client) and "(secret)" in REDACTOR.clean(f"x {BOT_TOKEN} y")
    world.github.tokens.clear()
    with pytest.raises(PermanentError, match="401") as refused:
        world.client().pull(REPO, number)
    assert BOT_TOKEN not in f"{refused.value} {vars(refused.value)}"


def test_a_token_that_was_renewed_is_read_again(world: GitHubWorld, tmp_path: Path) -> None:
    number, _ = world.pull()
    path = tmp_path / "renewed"
    path.write_text("ghp_an-old-token-that-is-gone\n")
    client = world.client_of(TokenFileCredential(path))
    with pytest.raises(PermanentError, match="401"):
        client.pull(REPO, number)
    path.write_text(BOT_TOKEN + "\n")
    assert client.pull(REPO, number).number == number


@pytest.mark.parametrize("content", ["", "two\nlines", "a b"])
def test_a_file_that_holds_no_token(world: GitHubWorld, tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd"
    path.write_text(content)
    with pytest.raises(PermanentError, match="no token") as refused:
        world.client_of(TokenFileCredential(path)).open_pulls(REPO)
    assert refused.value.remedy and not world.github.log


def test_without_a_token_what_is_public_can_be_read(world: GitHubWorld) -> None:
    number, _ = world.pull()
    client = world.client_of(AnonymousCredential())
    assert client.pull(REPO, number).author == PERSON
    with pytest.raises(PermanentError, match="401"):
        client.create_comment(REPO, number, "hello")


@pytest.mark.parametrize("skew", [0.0, -3600.0, 3600.0])  # the first answer tells the server's time
def test_an_app_signs_with_its_key(world: GitHubWorld, tmp_path: Path, skew: float) -> None:
    key = tmp_path / "app.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    words = ["openssl", "rsa", "-in", str(key), "-pubout"]
    world.github.app = ("deployer", subprocess.run(words, check=True, capture_output=True).stdout)
    world.github.skew = skew
    number, _ = world.pull()
    client = world.client_of(GitHubAppCredential("12", 34, key))
    assert client.login() == "deployer[bot]"
    assert client.create_comment(REPO, number, "hello").author == "deployer[bot]"
    assert world.github.count("POST", "access_tokens") == 1
    key.write_text("no key")
    with pytest.raises(PermanentError, match="no private key"):
        world.client_of(GitHubAppCredential("12", 34, key)).login()


def test_threads_share_a_client(world: GitHubWorld) -> None:
    number, _ = world.pull()
    client = world.client()
    threads = [threading.Thread(target=client.create_comment, args=(REPO, number, f"c{n}")) for n in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(client.comments(REPO, number)) == 5 and len(world.pauses) == 4
