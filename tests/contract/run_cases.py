"""Worlds for kinds that only ask: a real HTTP server, and a real Prometheus that scrapes what the test exports."""

from __future__ import annotations

import http.server
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from planner.ports import Provider
from planner.resource import Resource
from providers.probes.provider import HttpProbeProvider
from providers.probes.send_probe import create_network_prober as ask_a_site
from providers.prometheus.provider import PrometheusProvider
from providers.prometheus.send_query import create_network_querier as ask_prometheus
from tests.contract.case import SECRET
from tests.contract.declared import VAULT, own
from tests.testbed.listening import http_listening
from tests.testbed.prometheus import Prometheus
from tests.testbed.proxy import FaultProxy, Faults


@dataclass
class Site:
    """A web server that is healthy or not, says the secret of the contract where nobody asks, and counts writes."""

    port: int = 0
    healthy: bool = False
    broken: bool = False
    writes: list[str] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Site]:
    """A Site on 127.0.0.1."""
    site = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps({"ok": site.healthy, "unasked": SECRET.decode()}).encode()
            self.send_response(200 if site.healthy else 503)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Unasked", SECRET.decode())
            self.end_headers()
            self.wfile.write(body[:3] if site.broken else body)
            self.close_connection = True

        def _write(self) -> None:
            site.writes.append(self.command)
            self.send_error(405)

        do_POST = do_PUT = do_PATCH = do_DELETE = _write  # noqa: N815  # names of http.server

        def log_message(self, *_: object) -> None:
            """Write no log."""

    with http_listening(Handler) as site.port:
        yield site


class Probes:
    """HttpProbe: one gate, one that is asked when planning, one that wants a field of the body."""

    vault = VAULT

    def __init__(self, site: Site) -> None:
        self._site = site

    def provider(self) -> Provider:
        return HttpProbeProvider(ask_a_site())

    def wanted(self) -> Sequence[Resource]:
        gate = {"url": f"http://127.0.0.1:{self._site.port}/health", "role": "gate", "attempts": 100}
        return [
            own("HttpProbe", "plain", gate),
            own("HttpProbe", "asked", {**gate, "readAtPlan": True}),
            own("HttpProbe", "field", {**gate, "expect": {"json": {"ok": True}}}),
        ]

    def fulfil(self) -> None:
        self._site.healthy = True

    def state(self) -> object:
        return tuple(self._site.writes)

    def break_it(self) -> None:
        self._site.broken = True


class Queries:
    """PrometheusQuery: a number of series, one value, a range. Each case has a metric of its own; Prometheus is reached
    through the proxy."""

    vault = VAULT

    def __init__(self, prometheus: Prometheus, metric: str, proxy: FaultProxy) -> None:
        self._prometheus, self._metric, self._proxy = prometheus, metric, proxy
        self._export(1)

    def provider(self) -> Provider:
        return PrometheusProvider(ask_prometheus())

    def wanted(self) -> Sequence[Resource]:
        query = {"server": f"http://127.0.0.1:{self._proxy.port}", "promql": self._metric}
        return [
            own("PrometheusQuery", "count", {**query, "expect": {"count": 2}}),
            own("PrometheusQuery", "value", {**query, "promql": f"sum({self._metric})", "expect": {"value": 14}}),
            own("PrometheusQuery", "range", {**query, "expect": {"range": [5, 10]}}),
        ]

    def fulfil(self) -> None:
        self._export(7, 7)

    def state(self) -> object:
        return self._prometheus.exporter.text  # a query can write nothing: there is no way to

    def break_it(self) -> None:
        self._proxy.faults = Faults(refuse=True)

    def _export(self, *values: int) -> None:
        rows = [f'{self._metric}{{n="{n}",unasked="{SECRET.decode()}"}} {value}' for n, value in enumerate(values)]
        self._prometheus.exporter.text = "\n".join(rows) + "\n"
