"""Errors that quote secrets: of a server that says all it knows, of real admission, of broken sources."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.canaries.planting import every_form
from tests.canaries.talkative import Answer, answers
from tests.canaries.webhook import denying
from tests.canaries.world import World
from tests.testbed.cluster import TestCluster
from tests.testbed.http_proxy import HttpFaultProxy, Rule

_COMMANDS = (
    ("PATCH", ("apply", "--confirm", "--no-wait")),
    ("PATCH", ("plan", "--json")),
    ("PATCH", ("apply", "--confirm", "--no-wait", "--json", "--debug")),
    ("GET", ("plan", "--format", "markdown")),
    ("PATCH", ("plan",)),
    ("GET", ("drift",)),
    ("GET", ("secret", "status", "--debug")),
)
GROUPS = 3
_REFUSED = ("/secrets", "/configmaps", "/deployments")


def test_the_worst_server_has_many_answers() -> None:
    assert len(list(answers())) >= 40


@pytest.mark.parametrize("group", range(GROUPS))
def test_no_answer_of_a_server_gets_a_secret_out(real: World, proxy: HttpFaultProxy, group: int) -> None:
    """To a write, to a look or to reading, in turn; of Secrets and of objects that are none; on every kind of page.

    The answers are dealt out to groups, so that several workers share them.
    """
    assert real.run("plan")[0] == 0, "without the proxy's words all is well"
    for number, answer in list(enumerate(answers()))[group::GROUPS]:
        method, words = _COMMANDS[number % len(_COMMANDS)]
        unread = "copied" if method == "GET" else ""  # what was never read nobody can know
        proxy.rules = [_rule(answer, every_form(real.planted, unread), method)]
        real.run(*words)
    real.search_files()
    real.note_requests(proxy.bodies)
    assert not real.found, "\n".join(real.found)
    applies = [code for words, code in real.ran if words.startswith("apply")]
    assert sum(code == 1 for code in applies) >= len(applies) - 1, "the answers arrive"


def _rule(answer: Answer, quoted: str, method: str) -> Rule:
    return Rule(
        "answer",
        times=1_000,
        code=answer.code,
        made=lambda _body: answer.made(quoted),
        matches=lambda called, path: called == method and any(kind in path for kind in _REFUSED),
    )


def test_admission_that_quotes_the_whole_object(real: World, api_server: TestCluster, tmp_path: Path) -> None:
    deployment = f"Deployment.apps/{real.planted.namespace}/app"
    with denying(api_server, real.planted.namespace, tmp_path / "pki"):
        _, reported = real.run("plan")
        assert "denied it" in reported, reported[-3000:]
        for words in (["plan", "--json"], ["plan", "--format", "html"], ["apply", "--confirm", "--no-wait"]):
            real.run(*words)
        real.run("apply", "--confirm", "--json", "--target", deployment)
    real.search_files()
    assert not real.found, "\n".join(real.found)


def test_real_refusals(real: World, api_server: TestCluster) -> None:
    """What the API server itself says of Secrets that it does not take, and of one that it cannot change."""
    path = f"/api/v1/namespaces/{real.planted.namespace}/secrets"
    assert real.converge("apply") == 0
    for name in ("c-plain", "c-urls"):
        live = api_server.api().get(f"{path}/{name}")
        api_server.api().delete(f"{path}/{name}")
        retained = {key: live[key] for key in ("apiVersion", "kind", "data")}
        body = {**retained, "metadata": {"name": name}, "immutable": True, "type": "other.test/type"}
        api_server.api().create(path, body)
    real.planted.rotate()
    for words in (["plan"], ["plan", "--json"], ["apply", "--confirm", "--no-wait"], ["drift", "--json"]):
        real.run(*words)
    real.search_files()
    assert not real.found, "\n".join(real.found)


_BREAKS: tuple[tuple[str, str, bytes], ...] = (
    ("a line that is none", "plain.env", b"%b\n"),
    ("a key twice", "plain.env", b"A=%b\nA=%b\n"),
    ("not UTF-8", "plain.env", b"A=%b\xff\n"),
    ("an open quote", "dotenv.env", b"A='%b\n"),
    ("text after a quote", "dotenv.env", b"A='%b'%b\n"),
    ("a variable", "dotenv.env", b"A=$%b\n"),
    ("broken YAML", "yaml.yaml", b"a: b: %b\n"),
    ("a tag", "yaml.yaml", b"a: !%b x\n"),
    ("a list", "yaml.yaml", b"- %b\n"),
    ("a number too long", "yaml.yaml", b"a: 1" + b"0" * 5000 + b" # %b\n"),
    ("a control character", "yaml.yaml", b"a: \x1b%b\n"),
    ("broken JSON", "json.json", b'{"a": "%b'),
    ("half a character", "json.json", b'{"JSON_0": "%b\\ud800"}'),
    ("a value that is none", "json.json", b'{"%b": ["%b"]}'),
    ("nested too deep", "json.json", b"[" * 100_000 + b'"%b"'),
    ("no docker config", "pull", b"%b"),
    ("too large", "pull", b'{"auths": "%b' + b"x" * (1 << 20) + b'"}'),
)


def test_broken_sources_are_named_and_never_shown(sandbox: World) -> None:
    value = sandbox.planted.values[0].encode()
    for name, file, text in _BREAKS:
        path = sandbox.planted.sources / file
        before = path.read_bytes()
        path.write_bytes(text.replace(b"%b", value))
        _, reported = sandbox.run("plan")
        assert file in reported or "c-pull" in reported, f"{name}: {reported}"
        sandbox.run("secret", "status", "--json")
        sandbox.run("apply", "--confirm", "--no-wait", "--debug")
        path.write_bytes(before)
    sandbox.search_files()
    assert not sandbox.found, "\n".join(sandbox.found)


@pytest.mark.parametrize(
    "document", ["data: {a: %s}", "stringData: {a: [%s]}", "stringData: {a: %s, a: x}", "x: %s: y"]
)
def test_broken_manifests_of_secrets(sandbox: World, document: str) -> None:
    value = sandbox.planted.values[0]
    file = sandbox.planted.sources / "broken.yaml"
    head = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
    file.write_text(head + document.replace("%s", value + "!") + "\n")
    for words in (["plan"], ["apply", "--confirm", "--debug"], ["plan", "--json"]):
        code, reported = sandbox.run(*words, "-f", str(file), "--name", "x", select=False)
        assert code == 1 and "broken.yaml:" in reported
    sandbox.search_files()
    assert not sandbox.found, "\n".join(sandbox.found)


def test_an_error_inside_shows_no_message(sandbox: World) -> None:
    """A state whose records are nonsense: whatever trips over them may quote what it tripped over."""
    assert sandbox.run("apply", "--confirm", "--no-wait")[0] == 1
    state = next(sandbox.planted.folder.rglob("state.db"))
    with sqlite3.connect(state) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            assert not json.dumps(database.execute(f"SELECT * FROM {table}").fetchall(), default=str).count("HWC")
    for words in (["plan", "--debug"], ["state", "list"], ["undo", "1"]):
        sandbox.run(*words, select=words[0] == "plan")
    assert not sandbox.found, "\n".join(sandbox.found)
