"""What a gate may look at (spec 02, S03): one refusal after the other, and what is allowed all the same."""

from __future__ import annotations

from typing import Any

import pytest

from planner.loading.config import load_config
from planner.loading.config_policies.gate_probes import (
    gate_probe_faults,
    gate_url_faults,
    is_ip_address,
    public_url_faults,
)
from planner.spec.lane import GateProbe, Lane
from tests.unit.loading.fakes import ROOT

PUBLIC = "https://hwlab.pikapython.com"


def _lane(**other: Any) -> Lane:
    """D601/v03 as it is shipped, changed."""
    lanes = load_config(ROOT / "config").lanes_of("hwlab", "D601")
    return next(one.spec for one in lanes if one.name == "v03").model_copy(update=other)


def _faults(url: str, **other: Any) -> list[str]:
    return [text for text, _ in gate_url_faults(url, _lane(**other))]


REFUSED = {
    "a bare IP address": "https://203.0.113.61/health",
    "one with a port": "https://203.0.113.61:443/health",
    "IPv6": "https://[2001:db8::1]/health",
    "one as a number": "https://3405803837/health",
    "one in hexadecimal": "https://0xcb.0.0x71.0x3d/health",
    "one with a dot at its end": "https://203.0.113.61./health",
    "the legacy port 20666": f"{PUBLIC}:20666/health",
    "the legacy port 20667": f"{PUBLIC}:20667/health",
    "plain HTTP": "http://hwlab.pikapython.com/health",
    "another host": "https://other.pikapython.com/health",
    "a host that only begins so": f"{PUBLIC}.evil.example/health",
    "another port": f"{PUBLIC}:8443/health",
    "no port at all": f"{PUBLIC}:99999/health",
    "a page": f"{PUBLIC}/",
    "the bare name": PUBLIC,
    "a page of the web application": f"{PUBLIC}/workbench/projects",
    "a page that is called so": f"{PUBLIC}/healthy",
    "something below it": f"{PUBLIC}/health/../workbench",
    "a page by a fragment": f"{PUBLIC}/#/health",
    "a page by a query": f"{PUBLIC}/?path=/health",
    "a health that a query decides": f"{PUBLIC}/health?force=ok",
    "a path in disguise": f"{PUBLIC}/%2e%2e/health",
}
WORDS = {
    "bare IP address": ("a bare IP address", "one with a port", "IPv6", "one as a number", "one in hexadecimal",
                        "one with a dot at its end"),
    "legacy port": ("the legacy port 20666", "the legacy port 20667"),
    "https only": ("plain HTTP",),
    "formal public URL only": ("another host", "a host that only begins so", "another port", "no port at all"),
    "not a page": ("a page", "the bare name", "a page of the web application", "a page that is called so"),
    "no `?`, `#`, `%` or `..`": ("something below it", "a page by a fragment", "a page by a query",
                                 "a health that a query decides", "a path in disguise"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_gate_may_not_look_at(case: str) -> None:
    (why,) = [words for words, cases in WORDS.items() if case in cases]
    (fault,) = _faults(REFUSED[case])
    assert why in fault


@pytest.mark.parametrize("url", [f"{PUBLIC}/health", f"{PUBLIC}:443/health", "https://HWLAB.pikapython.com/api/health"])
def test_health_below_the_formal_public_url_is_a_gate(url: str) -> None:
    assert not _faults(url)


def test_a_public_url_with_a_path_bounds_the_gate() -> None:
    under = f"{PUBLIC}/lab/"
    assert not _faults(f"{PUBLIC}/lab/health", public_url=under)
    assert _faults(f"{PUBLIC}/health", public_url=under) == _faults(f"{PUBLIC}/labor/health", public_url=under) != []


def test_a_lane_without_a_public_url_has_no_gate() -> None:
    assert "no publicUrl" in _faults(f"{PUBLIC}/health", public_url=None)[0]


@pytest.mark.parametrize(
    ("url", "why"),
    [("http://hwlab.pikapython.com", "not https"), ("https://203.0.113.61", "not https with a host name"),
     ("https://[2001:db8::1]", "host name"), ("https://0x7f.1", "host name"), (f"{PUBLIC}:20667", "legacy port 20667"),
     (f"{PUBLIC}/#a", "in it"), (f"{PUBLIC}/a/../b", "in it")],
)  # fmt: skip
def test_what_is_no_formal_public_url(url: str, why: str) -> None:
    (fault,) = [text for text, _ in public_url_faults(_lane(public_url=url))]
    assert why in fault and not list(public_url_faults(_lane()))


def test_a_browser_never_stands_in_a_gate_and_a_diagnostic_may_look_anywhere() -> None:
    lane = _lane()
    browser = GateProbe(kind="browser", url=f"{PUBLIC}/health")
    assert [text for text, _ in gate_probe_faults(browser, lane)] == ["a gate never drives a browser"]
    for url in REFUSED.values():
        for kind in ("http", "browser"):
            probe = GateProbe.model_construct(kind=kind, url=url, role="diagnostic")
            assert not list(gate_probe_faults(probe, lane)), "evidence only"


def test_names_are_no_addresses() -> None:
    assert not any(map(is_ip_address, ("demo.example", "1.example", "v1.2.example", "0x7f.example", "localhost")))
