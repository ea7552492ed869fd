"""Ages are measured by the clock of the API server, which wrote the times: ours may be days away from it."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from planner.address import address_of_document
from planner.app.ended_kubernetes_jobs import time_by_clock_of_cluster
from planner.ports import PresentObject, PreviewEffect, UnreadableObject
from planner.resource import Resource
from planner.rfc3339 import parse_time
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from providers.http.server_clock import ServerClock
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.operations.argorepair import create_argo_repair_provider
from providers.kubernetes.operations.retention import create_retention_provider

HOURS = (-49.0, -0.2, 0.0, 0.2, 49.0)  # the clock of the server less ours
NAMES = {"namespaced": True, "verbs": ["get", "list", "delete", "patch"]}
KINDS: dict[str, Any] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [
            {
                "name": "argoproj.io",
                "versions": [{"groupVersion": "argoproj.io/v1alpha1", "version": "v1alpha1"}],
                "preferredVersion": {"groupVersion": "argoproj.io/v1alpha1", "version": "v1alpha1"},
            }
        ],
    },
    "/api/v1": {"kind": "APIResourceList", "resources": [{"name": "pods", "kind": "Pod", **NAMES}]},
    "/apis/argoproj.io/v1alpha1": {
        "kind": "APIResourceList",
        "resources": [{"name": "applications", "kind": "Application", **NAMES}],
    },
    "/version": {"gitVersion": "v1.36.3"},
}


class _Handler(http.server.BaseHTTPRequestHandler):
    ahead = timedelta()
    date = True
    objects: dict[str, Any]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        found = KINDS.get(path) or self.objects.get(path)
        body = json.dumps(found).encode()
        self.send_response_only(200 if found is not None else 404)
        if self.date:
            self.send_header("Date", format_datetime(datetime.now(UTC) + self.ahead, usegmt=True))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log."""


Serving = Callable[[float, dict[str, Any]], LiveCluster]


@pytest.fixture
def handler() -> type[_Handler]:
    return type("Handler", (_Handler,), {})


@pytest.fixture
def serving(handler: type[_Handler]) -> Iterator[Serving]:
    """A cluster whose clock is so many hours ahead of ours, with these objects by path."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()

    def cluster(ahead: float, objects: dict[str, Any]) -> LiveCluster:
        handler.ahead, handler.objects = timedelta(hours=ahead), objects
        return LiveCluster(ApiServerConnectionSettings(server=f"http://127.0.0.1:{server.server_address[1]}"))

    yield cluster
    server.shutdown()
    thread.join(10)
    server.server_close()


def _at(ahead: float, hours_ago: float) -> str:
    """A time by the clock of the server."""
    return (datetime.now(UTC) + timedelta(hours=ahead - hours_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ended_pod(name: str, at: str) -> JsonObject:
    status = {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"finishedAt": at}}}]}
    metadata = {"name": name, "namespace": "demo", "uid": name, "resourceVersion": "1"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}


def _declared(kind: str, spec: JsonObject) -> Resource:
    document: JsonObject = {"apiVersion": "hwplan.dev/v1", "kind": kind, "metadata": {"name": "one"}, "spec": spec}
    return Resource(address_of_document(document), "hwplan.dev/v1", document, "", "cleanup", SourceRef("t.yaml"))


def _pods(ahead: float) -> dict[str, Any]:
    pods = [_ended_pod("old", _at(ahead, 3)), _ended_pod("young", _at(ahead, 1))]
    metadata = {"resourceVersion": "1"}
    return {
        "/api/v1/namespaces/demo/pods": {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": pods}
    }


RULE = _declared(
    "Retention",
    {"selector": {"apiVersion": "v1", "kind": "Pod", "namespace": "demo"}, "minAge": "2h", "keep": 0},
)


@pytest.mark.parametrize("ahead", HOURS)
def test_retention_deletes_what_is_old_by_the_clock_of_the_server(serving: Serving, ahead: float) -> None:
    tools: Any = SimpleNamespace(api=serving(ahead, _pods(ahead)))
    provider = create_retention_provider(tools)
    seen = provider.read([RULE], (), ()).observations[RULE.address]
    preview = provider.preview([(RULE, seen)])[RULE.address]
    assert preview.effect is PreviewEffect.RUN
    assert [one.path for one in preview.fields] == [("old",)]


def test_without_a_clock_of_the_server_nothing_is_deleted(serving: Serving, handler: type[_Handler]) -> None:
    handler.date = False
    tools: Any = SimpleNamespace(api=serving(0, _pods(0)))
    seen = create_retention_provider(tools).read([RULE], (), ()).observations[RULE.address]
    assert isinstance(seen, UnreadableObject) and "what time it is" in seen.reason


@pytest.mark.parametrize("ahead", HOURS)
@pytest.mark.parametrize(("minutes", "stuck"), [(5, False), (20, True)])
def test_an_operation_is_stuck_by_the_clock_of_the_server(
    serving: Serving, ahead: float, minutes: float, stuck: bool
) -> None:
    operation = {"phase": "Running", "startedAt": _at(ahead, minutes / 60), "operation": {"sync": {}}}
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd", "uid": "u", "resourceVersion": "1"},
        "spec": {},
        "operation": {"sync": {}},
        "status": {"operationState": operation},
    }
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop"
    tools: Any = SimpleNamespace(api=serving(ahead, {path: application}))
    rule = _declared("ArgoRepair", {"application": "shop"})
    seen = create_argo_repair_provider(tools).read([rule], (), ()).observations[rule.address]
    assert isinstance(seen, PresentObject), seen
    assert bool(seen.outputs["stuck"]) is stuck


@pytest.mark.parametrize("ahead", HOURS)
def test_a_time_of_the_journal_is_compared_with_events_by_their_clock(serving: Serving, ahead: float) -> None:
    """Else the Events of a Job that this run began look older than it, and the Job runs twice."""
    here = datetime.now(UTC)
    began = (here - timedelta(minutes=2)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found = parse_time(time_by_clock_of_cluster(began, here.isoformat(), serving(ahead, {})))
    assert found is not None
    assert timedelta(0) <= here + timedelta(hours=ahead, minutes=-2) - found < timedelta(seconds=5)


def test_the_clock_goes_on_with_the_steady_one_and_is_never_late() -> None:
    steady = [10.0]
    clock = ServerClock(steady=lambda: steady[0])
    assert clock.now() is None
    clock.hear({})
    assert clock.now() is None
    clock.hear({"date": "Wed, 04 Nov 2026 12:00:00 GMT"})
    steady[0] += 90
    assert clock.now() == datetime(2026, 11, 4, 12, 1, 30, tzinfo=UTC)
    clock.hear({})  # the answer of something in between
    assert clock.now() == datetime(2026, 11, 4, 12, 1, 30, tzinfo=UTC)
    for odd in ("yesterday", "Wed, 99 Nov 2026 12:00:00 GMT", "Wed, 04 Nov 999999 12:00:00 GMT"):
        clock.hear({"date": odd})
        assert clock.now() is None


def test_a_cluster_that_was_not_asked_yet_is_asked(serving: Serving) -> None:
    cluster = serving(49, {})
    told, ours = cluster.server_time().timestamp(), time.time()
    assert 49 * 3600 - 5 < told - ours < 49 * 3600 + 5
