"""RestObjects by the command: with a real server and a real cluster, and in a sandbox, where nobody is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hwplan import Hwplan, Ran, change_of, changes
from tests.testbed.rest_server import RestServer, rest_server

TOKEN, KEY = "tok-canary-9", "sk-canary-9"
_SECRET = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: pool, namespace: {ns}}}
stringData: {{token: {token}, key: {key}}}
"""
_OBJECTS = """\
apiVersion: hwplan.dev/v1
kind: RestObject
metadata: {{name: group}}
spec:
  baseUrl: {url}/api
  path: /groups
  key: name
  auth: {{secret: {ns}/pool}}
  body: {{name: codex, limits: {{rpm: 60}}}}
  outputs: {{id: id}}
---
apiVersion: hwplan.dev/v1
kind: RestObject
metadata: {{name: account}}
spec:
  baseUrl: {url}/api
  path: /accounts
  key: name
  auth: {{secret: {ns}/pool}}
  secrets: {{api_key: {{secret: {ns}/pool, key: key}}}}
  fingerprints: notes
  body: {{name: first, group: !ref RestObject/group#id}}
"""


@pytest.fixture
def server() -> Iterator[RestServer]:
    with rest_server(token=TOKEN, masked=("api_key",)) as running:
        yield running


def _texts(url: str, ns: str, key: str = KEY) -> tuple[str, str]:
    return _SECRET.format(ns=ns, token=TOKEN, key=key), _OBJECTS.format(ns=ns, url=url)


def _write(hwplan: Hwplan, name: str, text: str) -> str:
    (hwplan.folder / name).write_text(text)
    return name


def _silent(*pages: Ran) -> None:
    for ran in pages:
        assert TOKEN not in ran.out + ran.err and KEY not in ran.out + ran.err


def test_objects_and_their_secrets_in_one_plan(hwplan: Hwplan, server: RestServer, unique: str) -> None:
    secret, objects = _texts(server.url, unique)
    words = ("-f", _write(hwplan, "all.yaml", f"{secret}---\n{objects}"), "--name", unique)
    plan = hwplan.plan(*words)
    assert list(changes(plan)) == [
        f"Namespace/{unique}", f"Secret/{unique}/pool", "RestObject/group", "RestObject/account",
    ]  # fmt: skip
    assert change_of(plan, "RestObject/account")["needs"] == ["RestObject/group", f"Secret/{unique}/pool"]
    page = hwplan("apply", *words, "--confirm")
    hwplan.empty(*words)
    _write(hwplan, "all.yaml", f"{_texts(server.url, unique, 'new-' + KEY)[0]}---\n{objects}")
    shown = hwplan("plan", *words)
    assert "api_key  fingerprint (hidden) -> " in shown.out
    again = hwplan("apply", *words, "--confirm")
    hwplan.empty(*words)
    _silent(page, shown, again)
    simulated = "--live" in hwplan.where
    assert bool(server.asked) is not simulated, "in a sandbox nobody is asked"
    if not simulated:
        assert server.objects("accounts")[0] | {"notes": ""} == {
            "id": 1, "name": "first", "group": 1, "api_key": "new-" + KEY, "notes": "",
        }  # fmt: skip


def test_a_live_secret_is_read_at_the_moment_of_use(real: Hwplan, server: RestServer, unique: str) -> None:
    secret, objects = _texts(server.url, unique)
    words = ("-f", _write(real, "objects.yaml", objects), "--name", f"{unique}-o")
    blocked = real("plan", *words, "--json", code=1).json
    assert {row["address"] for row in blocked["blocked"]} == {"RestObject/group", "RestObject/account"}
    assert "does not exist" in str(blocked["blocked"]) and not server.asked
    real("apply", "-f", _write(real, "secret.yaml", secret), "--name", unique, "--confirm", "--no-wait")
    _silent(real("apply", *words, "--confirm"))
    real.empty(*words)
    assert server.objects("accounts")[0]["api_key"] == KEY
    retained = Path(real.folder / "state.db").read_bytes()
    assert KEY.encode() not in retained and TOKEN.encode() not in retained


def test_a_snapshot_knows_objects_with_secrets_without_the_secrets(
    simulated: Hwplan, unique: str, tmp_path: Path
) -> None:
    secret, objects = _texts("https://api.example", unique)
    words = ("-f", _write(simulated, "all.yaml", f"{secret}---\n{objects}"), "--name", unique)
    simulated("apply", *words, "--confirm")
    saved = tmp_path / "saved.json"
    _silent(simulated("snapshot", str(saved), *words))
    elsewhere = Hwplan(tmp_path, ("--live", str(saved), "--state", str(tmp_path / "other" / "state.db")))
    without = ("-f", _write(elsewhere, "objects.yaml", objects), "--name", unique)  # as who has no value of a secret
    plan = elsewhere.plan(*without)
    assert not {address for address in changes(plan) if address.startswith("RestObject/")} and not plan["blocked"]
    _write(elsewhere, "objects.yaml", objects.replace("name: first", "name: second"))
    (blocked,) = elsewhere.plan(*without)["blocked"]
    assert blocked["address"] == "RestObject/account" and "not in the snapshot" in blocked["reason"]


def test_objects_of_a_sandbox_are_plain_text_that_a_person_may_change(simulated: Hwplan, unique: str) -> None:
    secret, objects = _texts("https://api.example", unique)
    words = ("-f", _write(simulated, "all.yaml", f"{secret}---\n{objects}"), "--name", unique)
    simulated("apply", *words, "--confirm")
    box = Path(simulated.where[1])
    text = (box / "rest.yaml").read_text()
    assert "simulated" in text and KEY not in text and "hmac-sha256:" in text
    assert not [path for path in box.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    (box / "rest.yaml").write_text(text.replace("rpm: 60", "rpm: '60'"))
    plan = simulated.plan(*words)
    (field,) = change_of(plan, "RestObject/group")["fields"]
    assert (field["path"], field["before"], field["after"]) == ("limits.rpm", "60", 60)
    (box / "rest.yaml").write_text("collections: []\n")
    assert changes(simulated.plan(*words)) == {"RestObject/group": "create", "RestObject/account": "create"}
    (box / "rest.yaml").write_text("collections: [{url: 1}]\n")
    broken = simulated("plan", *words, "--json", code=1).json
    assert {row["address"] for row in broken["blocked"]} == {"RestObject/group", "RestObject/account"}
