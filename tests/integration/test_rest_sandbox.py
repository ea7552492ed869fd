"""RestObjects of a sandbox: the same provider over a file, also where many write at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from planner.errors import PermanentError
from providers.rest.object_spec import RestCollection
from providers.rest.provider import RestProvider
from providers.rest.rest_api import RestWriteRequest
from providers.rest.sandbox_api import SandboxRestApi
from providers.rest.secret_values import RestSecretValues
from tests.integration.rest_world import API_KEY, Desk, Values
from tests.testbed.rest_server import rest_server
from tests.unit.kubernetes.world import PRINTS

GROUPS = RestCollection("https://api.example", "/groups", "/groups/{id}", ("id",))


def _write(method: str, identifier: str = "", **body: object) -> RestWriteRequest:
    return RestWriteRequest(method, dict(body), identifier, creates=not identifier)


def test_writers_at_the_same_moment_lose_nothing(tmp_path: Path) -> None:
    secrets = RestSecretValues(Values(), PRINTS, simulated=True)
    apis = [SandboxRestApi(tmp_path / "rest.yaml") for _ in range(4)]  # as of several commands
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: apis[n % 4].write(GROUPS, _write("POST", name=f"g{n}"), secrets), range(24)))
    objects = apis[0].list(GROUPS)
    assert sorted(one["id"] for one in objects) == list(range(1, 25))
    assert {one["name"] for one in objects} == {f"g{n}" for n in range(24)}
    assert [path.name for path in tmp_path.iterdir()] == ["rest.yaml"]


@pytest.mark.parametrize("readable", [True, False])
def test_secrets_stand_there_as_fingerprints_and_are_compared_all_the_same(readable: bool, tmp_path: Path) -> None:
    path = tmp_path / "rest.yaml"
    secrets = {"a.key": {"secret": "ns/s", "key": "key", "readable": readable}}
    note: dict[str, Any] = {} if readable else {"fingerprints": "notes"}
    with rest_server() as nobody:
        desk = Desk(nobody, tmp_path, stored=path)
        wanted = desk.resource(auth={"secret": "ns/none"}, details=True, secrets=secrets, **note)
        desk.apply(wanted)
        assert desk.is_settled(wanted) and PRINTS.fingerprint(API_KEY.encode()) in path.read_text()
        desk.values["key"] = "new"
        desk.apply(wanted)
        assert desk.is_settled(wanted) and PRINTS.fingerprint(b"new") in path.read_text()
        desk.values.by_ref.clear()  # what cannot be read is made up, the same each time
        desk.apply(wanted)
        assert desk.is_settled(wanted) and API_KEY not in path.read_text() and not nobody.asked


def test_each_verb_does_what_it_does_elsewhere(tmp_path: Path) -> None:
    api, secrets = SandboxRestApi(tmp_path / "rest.yaml"), RestSecretValues(Values(), PRINTS, simulated=True)
    api.write(GROUPS, _write("POST", name="a", rpm=1, retained=True), secrets)
    api.write(GROUPS, _write("PATCH", "1", rpm=2), secrets)
    assert api.list(GROUPS) == [{"id": 1, "name": "a", "rpm": 2, "retained": True}]
    api.write(GROUPS, _write("PUT", "1", id=1, name="a"), secrets)
    found = api.one(GROUPS, "1")
    assert api.list(GROUPS) == [{"id": 1, "name": "a"}] and found is not None and found.value["name"] == "a"
    api.write(GROUPS, RestWriteRequest("PUT", {"id": "own", "date": "2026-01-01"}, "own", creates=True), secrets)
    assert api.list(GROUPS)[1] == {"id": "own", "date": "2026-01-01"}, "a text stays a text"
    with pytest.raises(PermanentError, match="not there"):
        api.write(GROUPS, _write("PUT", "7", name="a"), secrets)
    assert api.one(GROUPS, "7") is None and not api.list(
        RestCollection("https://else.example", "/x", "/x/{id}", ("id",))
    )


@pytest.mark.parametrize(
    "text", ["collections: {", "collections: 1", "- a", "collections: [{url: u, objects: [1]}]", "collections: [{}]",
             "collections: [{url: u, objects: [{day: 2026-01-01}]}]", "a: &a [*a]"],
)  # fmt: skip
def test_a_damaged_file_is_an_error_and_stays_as_it_is(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rest.yaml"
    path.write_text(text)
    api, secrets = SandboxRestApi(path), RestSecretValues(Values(), PRINTS, simulated=True)
    with pytest.raises(PermanentError, match="cannot be read"):
        api.list(GROUPS)
    with pytest.raises(PermanentError, match="cannot be read"):
        api.write(GROUPS, _write("POST", name="a"), secrets)
    assert path.read_text() == text and RestProvider(api, secrets).read((), (), ()).observations == {}
