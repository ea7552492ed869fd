"""An API server that lies: each lie is said as "the server answered …", at once, and nothing is taken for absent."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from planner.errors import ProviderError
from planner.ports import PresentObject, UnreadableObject
from providers.cluster_interface import KubernetesListScope, ServedKubernetesKind
from providers.kubernetes.client.api_exchange import ApiExchangeLimits
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.client.transport import RetryTimeLimits, Transport
from providers.kubernetes.errors import UnrecognizedServerAnswer
from providers.kubernetes.provider import KubernetesProvider
from state.fingerprint import KeyedFingerprinter
from tests.unit.kubernetes.world import config, declare

KIND = ServedKubernetesKind("v1", "ConfigMap", "configmaps", True)
PLACE = KubernetesListScope(KIND, "default")
META = {"name": "a", "namespace": "default", "uid": "u", "resourceVersion": "1"}
Made = Callable[[dict[str, str]], Any]  # the query -> the answer, JSON or bytes


class _Handler(http.server.BaseHTTPRequestHandler):
    made: Made

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        found = _PATHS.get(path)
        if path.endswith(("/configmaps", "/configmaps/a")):
            found = type(self).made(dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair))
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(200 if found is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log."""


_PATHS: dict[str, Any] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "resources": [
            {"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "verbs": ["get", "list", "patch"]}
        ],
    },
}


@pytest.fixture
def serving() -> Iterator[Callable[[Made], LiveCluster]]:
    """A cluster behind a server whose ConfigMaps are what is made."""
    handler = type("Handler", (_Handler,), {})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()

    def cluster(made: Made) -> LiveCluster:
        handler.made = staticmethod(made)  # type: ignore[attr-defined]
        connection = ApiServerConnectionSettings(server=f"http://127.0.0.1:{server.server_address[1]}")
        return LiveCluster(
            connection,
            transport=Transport(connection, limits=ApiExchangeLimits(), patience=RetryTimeLimits(total=20.0)),
        )

    yield cluster
    server.shutdown()
    thread.join(10)
    server.server_close()


def page(items: Any, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "ConfigMapList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "1", **metadata},
        "items": items,
    }


def managed(fields: Any) -> dict[str, Any]:
    entry = {"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields}
    return page([{"metadata": {**META, "managedFields": [entry]}, "data": {"a": "c"}}])


def deep(levels: int) -> Any:
    return {} if not levels else json.loads('{"f:a":' * levels + "{}" + "}" * levels)


LIES: dict[str, Made] = {
    "no JSON": lambda _: b"<html>",
    "not UTF-8": lambda _: b'{"kind": "\xff"}',
    "half a surrogate pair": lambda _: b'{"kind": "\\ud800"}',
    "a list": lambda _: [],
    "null items": lambda _: page([None]),
    "items that are a text": lambda _: page("items"),
    "an item without a name": lambda _: page([{"data": {}}]),
    "an item with a number for a name": lambda _: page([{"metadata": {"name": 1, "namespace": "default"}}]),
    "an item of another namespace": lambda _: page([{"metadata": {**META, "namespace": "other"}}]),
    "an item of another kind": lambda _: page([{"kind": "Secret", "metadata": META}]),
    "a list of another kind": lambda _: {**page([]), "kind": "SecretList"},
    "labels that are a list": lambda _: page([{"metadata": {**META, "labels": ["a"]}}]),
    "owners that are texts": lambda _: page([{"metadata": {**META, "ownerReferences": ["a"]}}]),
    "managers that are texts": lambda _: page([{"metadata": {**META, "managedFields": ["a"]}}]),
    "a manager without a version": lambda _: page([{"metadata": {**META, "managedFields": [{"operation": "Apply"}]}}]),
    "a manager that is null": lambda _: page(
        [{"metadata": {**META, "managedFields": [{"operation": "Apply", "apiVersion": "v1", "manager": None}]}}]
    ),
    "metadata that are a text": lambda _: {**page([]), "metadata": "x"},
    "deep": lambda _: b"[" * 100_000 + b"]" * 100_000,
    "the same next page": lambda _: page([], **{"continue": "x"}),
    "pages without an end": lambda query: page([], **{"continue": f"{int(query.get('continue', '0')) + 1}"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_list_that_lies(lie: str, serving: Callable[[Made], LiveCluster]) -> None:
    began = time.monotonic()
    found = serving(LIES[lie]).list([PLACE])[PLACE]
    assert isinstance(found, UnrecognizedServerAnswer) and found.message.startswith("the server answered "), found
    assert found.message.isprintable() and time.monotonic() - began < 15


BROKEN: tuple[Any, ...] = (
    {"f:data": {"k:{": {}}},
    {"f:data": {"k:[1]": {}}},
    {"f:data": {'v:{"a":1}': {}}},
    {"f:data": 1},
    deep(150),
)


@pytest.mark.parametrize("fields", BROKEN)
def test_managed_fields_of_others_that_cannot_be_read(fields: Any, serving: Callable[[Made], LiveCluster]) -> None:
    provider = KubernetesProvider(serving(lambda _: managed(fields)), fingerprinter=KeyedFingerprinter(bytes(32)))
    seen = provider.read([declare(config("a", {"a": "b"}, namespace="default"))], (), ()).observations
    (one,) = seen.values()
    if isinstance(one, PresentObject):  # deep and well formed: then it is read like any other
        assert fields == deep(150)
        return
    assert isinstance(one, UnreadableObject) and one.reason.startswith(
        "the server answered an object whose managedFields"
    )


@pytest.mark.parametrize(
    "body", [{"kind": "Secret", "metadata": META}, {"metadata": {**META, "name": "b"}}, {"metadata": None}, [], b"x"]
)
def test_another_object_than_was_asked_for(body: Any, serving: Callable[[Made], LiveCluster]) -> None:
    with pytest.raises(UnrecognizedServerAnswer, match="the server answered"):
        serving(lambda _: body).get(KIND, "default", "a")


NO_KINDS = (
    "x", [1], [{"name": "x y", "kind": "X"}], [{"name": "x", "kind": ["X"]}], [{"name": "x", "kind": "X", "verbs": 1}],
)  # fmt: skip


@pytest.mark.parametrize("resources", NO_KINDS)
def test_discovery_that_lies(
    resources: Any, serving: Callable[[Made], LiveCluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_PATHS, "/api/v1", {"kind": "APIResourceList", "resources": resources})
    with pytest.raises(ProviderError, match="the server answered"):
        serving(lambda _: page([])).kind("v1", "ConfigMap")


def test_objects_of_others_are_not_held_in_memory(serving: Callable[[Made], LiveCluster]) -> None:
    total = 20_000

    def made(query: dict[str, str]) -> Any:
        at, limit = int(query.get("continue", "0")), int(query["limit"])
        items = [{"metadata": {**META, "name": f"c{n}"}, "data": {"a": "x" * 100}} for n in range(at, at + limit)]
        return page(items, **({"continue": str(at + limit)} if at + limit < total else {}))

    found = serving(made).list([PLACE], lambda item: item["metadata"]["name"] == "c777")[PLACE]
    assert isinstance(found, tuple) and [one["metadata"]["name"] for one in found] == ["c777"]


def test_a_drip_is_not_waited_for() -> None:
    from providers.http.deadline import is_dripping

    assert is_dripping(100, 11.0) and not is_dripping(100, 9.0) and not is_dripping(1 << 20, 60.0)
