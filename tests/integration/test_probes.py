"""HttpProbe against a real HTTP server on loopback, and against the canned answers of a sandbox."""

from __future__ import annotations

import http.server
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from planner.address import Address
from planner.errors import PermanentError
from planner.plan import Action, Change, Precondition
from planner.ports import AbsentObject, PresentObject, PreviewEffect, Readiness
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from providers.probes.expected_response import ExpectedResponse, ProbeResponse, unmet_probe_expectations
from providers.probes.provider import HttpProbeProvider
from providers.probes.send_probe import create_canned_answers_prober, create_network_prober
from providers.web.address_policy import refuse_link_local_or_metadata_address
from tests.testbed.listening import http_listening

ADDRESS = Address.parse("HttpProbe/site")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Site:
    """A server whose next answers are set by the test; the last one stays. `asked` counts."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: int = 0


@pytest.fixture
def site() -> Iterator[Site]:
    here = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked += 1
            status, headers, body = here.answers.pop(0) if len(here.answers) > 1 else here.answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with http_listening(Handler) as port:
        here.url = f"http://127.0.0.1:{port}/health"
        yield here


def _good(**more: Any) -> tuple[int, dict[str, str], bytes]:
    return (
        200,
        {"Content-Type": "application/json"},
        json.dumps({"status": "ok", "build": {"commit": COMMIT}, **more}).encode(),
    )


def _document(url: str, **spec: Any) -> dict[str, Any]:
    whole = {"url": url, "role": "gate", "expect": {"json": {"status": "ok"}}, "provenance": {"build.commit": COMMIT}}
    return {"apiVersion": "hwplan.dev/v1", "kind": "HttpProbe", "metadata": {"name": "site"}, "spec": {**whole, **spec}}


def _resource(document: dict[str, Any]) -> Resource:
    return Resource(ADDRESS, "hwplan.dev/v1", document, "set", "gate", SourceRef("a.yaml", 1))


def _run(provider: HttpProbeProvider, document: dict[str, Any]) -> Readiness:
    """Apply, and look until it is over."""
    change = Change(
        ADDRESS,
        Action.RUN,
        "hwplan.dev/v1",
        "gate",
        "declared",
        Precondition(absent=True),
        SourceRef("a.yaml"),
        document,
    )
    provider.apply(change, {})
    while not (seen := provider.readiness([change])[ADDRESS]).done:
        pass
    return seen


def test_a_gate_waits_until_the_right_build_answers(site: Site) -> None:
    old: tuple[int, dict[str, str], bytes] = (
        200,
        {},
        json.dumps({"status": "ok", "build": {"commit": COMMIT[:-1] + "0"}}).encode(),
    )
    site.answers = [(503, {}, b"starting"), old, _good()]
    over = _run(HttpProbeProvider(create_network_prober()), _document(site.url))
    assert over.ok and over.outputs["status"] == 200 and over.outputs["body"].startswith("sha256:")
    assert site.asked == 3


@pytest.mark.parametrize("role", ["gate", "diagnostic"])
def test_when_its_attempts_are_over_only_a_gate_fails(site: Site, role: str) -> None:
    site.answers = [(500, {}, b"")]
    over = _run(HttpProbeProvider(create_network_prober()), _document(site.url, role=role, attempts=3))
    assert (over.ok, site.asked) == (role == "diagnostic", 3)
    assert "status 500, expected 200" in over.message and "asked 3 times" in over.message


def test_a_redirect_is_an_answer_and_not_followed(site: Site) -> None:
    site.answers = [(302, {"Location": site.url + "/elsewhere"}, b"")]
    over = _run(HttpProbeProvider(create_network_prober()), _document(site.url, attempts=1))
    assert not over.ok and "status 302" in over.message and site.asked == 1


def test_nobody_is_asked_for_a_plan_unless_told_to(site: Site) -> None:
    provider = HttpProbeProvider(create_network_prober())
    quiet = _resource(_document(site.url))
    (seen,) = provider.read([quiet], (), ()).observations.values()
    assert isinstance(seen, AbsentObject) and site.asked == 0
    assert provider.preview([(quiet, seen)])[ADDRESS].on_change == (), "it follows changes of what it needs"


@pytest.mark.parametrize("status", [200, 404])
def test_read_at_plan(site: Site, status: int) -> None:
    """R3: what held before a change says nothing about after it; what did not hold is asked again anyway."""
    site.answers = [(status, *_good()[1:])]
    provider = HttpProbeProvider(create_network_prober())
    resource = _resource(_document(site.url, readAtPlan=True))
    (seen,) = provider.read([resource], (), ()).observations.values()
    assert isinstance(seen, PresentObject) and site.asked == 1
    preview = provider.preview([(resource, seen)])[ADDRESS]
    assert (preview.effect, preview.on_change) == (PreviewEffect.RUN, () if status == 200 else None)
    assert ("status 404" in preview.evidence) == (status == 404)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "100.100.100.200", "0.0.0.0",
                "224.0.0.1"],
)  # fmt: skip
def test_special_addresses_are_refused(address: str) -> None:
    with pytest.raises(PermanentError, match="never asked"):
        refuse_link_local_or_metadata_address(address)
    host = f"[{address}]" if ":" in address else address
    over = _run(HttpProbeProvider(create_network_prober()), _document(f"http://{host}/latest/meta-data", attempts=1))
    assert over.done and not over.ok and "never asked" in over.message


def test_types_are_strict_and_hostile_values_are_made_harmless() -> None:
    body = json.dumps({"n": 1, "t": True, "x": "\u001b[31m\u202e" + "y" * 500, "l": [{"name": "a", "v": 1.0}]}).encode()
    seen = ProbeResponse(200, {}, body)
    assert unmet_probe_expectations(ExpectedResponse(200, {"n": 1, "t": True, "l[name=a].v": 1.0}), seen) == ""
    for path, value in (("n", True), ("n", "1"), ("t", 1), ("l[name=a].v", 1), ("l[name=b].v", 1.0), ("m", 0)):
        assert unmet_probe_expectations(ExpectedResponse(200, {path: value}), seen)
    said = unmet_probe_expectations(ExpectedResponse(200, {"x": "z"}), seen)
    assert said.isascii() and said.isprintable() and len(said) < 300
    assert (
        unmet_probe_expectations(ExpectedResponse(200, {"a": 1}), ProbeResponse(200, {}, b"<html>"))
        == "the body is no JSON"
    )


def test_a_sandbox_answers_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "probes.yaml"
    file.write_text('probes:\n  - {url: "https://a.example/health", status: 200, body: "{\\"status\\":\\"ok\\"}"}\n')
    provider = HttpProbeProvider(create_canned_answers_prober(file))
    assert _run(provider, _document("https://a.example/health", provenance={})).ok
    over = _run(provider, _document("https://b.example/health", attempts=1))
    assert not over.ok and "no canned answer" in over.message
    file.write_text("probes: [1, 2]")
    with pytest.raises(PermanentError, match="canned answer is incomplete"):
        create_canned_answers_prober(file)
