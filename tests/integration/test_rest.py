"""RestObject against a real HTTP server: what is read, what is planned, what is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.errors import PermanentError, PreconditionError
from planner.ports import AbsentObject, PresentObject, PreviewEffect, UnreadableObject
from planner.resource import Resource
from planner.values import parse_output_ref
from tests.integration.rest_world import TOKEN, Desk, rows
from tests.testbed.processes import free_ports
from tests.testbed.rest_server import RestServer, rest_server

AUTH = {"secret": "ns/s"}
ENVELOPE: dict[str, Any] = {"list": {"items": "data.items"}, "object": "data"}


@pytest.fixture
def server() -> Iterator[RestServer]:
    with rest_server() as running:
        yield running


@pytest.fixture
def desk(server: RestServer, tmp_path: Path) -> Desk:
    return Desk(server, tmp_path)


def test_an_object_comes_into_being_and_the_second_plan_is_empty(desk: Desk) -> None:
    wanted = desk.resource(body={"limits": {"rpm": 60}, "tags": ["a", "b"]}, outputs={"id": "id", "first": "tags[0]"})
    change = desk.change(wanted)
    assert isinstance(desk.seen(wanted), AbsentObject) and desk.server.count("POST") == 0, "a plan writes nothing"
    assert rows(change) == [
        ("limits", "add", None, {"rpm": 60}),
        ("name", "add", None, "codex"),
        ("tags", "add", None, ["a", "b"]),
    ]
    written = desk.provider.apply(change, {})
    assert (written.uid, written.outputs, written.already) == ("1", {"id": 1, "first": "a"}, False)
    seen = desk.seen(wanted)
    assert isinstance(seen, PresentObject) and seen.content == change.expects and seen.outputs == written.outputs
    assert desk.is_settled(wanted) and desk.provider.apply(change, {}).already and desk.server.count("POST") == 1


def test_only_declared_fields_change_and_types_are_strict(desk: Desk) -> None:
    desk.server.put("groups", name="codex", limits={"rpm": "60", "tpm": 5}, on=1, size=2.0, owner="somebody")
    wanted = desk.resource(body={"limits": {"rpm": 60}, "on": True, "size": 2})
    change = desk.change(wanted)
    assert rows(change) == [("limits.rpm", "change", "60", 60), ("on", "change", 1, True)]
    desk.provider.apply(change, {})
    expected = {"id": 1, "name": "codex", "limits": {"rpm": 60, "tpm": 5}, "on": True, "size": 2, "owner": "somebody"}
    assert desk.server.objects("groups") == [expected] and desk.is_settled(wanted)


def test_every_collection_is_listed_once_however_many_objects_are_wanted(desk: Desk) -> None:
    wanted = [desk.resource(f"g{n}") for n in range(20)]
    wanted += [desk.resource(f"a{n}", path="/accounts") for n in range(20)]
    desk.apply(*wanted)
    desk.server.asked.clear()
    observations, _, changes = desk.look(*wanted)
    assert all(isinstance(one, PresentObject) for one in observations) and not changes
    desk.provider.read(wanted[:5], (), ())  # as when outputs of others are filled in
    assert sorted((one.method, one.path) for one in desk.server.asked) == [
        ("GET", "/api/accounts"),
        ("GET", "/api/groups"),
    ]


PAGES: list[tuple[str, dict[str, Any], bool, int]] = [
    ("page", {"by": "page", "parameter": "page"}, False, 4),
    ("page", {"by": "page", "parameter": "page", "total": "data.total"}, True, 3),
    ("offset", {"by": "offset", "parameter": "offset", "total": "data.total"}, True, 3),
    ("offset", {"by": "offset", "parameter": "offset"}, False, 4),
    ("cursor", {"by": "cursor", "parameter": "cursor", "next": "data.next"}, True, 3),
]


@pytest.mark.parametrize(("paging", "pages", "envelope", "requests"), PAGES)
def test_a_list_is_read_to_its_end(
    paging: str, pages: dict[str, Any], envelope: bool, requests: int, desk: Desk
) -> None:
    desk.server.paging, desk.server.page_size, desk.server.envelope = paging, 2, envelope
    for n in range(6):
        desk.server.put("groups", name=f"g{n}")
    items = {"items": "data.items"} if envelope else {}
    wanted = [desk.resource(f"g{n}", list={**items, "query": {"kind": "a b"}, "pages": pages}) for n in range(7)]
    observations = desk.look(*wanted)[0]
    assert [isinstance(one, PresentObject) for one in observations] == [True] * 6 + [False]
    assert isinstance(observations[6], AbsentObject) and desk.server.count("GET") == requests
    assert all("kind=a%20b" in one.path for one in desk.server.asked)


def test_a_next_page_that_a_link_names_is_followed_without_being_declared(desk: Desk) -> None:
    desk.server.paging, desk.server.page_size = "link", 2
    for n in range(5):
        desk.server.put("groups", name=f"g{n}")
    assert isinstance(desk.seen(desk.resource("g4")), PresentObject) and desk.server.count("GET") == 3


def _json(body: Any, **headers: str) -> tuple[int, dict[str, str], Any]:
    return 200, headers, body


UNREADABLE: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "forbidden": ([(403, {}, {})], {}, "403"),
    "no such collection": ([(404, {}, {})], {}, "404"),
    "broken for long": ([(500, {}, {})] * 3, {}, "500"),
    "busy for long": ([(429, {"Retry-After": "9999999"}, {})] * 3, {}, "429"),
    "silent": (["lost"] * 3, {}, "no whole answer"),
    "cut off": (["cut"] * 3, {}, "no whole answer"),
    "no JSON": ([_json(b"<html>")], {}, "no JSON"),
    "NaN": ([_json(b"[NaN]")], {}, "no JSON"),
    "too deep": ([_json(b"[" * 100_000)], {}, "nested deeper than 200 levels"),
    "half a character": ([_json(b'["\\ud800"]')], {}, "a text in it is no Unicode"),
    "no UTF-8": ([_json(b'["\xff"]')], {}, "it is not UTF-8"),
    "no list": ([_json({"items": []})], {}, "the answer is no list"),
    "list elsewhere": ([_json({"items": []})], ENVELOPE, "no list at data.items"),
    "no objects": ([_json([1])], {}, "no object"),
    "no key in any": ([_json([{"title": "codex"}])], {}, "no listed object has this field"),
    "the same page again": (
        [_json([{"name": "a"}])] * 2, {"list": {"pages": {}}}, "the same page comes again",
    ),
    "no total": (
        [_json({"data": {"items": [{"name": "a"}], "total": "1"}})],
        {"list": {"items": "data.items", "pages": {"total": "data.total"}}}, "no number",
    ),
    "shorter than it says": (
        [_json({"data": {"items": [], "total": 3}})],
        {"list": {"items": "data.items", "pages": {"total": "data.total"}}}, "shorter than it says",
    ),
    "a key of another type": ([_json([{"id": 7, "name": 5}, {"id": 8, "name": "5"}])], {"key": 5}, "7 and 8"),
    "a number for a text": ([_json([{"id": 7, "name": 5}])], {"key": "5"}, "a whole number there, and a text"),
    "one key twice": ([_json([{"id": 7, "name": "codex"}, {"id": 9, "name": "codex"}])], {}, "7 and 9"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_never_absent(case: str, desk: Desk) -> None:
    faults, spec, why = UNREADABLE[case]
    desk.server.fault("GET", *faults)
    wanted = desk.resource("x", {"name": spec["key"]}) if "key" in spec else desk.resource(**spec)
    seen, previews, changes = desk.look(wanted)
    assert isinstance(seen[0], UnreadableObject) and why in seen[0].reason and seen[0].reason.isprintable(), seen
    assert previews == [None] and not changes


def test_wrong_tokens_tls_and_nobody_are_unreadable_too(desk: Desk) -> None:
    desk.server.token = "another"
    (port,) = free_ports(1)
    wanted = [
        desk.resource("a", auth=AUTH),
        desk.resource("b", baseUrl=desk.server.url.replace("http:", "https:")),
        desk.resource("c", baseUrl=f"http://127.0.0.1:{port}"),
        desk.resource("d", baseUrl="http://no.such.invalid"),
    ]
    reasons = [one.reason for one in desk.look(*wanted)[0] if isinstance(one, UnreadableObject)]
    assert ["401" in reasons[0], "TLS" in reasons[1], "refused" in reasons[2], "name" in reasons[3]] == [True] * 4


def test_a_short_storm_is_waited_out(desk: Desk) -> None:
    desk.server.fault("GET", (503, {}, {}), (429, {"Retry-After": "1"}, {}))
    assert isinstance(desk.seen(desk.resource()), AbsentObject)


def test_two_resources_of_one_object_are_blocked_both(desk: Desk) -> None:
    first, second = desk.resource("a", {"name": "same"}), desk.resource("b", {"name": "same"})
    _, previews, changes = desk.look(first, second)
    assert not changes and all(one and "declares the same object" in one.blocked for one in previews)


@pytest.mark.parametrize("somebody", ["changes", "deletes", "makes it anew"])
def test_a_stale_plan_changes_nothing(somebody: str, desk: Desk) -> None:
    one = desk.server.put("groups", name="codex", rpm=1, seen=0)
    change = desk.change(desk.resource(body={"rpm": 60}))
    desk.server.objects("groups").clear()
    if somebody == "changes":
        desk.server.put("groups", **{**one, "rpm": 5})
    elif somebody == "makes it anew":
        desk.server.put("groups", **{**one, "id": 2})
    before = json.dumps(desk.server.collections)
    with pytest.raises(PreconditionError, match="not as the plan saw it"):
        desk.provider.apply(change, {})
    assert json.dumps(desk.server.collections) == before and desk.server.count("PUT") == 0


def test_an_object_that_turned_up_is_not_touched(desk: Desk) -> None:
    change = desk.change(desk.resource(body={"rpm": 60}))
    desk.server.put("groups", name="codex", rpm=1)
    with pytest.raises(PreconditionError, match="is there"):
        desk.provider.apply(change, {})
    assert desk.server.count("POST") == 0


def test_a_document_that_is_not_the_one_of_the_plan_is_refused(desk: Desk) -> None:
    change = desk.change(desk.resource(body={"rpm": 60}))
    other = desk.resource(body={"rpm": 61}).manifest
    with pytest.raises(PreconditionError, match="not the one that was planned"):
        desk.provider.apply(replace(change, desired=other), {})
    assert desk.server.count("POST") == 0


def test_a_field_that_nobody_declared_makes_no_plan_stale(desk: Desk) -> None:
    one = desk.server.put("groups", name="codex", rpm=1, used=0)
    wanted = desk.resource(body={"rpm": 60})
    change = desk.change(wanted)
    one["used"] = 17
    desk.provider.apply(change, {})
    assert desk.server.objects("groups")[0]["used"] == 17 and desk.is_settled(wanted)


def test_whoever_writes_in_between_is_not_overwritten(desk: Desk) -> None:
    one = desk.server.put("groups", name="codex", rpm=1, used=0)
    change = desk.change(desk.resource(body={"rpm": 60}))
    desk.server.before["PUT"] = lambda: one.update(used=17)
    with pytest.raises(PreconditionError, match="412"):
        desk.provider.apply(change, {})
    assert (one["rpm"], one["used"]) == (1, 17)
    change = desk.change(desk.resource("new"))
    desk.server.before["POST"] = lambda: desk.server.put("groups", name="new", theirs=True)
    desk.provider.apply(change, {})  # it is as wanted: whoever made it
    assert desk.server.count("POST") == 1 and desk.server.objects("groups")[1]["theirs"]


@pytest.mark.parametrize("merges", [True, False])
def test_a_patch_sends_what_changes_and_keeps_the_rest(merges: bool, desk: Desk) -> None:
    desk.server.merges = merges
    desk.server.put("groups", name="codex", limits={"rpm": 1, "tpm": 5}, plan="a", made="yesterday")
    verbs = {"update": "PATCH", "patchType": "application/merge-patch+json"}
    wanted = desk.resource(body={"limits": {"rpm": 60}, "plan": "a"}, verbs=verbs)
    desk.apply(wanted)
    (sent,) = [one for one in desk.server.asked if one.method == "PATCH"]
    assert json.loads(sent.body) == {"limits": {"rpm": 60, "tpm": 5}}
    assert sent.headers["Content-Type"] == "application/merge-patch+json" and sent.headers["If-Match"]
    assert desk.server.objects("groups")[0]["limits"] == {"rpm": 60, "tpm": 5} and desk.is_settled(wanted)


def test_what_the_api_does_not_take_is_not_sent_back(desk: Desk) -> None:
    desk.server.put("groups", name="codex", rpm=1, made="yesterday", owner={"id": 4, "name": "me"})
    desk.apply(desk.resource(body={"rpm": 60}, omit=["id", "made", "owner.name"]))
    (sent,) = [one for one in desk.server.asked if one.method == "PUT"]
    assert json.loads(sent.body) == {"name": "codex", "rpm": 60, "owner": {"id": 4}}


def test_a_put_creates_at_the_objects_own_path(desk: Desk) -> None:
    wanted = desk.resource("own", {"id": "a/../b c"}, key="id", verbs={"create": "PUT"})
    desk.apply(wanted)
    (sent,) = [one for one in desk.server.asked if one.method == "PUT"]
    assert sent.path == "/api/groups/a%2F..%2Fb%20c" and sent.headers["If-None-Match"] == "*"
    assert desk.is_settled(wanted)


def test_details_are_asked_for_where_the_list_is_short_of_fields(desk: Desk) -> None:
    desk.server.hidden_in_lists, desk.server.envelope = ("rpm",), True
    wanted = desk.resource(body={"rpm": 60}, details=True, **ENVELOPE)
    desk.apply(wanted)
    assert desk.is_settled(wanted)
    short = desk.resource(body={"rpm": 60}, **ENVELOPE)
    with pytest.raises(PermanentError, match=r"other values in rpm") as caught:
        desk.apply(short)
    assert "spec.details" in caught.value.remedy


def test_an_api_without_a_path_for_one_object_can_be_written(desk: Desk) -> None:
    desk.server.item_route = False
    desk.server.put("groups", name="codex", rpm=1, retained=True)
    wanted = desk.resource(body={"rpm": 60})
    desk.apply(wanted)
    assert desk.server.objects("groups")[0]["retained"] and desk.is_settled(wanted)


def test_a_weak_tag_is_no_precondition(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.server, "etag", lambda _one: 'W/"1"')
    desk.server.put("groups", name="codex", rpm=1)
    desk.apply(desk.resource(body={"rpm": 60}))
    assert not any("If-Match" in one.headers for one in desk.server.asked)


def test_an_id_that_is_no_text_makes_the_answer_unreadable(desk: Desk) -> None:
    desk.server.objects("groups").append({"id": "\ud800", "name": "codex", "rpm": 1})
    seen = desk.seen(desk.resource(body={"rpm": 60}))
    assert isinstance(seen, UnreadableObject) and "no Unicode" in seen.reason


@pytest.mark.parametrize("identifier", ["..", ".", "", None, True])
def test_ids_that_lead_elsewhere_are_refused(identifier: Any, desk: Desk) -> None:
    desk.server.objects("groups").append({"id": identifier, "name": "codex", "rpm": 1})
    wanted = desk.resource(body={"rpm": 60})
    _, previews, changes = desk.look(wanted)
    if not changes:
        assert previews[0] and "shows no id" in previews[0].blocked
        return
    with pytest.raises(PermanentError, match="cannot stand in a path"):
        desk.provider.apply(changes[0], {})
    assert all(one.path == "/api/groups" for one in desk.server.asked)


def test_the_servers_own_reason_is_told(desk: Desk) -> None:
    with pytest.raises(PermanentError, match='422: "this name is taken by the house"'):
        desk.apply(desk.resource("refused"))
    desk.server.fault("POST", (422, {}, {"error": {"message": f"no {TOKEN}\x1b[31m"}}))
    desk.server.token = TOKEN
    with pytest.raises(PermanentError, match=r"422$"):
        desk.apply(desk.resource(auth=AUTH))
    desk.server.fault("POST", (302, {"Location": "/else"}, {}))
    with pytest.raises(PermanentError, match="redirects are not followed"):
        desk.apply(desk.resource(auth=AUTH))


def _with_body(resource: Resource, **body: Any) -> Resource:
    spec = resource.manifest["spec"]
    resource.manifest["spec"] = {**spec, "body": {**spec["body"], **body}}
    return resource


def test_what_waits_for_an_output_is_planned_and_not_asked_for(desk: Desk) -> None:
    ref = parse_output_ref("GitHead/source#short")
    by_key = _with_body(desk.resource(), name=ref)
    assert isinstance(desk.seen(by_key), AbsentObject) and not desk.server.asked
    assert rows(desk.preview(by_key)) == [("name", "add", None, ref)]
    desk.server.put("groups", name="codex", commit="old")
    open_field = _with_body(desk.resource(), commit=ref)
    change = desk.change(open_field)
    assert rows(change) == [("commit", "change", "old", ref)] and change.expects == ""
    with pytest.raises(PermanentError, match="still unknown"):
        desk.provider.apply(change, {})
    assert desk.preview(by_key).effect is PreviewEffect.CREATE and desk.server.count("PUT") == 0
