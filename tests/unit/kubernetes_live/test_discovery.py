"""Reading discovery documents, and what a CRD says about the kinds it will serve."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planner.errors import ProviderError
from providers.cluster_interface import ServedKubernetesKind
from providers.http.read_answer import HttpAnswer
from providers.kubernetes.client.api_exchange import ApiRequest
from providers.kubernetes.client.discovery import Discovery, kinds_of_crd, parse_aggregated_discovery
from providers.kubernetes.errors import ServerBusy
from providers.kubernetes.parallel_map import ParallelMap

VERBS = ["create", "delete", "get", "list", "patch"]


def resource(kind: str, plural: str, scope: str = "Namespaced") -> dict[str, Any]:
    kinds = {"group": "", "version": "", "kind": kind}
    return {"resource": plural, "responseKind": kinds, "scope": scope, "verbs": VERBS, "subresources": [{}]}


def group(name: str, *versions: tuple[str, list[dict[str, Any]], str]) -> dict[str, Any]:
    listed = [{"version": v, "resources": resources, "freshness": fresh} for v, resources, fresh in versions]
    return {"metadata": {"name": name} if name else {}, "versions": listed}


CORE = {"kind": "APIGroupDiscoveryList", "items": [group("", ("v1", [resource("Pod", "pods")], "Current"))]}
APPS = group(
    "apps",
    ("v1", [resource("Deployment", "deployments")], "Current"),
    ("v1beta1", [resource("Deployment", "deployments")], "Current"),
)
METRICS = group("metrics.k8s.io", ("v1beta1", [], "Stale"))
GROUPS = {"kind": "APIGroupDiscoveryList", "items": [APPS, METRICS]}
DEPLOYMENT = ServedKubernetesKind("apps/v1", "Deployment", "deployments", True, frozenset(VERBS))

OLD = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "apps",
                "versions": [{"groupVersion": "apps/v1beta1"}, {"groupVersion": "apps/v1"}],
                "preferredVersion": {"groupVersion": "apps/v1"},
            },
            {"name": "metrics.k8s.io", "versions": [{"groupVersion": "metrics.k8s.io/v1beta1"}]},
        ],
    },
    "/api/v1": {
        "resources": [
            {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": VERBS},
            {"name": "pods/log", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
        ]
    },
    "/apis/apps/v1": {"resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True, "verbs": VERBS}]},
    "/apis/apps/v1beta1": {"resources": []},
}


class Canned:
    """Stands in for the transport: documents by path, and the order in which they were asked for."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self.documents = documents
        self.asked: list[str] = []

    def send(self, request: ApiRequest) -> HttpAnswer:
        self.asked.append(request.path)
        found = self.documents.get(request.path)
        if found is None:
            raise ServerBusy("busy")
        return HttpAnswer(200, {}, json.dumps(found).encode())


def discovery(documents: dict[str, Any]) -> tuple[Discovery, Canned]:
    canned = Canned(documents)
    return Discovery(canned, ParallelMap(2).map), canned  # type: ignore[arg-type]


def crd(**more: Any) -> dict[str, Any]:
    versions = [{"name": "v2", "served": True}, {"name": "v1", "served": True}, {"name": "v0", "served": False}]
    names = {"plural": "things", "kind": "Thing"}
    return {"spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions} | more}


def test_aggregated() -> None:
    table = parse_aggregated_discovery(GROUPS)
    assert table.kinds[0] == DEPLOYMENT and table.kinds[1].api_version == "apps/v1beta1"
    assert table.stale == {"metrics.k8s.io/v1beta1"}
    assert parse_aggregated_discovery(CORE).kinds == (
        ServedKubernetesKind("v1", "Pod", "pods", True, frozenset(VERBS)),
    )


@pytest.mark.parametrize("documents", [{"/api": CORE, "/apis": GROUPS}, OLD], ids=["aggregated", "old"])
def test_both_ways_give_the_same(documents: dict[str, Any]) -> None:
    found, canned = discovery(documents)
    assert found.kind("apps/v1", "Deployment") == DEPLOYMENT
    assert found.kind("v1", "Pod") == ServedKubernetesKind("v1", "Pod", "pods", True, frozenset(VERBS))
    assert found.kind("v1", "Nope") is None
    assert [info.api_version for info in found.kinds()][:2] == ["v1", "apps/v1"]
    with pytest.raises(ServerBusy, match="metrics"):
        found.kind("metrics.k8s.io/v1beta1", "PodMetrics")
    assert len(canned.asked) == len(set(canned.asked)) == len(documents) + (documents is OLD)


def test_an_unknown_kind_reads_again_once_after_each_forget() -> None:
    found, canned = discovery({"/api": CORE, "/apis": GROUPS})
    assert found.kind("example.com/v1", "Thing") is None
    assert len(canned.asked) == 2
    found.forget()
    assert found.kind("apps/v1", "Deployment") == DEPLOYMENT
    assert len(canned.asked) == 2
    canned.documents["/apis"] = {
        "kind": "APIGroupDiscoveryList",
        "items": [group("example.com", ("v1", [resource("Thing", "things")], ""))],
    }
    assert found.kind("example.com/v1", "Thing") is not None
    assert found.kind("example.com/v1", "Other") is None
    assert len(canned.asked) == 4


def test_a_crd_is_known_before_discovery_knows_it() -> None:
    found, _ = discovery({"/api": CORE, "/apis": GROUPS})
    assert found.kind("example.com/v1", "Thing") is None
    found.learn(crd())
    info = found.kind("example.com/v1", "Thing")
    assert info is not None and (info.plural, info.namespaced) == ("things", True)
    assert found.is_young(info) and not found.is_young(DEPLOYMENT)
    assert info in found.kinds()
    found.unlearn("things.example.com")
    assert found.kind("example.com/v1", "Thing") is None


def test_kinds_of_a_crd() -> None:
    assert [info.api_version for info in kinds_of_crd(crd())] == ["example.com/v2", "example.com/v1"]
    assert not kinds_of_crd(crd(scope="Cluster"))[0].namespaced
    assert kinds_of_crd({}) == ()


@pytest.mark.parametrize("body", [[], "x", None])
def test_a_server_of_another_sort(body: Any) -> None:
    found, _ = discovery({"/api": body, "/apis": body})
    with pytest.raises(ProviderError):
        found.kinds()
