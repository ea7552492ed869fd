"""PrometheusQuery against a real Prometheus, broken servers, and the canned answers of a sandbox."""

from __future__ import annotations

import http.server
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from planner.address import Address
from planner.errors import PermanentError
from planner.plan import Action, Change, Precondition
from planner.ports import Observation, PresentObject, Preview, PreviewEffect, Readiness, UnreadableObject
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.spec.kinds.probes import PrometheusQuery
from providers.prometheus.provider import PrometheusProvider
from providers.prometheus.query_result import QueryResult, prometheus_number_text, unmet_query_expectation
from providers.prometheus.send_query import create_canned_answers_querier, create_network_querier
from tests.testbed import prometheus as testbed
from tests.testbed.fixtures import part
from tests.testbed.listening import http_listening
from tests.testbed.processes import free_ports
from tests.testbed.prometheus import Prometheus

ADDRESS = Address.parse("PrometheusQuery/q")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with part(), testbed.running(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


def _resource(server: str | None, promql: str, within: str = "1m", **expect: Any) -> Resource:
    spec = {"promql": promql, "expect": expect, "within": within} | ({"server": server} if server else {})
    document = {
        "apiVersion": "hwplan.dev/v1",
        "kind": "PrometheusQuery",
        "metadata": {"name": "q"},
        "spec": spec,
    }
    PrometheusQuery.model_validate(document)
    return Resource(ADDRESS, "hwplan.dev/v1", document, "set", "gate", SourceRef("a.yaml"))


def _look(provider: PrometheusProvider, wanted: Resource) -> tuple[Observation, Preview | None]:
    seen = provider.read([wanted], (), ()).observations[ADDRESS]
    return seen, provider.preview([(wanted, seen)]).get(ADDRESS)


def _run(provider: PrometheusProvider, wanted: Resource) -> Readiness:
    change = Change(ADDRESS, Action.RUN, "hwplan.dev/v1", "gate", "declared", Precondition(absent=True), wanted.source,
                    wanted.manifest)  # fmt: skip
    provider.apply(change, {})
    while not (over := provider.readiness([change])[ADDRESS]).done:
        time.sleep(0.1)
    return over


def test_a_real_prometheus_is_waited_for_and_then_holds(prometheus: Prometheus) -> None:
    prometheus.exporter.text = 'jobs{lane="a"} 2\njobs{lane="b"} 3\nodd NaN\nbig +Inf\n'
    provider = PrometheusProvider(create_network_querier())
    assert _run(provider, _resource(prometheus.url, "jobs", count=2)).outputs == {"value": 2}
    over = _run(provider, _resource(prometheus.url, "sum(jobs)", value=5))
    assert over.ok and over.outputs == {"value": "5"}
    for promql, expect, effect in (
        ("jobs", {"range": [2, 3]}, PreviewEffect.NONE),
        ("jobs", {"range": [2.5, 3]}, PreviewEffect.RUN),
        ("jobs", {"value": 2}, PreviewEffect.RUN),
        ("none_such", {"count": 0}, PreviewEffect.NONE),
        ("none_such", {"range": [0, 9]}, PreviewEffect.RUN),
        ("odd", {"value": 0}, PreviewEffect.RUN),
        ("big", {"range": [0, 9]}, PreviewEffect.RUN),
        ("scalar(sum(jobs))", {"value": 5}, PreviewEffect.NONE),
        ("jobs[1m]", {"count": 2}, PreviewEffect.RUN),
    ):
        _, preview = _look(provider, _resource(prometheus.url, promql, **expect))
        assert preview is not None and preview.effect is effect, (promql, preview)
        assert preview.on_change is None and bool(preview.evidence) is (effect is PreviewEffect.RUN)
    _, preview = _look(provider, _resource(prometheus.url, "jobs{", count=1))
    assert preview is not None and "refuses the query" in preview.blocked and "promql" in preview.remedy


def test_a_value_that_changes_is_seen(prometheus: Prometheus) -> None:
    prometheus.exporter.text = "phase 1\n"
    provider = PrometheusProvider(create_network_querier())
    assert _run(provider, _resource(prometheus.url, "phase", value=1)).ok
    over = _run(provider, _resource(prometheus.url, "phase", within="1ms", value=2))
    assert not over.ok and "value 1, expected 2" in over.message
    prometheus.exporter.text = "phase 2\n"
    assert _run(provider, _resource(prometheus.url, "phase", value=2)).ok


def test_nobody_there_does_not_hold_but_is_no_failure_to_read() -> None:
    (port,) = free_ports(1)
    provider = PrometheusProvider(create_network_querier())
    for server, why in ((f"http://127.0.0.1:{port}", "refused"), ("http://no.such.invalid", "name is not known")):
        seen, preview = _look(provider, _resource(server, "up", count=1))
        assert isinstance(seen, PresentObject) and preview is not None
        assert preview.effect is PreviewEffect.RUN and preview.on_change is None and why in preview.evidence


@contextmanager
def _answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with http_listening(Handler) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, b"<html>\x1b[31mBad Gateway"),
        (200, b"<html>log in"),
        (503, b'{"status":"error","error":"\\u001b[31mstarting"}'),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1_0"]}]}}'),
        (200, b'{"status":"success","data":{"resultType":"vector"}}'),
        (200, b"[" * 100_000),
    ],
)
def test_error_pages_do_not_hold(status: int, body: bytes) -> None:
    with _answering(status, body) as server:
        seen, preview = _look(PrometheusProvider(create_network_querier()), _resource(server, "up", count=1))
    assert isinstance(seen, PresentObject) and preview is not None and preview.effect is PreviewEffect.RUN
    assert preview.evidence.isascii() and preview.evidence.isprintable() and len(preview.evidence) < 300


