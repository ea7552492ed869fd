"""Secret fields of RestObjects: what is compared, what is sent, what is shown, and that no value is found anywhere."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from planner.errors import HwplanError, PermanentError, PreconditionError
from planner.plan import ClusterIdentity, Plan, Selection
from planner.plan_bytes import dump_plan
from planner.ports import PresentObject, PreviewEffect, UnreadableObject
from planner.resource import Resource
from tests.integration.rest_world import API_KEY, TOKEN, Desk, rows
from tests.testbed.rest_server import RestServer, rest_server
from tests.unit.kubernetes.world import PRINTS

KEY = {"secret": "ns/s", "key": "key"}
AUTH = {"secret": "ns/s"}
PRINT = PRINTS.fingerprint(API_KEY.encode())


@pytest.fixture
def server() -> Iterator[RestServer]:
    with rest_server(token=TOKEN, masked=("api_key",)) as running:
        yield running


@pytest.fixture
def desk(server: RestServer, tmp_path: Path) -> Desk:
    return Desk(server, tmp_path)


def _wanted(desk: Desk, body: dict[str, Any] | None = None, **spec: Any) -> Resource:
    return desk.resource(body=body, **{"auth": AUTH, "secrets": {"api_key": KEY}, **spec})


def test_a_masked_secret_is_sent_and_never_makes_a_loop(desk: Desk) -> None:
    wanted = _wanted(desk, {"rpm": 1})
    change = desk.change(wanted)
    assert rows(change) == [("api_key", "add", None, PRINT), ("name", "add", None, "codex"), ("rpm", "add", None, 1)]
    desk.provider.apply(change, {})
    assert desk.server.objects("groups")[0]["api_key"] == API_KEY and desk.is_settled(wanted)
    assert any("a new value of api_key is not noticed" in warning for warning in desk.preview(wanted).warnings)


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_without_a_note_a_new_value_goes_along_with_another_change(verb: str, desk: Desk) -> None:
    desk.apply(_wanted(desk, {"rpm": 1}))
    desk.values["key"] = "new-" + API_KEY
    assert desk.is_settled(_wanted(desk, {"rpm": 1}))
    wanted = _wanted(desk, {"rpm": 2}, verbs={"update": verb})
    new = PRINTS.fingerprint(f"new-{API_KEY}".encode())
    assert rows(desk.change(wanted)) == [("rpm", "change", 1, 2), ("api_key", "change", "(hidden)", new)]
    desk.apply(wanted)
    assert desk.server.objects("groups")[0]["api_key"] == "new-" + API_KEY and desk.is_settled(wanted)


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_a_note_lets_a_new_value_be_noticed(verb: str, desk: Desk) -> None:
    wanted = _wanted(desk, {"rpm": 1}, fingerprints="notes", verbs={"update": verb})
    desk.apply(wanted)
    assert desk.is_settled(wanted) and not any("not noticed" in one for one in desk.preview(wanted).warnings)
    note = desk.server.objects("groups")[0]["notes"]
    assert note.startswith("hwplan sha256:") and len(note) == 30
    desk.values["key"] = "new-" + API_KEY
    change = desk.change(wanted)
    assert [row[0] for row in rows(change)] == ["notes", "api_key"]
    desk.provider.apply(change, {})
    assert desk.server.objects("groups")[0]["api_key"] == "new-" + API_KEY and desk.is_settled(wanted)
    desk.server.objects("groups")[0]["rpm"] = 9
    assert [row[0] for row in rows(desk.change(wanted))] == ["rpm"], "a value that did not change is no news"


def test_a_field_that_is_answered_not_at_all_or_inside_another(desk: Desk) -> None:
    desk.server.hidden = ("auth",)
    wanted = _wanted(desk, secrets={"auth.user.pass": KEY}, fingerprints="meta.note")
    desk.apply(wanted)
    one = desk.server.objects("groups")[0]
    assert one["auth"] == {"user": {"pass": API_KEY}} and set(one["meta"]) == {"note"} and desk.is_settled(wanted)


def test_a_readable_secret_is_compared_by_its_fingerprint(desk: Desk) -> None:
    desk.server.masked = ()
    wanted = _wanted(desk, secrets={"api_key": {**KEY, "readable": True}})
    desk.apply(wanted)
    seen = desk.seen(wanted)
    assert desk.is_settled(wanted) and isinstance(seen, PresentObject) and API_KEY not in repr((seen, seen.value))
    desk.server.objects("groups")[0]["api_key"] = "theirs"
    assert rows(desk.change(wanted)) == [("api_key", "change", PRINTS.fingerprint(b"theirs"), PRINT)]
    desk.apply(wanted)
    assert desk.server.objects("groups")[0]["api_key"] == API_KEY and desk.is_settled(wanted)


def test_a_mask_that_was_declared_readable_is_told_at_the_first_apply(desk: Desk) -> None:
    wanted = _wanted(desk, secrets={"api_key": {**KEY, "readable": True}})
    with pytest.raises(PermanentError, match="other values in api_key") as caught:
        desk.apply(wanted)
    assert "take `readable` away" in caught.value.remedy


def test_a_value_that_moved_since_the_plan_is_not_sent(desk: Desk) -> None:
    change = desk.change(_wanted(desk))
    desk.values["key"] = "moved"
    with pytest.raises(PreconditionError, match="not the one that the plan was made with"):
        desk.provider.apply(change, {})
    assert desk.server.count("POST") == 0
    desk.values["key"] = API_KEY
    assert not desk.provider.apply(change, {}).already, "it was refused before anything was sent"


def test_a_secret_that_cannot_be_read_yet(desk: Desk) -> None:
    wanted = _wanted(desk, secrets={"api_key": {"secret": "ns/s", "key": "later"}}, fingerprints="notes")
    preview, change = desk.preview(wanted), desk.change(wanted)
    assert preview.effect is PreviewEffect.CREATE and not preview.blocked and preview.expects == ""
    assert any("cannot be read yet" in warning for warning in preview.warnings)
    with pytest.raises(PermanentError, match="a secret cannot be read"):
        desk.provider.apply(change, {})
    assert desk.server.count("POST") == 0
    desk.values["later"] = API_KEY
    desk.provider.apply(change, {})
    assert desk.is_settled(wanted)
    del desk.values.by_ref["kubernetes:ns/s#later"]
    assert "cannot be read" in desk.preview(wanted).blocked, "whether it changed cannot be determined"


def test_bytes_that_are_no_text_are_refused(desk: Desk) -> None:
    desk.values["key"] = b"\xff" + API_KEY.encode()
    with pytest.raises(PermanentError, match="is no text") as caught:
        desk.apply(_wanted(desk))
    assert desk.server.count("POST") == 0 and API_KEY not in "".join(traceback.format_exception(caught.value))


def test_the_servers_words_are_not_told_after_a_secret_was_sent(desk: Desk) -> None:
    desk.server.fault("POST", (422, {}, {"detail": f"{API_KEY} is no key"}))
    with pytest.raises(PermanentError, match=r"422$"):
        desk.apply(_wanted(desk))


def _forms(secret: str) -> set[str]:
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], raw.hex(), secret[::-1]}
    return found | {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}


def _echoing() -> tuple[int, dict[str, str], Any]:
    """The rudest answer: everything that was sent, in every place of a message."""
    said = f"{TOKEN} {API_KEY} {base64.b64encode(TOKEN.encode()).decode()} {TOKEN.encode().hex()}"
    return 422, {"X-Echo": said}, {"detail": said, "message": said, "error": {"message": said}}


def test_no_secret_is_found_in_anything(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reported: list[str] = []
    faults: list[Any] = [_echoing(), (500, {}, {"detail": API_KEY}), "undone", (302, {"Location": f"/{TOKEN}"}, {})]
    for spec in ({}, {"fingerprints": "notes"}, {"secrets": {"api_key": {**KEY, "readable": True}}}):
        desk.server.collections.clear()
        wanted = _wanted(desk, **spec)
        seen, previews, changes = desk.look(wanted)
        plan = Plan(Selection(), ClusterIdentity("uid", "server"), "c", "l", tuple(changes))
        reported += [repr((seen, previews, changes, wanted)), dump_plan(plan).decode(), repr(desk.provider)]
        reported += [
            repr([one.desired for one in changes]),
            repr([one.value for one in seen if isinstance(one, PresentObject)]),
        ]
        for fault in faults:
            desk.server.fault("POST", fault)
            desk.anew()
            try:
                reported.append(repr(desk.provider.apply(changes[0], {})))
            except HwplanError as error:
                reported += ["".join(traceback.format_exception(error)), error.where, error.remedy]
        try:
            reported.append(repr(desk.apply(wanted)))
        except HwplanError as error:
            reported.append("".join(traceback.format_exception(error)))
    desk.server.fault("GET", (401, {}, {"detail": TOKEN}))
    unreadable = desk.seen(_wanted(desk))
    assert isinstance(unreadable, UnreadableObject) and desk.server.count("POST") > 9
    reported += [repr(unreadable), caplog.text]
    found = [form for text in reported for secret in (TOKEN, API_KEY) for form in _forms(secret) if form in text]
    assert not found
