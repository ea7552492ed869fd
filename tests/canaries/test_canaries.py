"""Planted secrets are found in no output, file, argument or look-only request, whatever is asked and whatever fails.

HWPLAN_CANARIES sets how many are planted (120).
"""

from __future__ import annotations

import json

from tests.canaries.canary import CONSTANTS, canary, encodings, leaks
from tests.canaries.planting import origin
from tests.canaries.world import World
from tests.testbed.http_proxy import HttpFaultProxy

FORMS = ("text", "json", "markdown", "html", "mermaid", "dot", "svg")
NAMES = ("raw", "base64", "double base64", "hex", "percent", "json", "html", "octal", "base32")


def test_the_search_finds_every_form() -> None:
    for name, form in encodings(canary("any").encode()).items():
        assert leaks(f"before {form} after".encode("utf-8" if name != "utf-16" else "latin-1")), name
    assert len(CONSTANTS) >= 60
    assert not leaks(b"hmac-sha256:0123456789abcdef (secret)")


def _every_verb(world: World) -> None:
    run, work = world.run, world.work
    for form in FORMS:
        run("plan", "--format", form, "-v")
    run("plan", "--out", str(work / "plan.json"))
    for form in FORMS:
        run("show", str(work / "plan.json"), "--format", form, select=False)
    for words in (["validate"], ["graph"], ["graph", "--format", "json"], ["secret", "status"]):
        assert run(*words)[0] in (0, 1), words
    run("why", f"Deployment.apps/{world.planted.namespace}/app")
    run("impact", f"Deployment.apps/{world.planted.namespace}/app")
    run("secret", "status", "--json")
    run("secret", "ensure")
    run("secret", "ensure", "--json")
    assert world.converge("apply") == 0, run("plan")[1][-3000:]
    assert run("plan", "--detailed-exitcode")[0] == 0, run("plan")[1][-3000:]
    run("plan", "--out", str(work / "later.json"))
    world.planted.rotate()
    run("plan", "--json")
    run("plan", "--out", str(work / "rotated.json"))
    run("secret", "status")
    run("apply", str(work / "plan.json"), "--confirm", "--no-wait", select=False)
    for words in (["--format", "text"], ["--json"], ["--format", "markdown"], ["--format", "prometheus"]):
        run("drift", *words)
    run("drift", "--format", "prometheus", "--out", str(work / "drift.prom"))
    assert run("secret", "ensure", "--confirm", "--json")[0] == 0
    run("snapshot", str(work / "saved"))
    run("snapshot", str(work / "saved.json"))
    run("state", "list", select=False)
    run("state", "list", "--json", select=False)
    run("state", "history", select=False)
    run("state", "show", f"Secret/{world.planted.namespace}/c-plain", "--json", select=False)
    run("undo", "1", select=False)
    run("undo", "2", "--json", select=False)
    run("secret", "delete")
    run("destroy")
    run("destroy", "--json")


def test_nothing_leaks_from_a_sandbox(sandbox: World) -> None:
    assert sandbox.run("apply", "--confirm", "--no-wait")[0] == 1, "the Secret that one is a copy of is not there"
    manifest = sandbox.planted.sources / "origin.json"
    manifest.write_text(json.dumps(origin(sandbox.planted)))
    plain = ("-f", str(manifest), "--name", "theirs")
    sandbox.run("plan", *plain, "--json", select=False)
    assert sandbox.run("apply", *plain, "--confirm", select=False)[0] == 0
    _every_verb(sandbox)
    sandbox.search_files()
    assert not sandbox.found, "\n".join(sandbox.found)


def test_nothing_leaks_on_a_real_server_and_plans_send_no_value(real: World, proxy: HttpFaultProxy) -> None:
    _every_verb(real)
    real.search_files()
    real.note_requests(proxy.bodies)
    assert not real.found, "\n".join(real.found)
    assert "ls-remote" in (real.planted.folder / "children.log").read_text(), "children are watched"