@pytest.mark.parametrize("status", [401, 403])
def test_who_may_not_ask_cannot_read(status: int) -> None:
    with _answering(status, b"no") as server:
        wanted = _resource(server, "up", within="1s", count=1)
        provider = PrometheusProvider(create_network_querier())
        seen, preview = _look(provider, wanted)
        over = _run(provider, wanted)
    assert isinstance(seen, UnreadableObject) and str(status) in seen.reason and preview is None
    assert over.done and not over.ok


def test_what_speaks_no_tls_cannot_be_read() -> None:
    with _answering(200, b"") as server:
        wanted = _resource(server.replace("http:", "https:"), "up", count=1)
        seen, _ = _look(PrometheusProvider(create_network_querier()), wanted)
    assert isinstance(seen, UnreadableObject) and "TLS" in seen.reason


def test_without_a_server_it_is_blocked() -> None:
    _, preview = _look(PrometheusProvider(create_network_querier()), _resource(None, "up", count=1))
    assert preview is not None and "no Prometheus" in preview.blocked and "spec.server" in preview.remedy


def test_numbers_of_prometheus() -> None:
    assert [prometheus_number_text(one) for one in ("1", "1e-3", "+Inf", "NaN", 2, 0.5, float("nan"))][-3:] == [
        "2",
        "0.5",
        "NaN",
    ]
    for bad in ("1_0", "nan ", "infinity", "0x1", True, None, "9" * 50):
        with pytest.raises(ValueError, match="no number"):
            prometheus_number_text(bad)
    assert unmet_query_expectation({"value": 1}, QueryResult(("NaN",))) and unmet_query_expectation(
        {"range": [0, 1]}, QueryResult(("NaN",))
    )
    assert unmet_query_expectation({"value": 0}, QueryResult(())) and unmet_query_expectation(
        {"value": 0}, QueryResult(("0", "0"))
    )
    assert not unmet_query_expectation({"count": 0}, QueryResult(()))


def test_a_sandbox_answers_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "probes.yaml"
    rows = [{"promql": "up", "value": 1}, {"promql": "jobs", "value": [1, 2.5]}, {"promql": "none", "value": []}]
    file.write_text(json.dumps({"probes": [], "queries": rows}))
    provider = PrometheusProvider(create_canned_answers_querier(file))
    server = "http://prometheus.example"
    assert _run(provider, _resource(server, "up", value=1)).ok
    assert _run(provider, _resource(server, "jobs", count=2)).ok
    assert _run(provider, _resource(server, "none", count=0)).ok
    _, preview = _look(provider, _resource(server, "other", count=0))
    assert preview is not None and preview.effect is PreviewEffect.RUN and "no canned answer" in preview.evidence
    file.write_text(json.dumps({"queries": [{"promql": "up", "value": "x"}]}))
    with pytest.raises(PermanentError, match="canned answer is incomplete"):
        create_canned_answers_querier(file)
