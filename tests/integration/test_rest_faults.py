"""RestObject where answers are lost, servers are busy, redirects lead elsewhere: one effect, no credential astray."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from planner.errors import OutcomeUnknown, PermanentError, TemporaryError
from planner.events import ChangeResult
from planner.executor import ExecutionOptions
from planner.executor.apply_effect import ApplyFailure, apply_with_retries
from planner.plan import Change
from planner.ports import UnreadableObject, Written
from tests.integration.rest_world import TOKEN, Desk
from tests.testbed.listening import listening
from tests.testbed.rest_server import RestServer, rest_server
from tests.unit.executor.executor_fakes import QuickClock

AUTH = {"secret": "ns/s"}


@pytest.fixture
def server() -> Iterator[RestServer]:
    with rest_server(token=TOKEN) as running:
        yield running


@pytest.fixture
def desk(server: RestServer, tmp_path: Path) -> Desk:
    return Desk(server, tmp_path)


def _executed(desk: Desk, change: Change) -> Written | ApplyFailure:
    """As the executor does it, tries and all."""
    return apply_with_retries(change, desk.provider, {}, QuickClock(), ExecutionOptions())


def _names(desk: Desk) -> list[str]:
    return [one["name"] for one in desk.server.objects("groups")]


@pytest.mark.parametrize("fault", ["lost", "cut"])
def test_a_post_whose_answer_is_lost_is_found_by_reading(fault: str, desk: Desk) -> None:
    change = desk.change(desk.resource(auth=AUTH, outputs={"id": "id"}))
    desk.server.fault("POST", fault)
    written = desk.provider.apply(change, {})
    assert written.outputs == {"id": 1} and "answer to the write was lost" in written.warnings[0]
    assert desk.server.count("POST") == 1 and _names(desk) == ["codex"]


def test_a_post_that_may_be_under_way_is_never_sent_again_by_the_same_command(desk: Desk) -> None:
    change = desk.change(desk.resource(auth=AUTH))
    desk.server.fault("POST", "undone")
    done = _executed(desk, change)
    assert isinstance(done, ApplyFailure) and done.result is ChangeResult.UNKNOWN and "not as wanted" in done.message
    with pytest.raises(OutcomeUnknown):
        desk.provider.apply(change, {})
    assert desk.server.count("POST") == 1 and not _names(desk)
    desk.server.put("groups", name="codex")  # it was only slow
    assert desk.provider.apply(change, {}).already and desk.server.count("POST") == 1


def test_a_new_command_reads_and_then_does_what_is_missing(desk: Desk) -> None:
    change = desk.change(desk.resource(auth=AUTH))
    desk.server.fault("POST", "undone")
    _executed(desk, change)
    desk.anew()
    assert isinstance(_executed(desk, change), Written) and _names(desk) == ["codex"]


def test_a_gateway_that_gave_up_has_decided_nothing(desk: Desk) -> None:
    change = desk.change(desk.resource(auth=AUTH))

    def behind_its_back() -> None:
        desk.server.put("groups", name="codex")

    desk.server.fault("POST", (504, {}, {}))
    desk.server.before["GET"] = behind_its_back
    assert isinstance(_executed(desk, change), Written) and _names(desk) == ["codex"]
    desk.server.fault("POST", (502, {}, {}))
    done = _executed(desk, desk.change(desk.resource("other", auth=AUTH)))
    assert isinstance(done, ApplyFailure) and done.result is ChangeResult.UNKNOWN
    assert desk.server.count("POST") == 1 and _names(desk) == ["codex"]


def test_a_list_that_fails_after_a_post_makes_no_second_one(desk: Desk) -> None:
    change = desk.change(desk.resource(auth=AUTH))
    desk.server.before["POST"] = lambda: desk.server.fault("GET", *[(503, {}, {})] * 3)
    done = _executed(desk, change)
    assert isinstance(done, Written) and done.already
    assert desk.server.count("POST") == 1 and _names(desk) == ["codex"]


def test_a_list_that_lags_is_read_again(desk: Desk) -> None:
    change = desk.change(desk.resource(auth=AUTH))
    desk.server.before["POST"] = lambda: desk.server.fault("GET", (200, {}, []), (200, {}, []))
    assert not desk.provider.apply(change, {}).already and desk.server.count("POST") == 1
    desk.server.objects("groups").clear()
    change = desk.change(desk.resource(auth=AUTH))
    desk.server.before["POST"] = lambda: desk.server.fault("GET", *[(200, {}, [])] * 9)
    done = _executed(desk, change)
    assert isinstance(done, ApplyFailure) and done.result is ChangeResult.UNKNOWN and desk.server.count("POST") == 2


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_busy_server_is_asked_again_and_one_object_comes_of_it(status: int, desk: Desk) -> None:
    change = desk.change(desk.resource(auth=AUTH))
    desk.server.fault("POST", (status, {"Retry-After": "7"}, {}))
    with pytest.raises(TemporaryError, match=str(status)) as caught:
        desk.provider.apply(change, {})
    assert caught.value.retry_after == 7.0
    desk.server.fault("POST", (status, {"Retry-After": "soon"}, {}), (status, {"Retry-After": "-1"}, {}))
    assert isinstance(_executed(desk, change), Written)
    assert desk.server.count("POST") == 4 and _names(desk) == ["codex"]


@pytest.mark.parametrize("fault", ["lost", "undone", "cut", (503, {}, {}), (502, {}, {})])
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_a_change_whose_answer_is_lost_is_made_once_or_again(verb: str, fault: Any, desk: Desk) -> None:
    desk.server.put("groups", name="codex", rpm=1, retained=True)
    wanted = desk.resource(body={"rpm": 60}, auth=AUTH, verbs={"update": verb})
    change = desk.change(wanted)
    desk.server.fault(verb, fault)
    assert isinstance(_executed(desk, change), Written) and desk.is_settled(wanted)
    assert desk.server.objects("groups") == [{"id": 1, "name": "codex", "rpm": 60, "retained": True}]


def test_an_update_by_post_is_not_sent_twice_either(desk: Desk) -> None:
    desk.server.put("groups", name="codex", rpm=1)
    change = desk.change(desk.resource(body={"rpm": 60}, auth=AUTH, verbs={"update": "POST"}))
    desk.server.fault("POST", "undone")
    done = _executed(desk, change)
    assert isinstance(done, ApplyFailure) and done.result is ChangeResult.UNKNOWN and desk.server.count("POST") == 1


# --- where credentials go --------------------------------------------------------------------------------------------


@contextmanager
def _listener() -> Iterator[tuple[str, list[bytes]]]:
    """Another host (another port): takes connections, and keeps every byte that it gets."""
    heard: list[bytes] = []

    def hear(peer: socket.socket) -> None:
        peer.settimeout(1.0)
        heard.append(b"connected")
        heard.append(peer.recv(65536))

    with listening(hear) as port:
        yield f"http://127.0.0.1:{port}", heard


def _redirected(url: str, desk: Desk) -> str:
    desk.server.fault("GET", (307, {"Location": f"{url}/api/groups"}, {}))
    seen = desk.seen(desk.resource(auth=AUTH))
    assert isinstance(seen, UnreadableObject)
    return seen.reason


def _redirected_post(url: str, desk: Desk) -> str:
    desk.server.fault("POST", (308, {"Location": f"{url}/api/groups"}, {}))
    with pytest.raises(PermanentError) as caught:
        desk.apply(desk.resource(auth=AUTH))
    return caught.value.message


def _linked(url: str, desk: Desk) -> str:
    desk.server.fault("GET", (200, {"Link": f'<{url}/api/groups?page=2>; rel="next"'}, [{"name": "a"}]))
    seen = desk.seen(desk.resource(auth=AUTH))
    assert isinstance(seen, UnreadableObject)
    return seen.reason


@pytest.mark.parametrize(
    ("lead", "why"),
    [(_redirected, "redirects are not followed"), (_redirected_post, "redirects are not followed"),
     (_linked, "on another host")],
)  # fmt: skip
def test_a_foreign_host_gets_nothing(lead: Callable[[str, Desk], str], why: str, desk: Desk) -> None:
    with _listener() as (url, heard):
        reason = lead(url, desk)
    assert why in reason and TOKEN not in reason and not heard
    assert all(one.headers["Authorization"] == f"Bearer {TOKEN}" for one in desk.server.asked)


def test_another_api_gets_its_own_credential_only(desk: Desk) -> None:
    with rest_server() as other:
        desk.look(desk.resource("a", auth=AUTH), desk.resource("b", baseUrl=f"{other.url}/api"))
        (asked,) = other.asked
        assert "Authorization" not in asked.headers and TOKEN not in str(asked)


@pytest.mark.parametrize("token", ["", "two\nlines", "ended-7f3\n", "n\u00fcll", "\x00"])
def test_a_credential_that_no_header_can_carry_is_refused_unsaid(token: str, desk: Desk) -> None:
    desk.values["token"] = token
    seen = desk.seen(desk.resource(auth=AUTH))
    assert isinstance(seen, UnreadableObject) and "the key token of Secret ns/s cannot stand in a header" in seen.reason
    assert not desk.server.asked and (not token or token.strip() not in seen.reason)


def test_a_secret_that_is_not_there_blocks_and_nothing_is_asked(desk: Desk) -> None:
    seen = desk.seen(desk.resource(auth={"secret": "ns/none", "key": "k", "header": "X-Key", "prefix": ""}))
    assert isinstance(seen, UnreadableObject) and "does not exist" in seen.reason and not desk.server.asked
