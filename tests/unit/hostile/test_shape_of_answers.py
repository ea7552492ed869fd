"""Answers whose objects are none of their kind are refused where they enter, by field, without their words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.cluster_interface import ServedKubernetesKind
from providers.http.errors import BrokenAnswer
from providers.http.exchange import error_of_broken_exchange
from providers.http.read_answer import HttpAnswer
from providers.kubernetes import answer_shape
from providers.kubernetes.builtin_shape import builtin_shape_faults
from providers.kubernetes.client.api_exchange import ApiRequest
from providers.kubernetes.client.discovery import Discovery
from providers.kubernetes.errors import UnrecognizedServerAnswer
from providers.kubernetes.parallel_map import ParallelMap
from providers.kubernetes.tekton_and_argo_shape import tekton_and_argo_shape_faults

VERBS = frozenset({"get", "list", "patch"})
KIND = ServedKubernetesKind("v1", "ConfigMap", "configmaps", True, VERBS)
READ_ONLY = ServedKubernetesKind("metrics.k8s.io/v1beta1", "PodMetrics", "pods", True, frozenset({"get", "list"}))
META = {"name": "a", "namespace": "default", "uid": "u", "resourceVersion": "1"}


@pytest.mark.parametrize("missing", ["uid", "resourceVersion"])
def test_an_object_that_can_be_written_has_an_identity(missing: str) -> None:
    bare = {key: text for key, text in META.items() if key != missing}
    page = {"kind": "ConfigMapList", "items": [{"metadata": bare}]}
    with pytest.raises(UnrecognizedServerAnswer, match=f"metadata.{missing} is missing"):
        answer_shape.parse_objects_of_list_answer(page, KIND, "", "x")
    with pytest.raises(UnrecognizedServerAnswer, match=f"metadata.{missing} is missing"):
        answer_shape.parse_object_answer({"metadata": bare}, KIND, "default", "a", "x")
    answer_shape.parse_object_answer({"metadata": bare}, KIND, "default", "a", "x", stored=False)  # a dry run
    computed = {"metadata": {"name": "a", "namespace": "default"}}
    assert answer_shape.parse_objects_of_list_answer({"items": [computed]}, READ_ONLY, "", "x")


@pytest.mark.parametrize(
    ("api_version", "kind", "content", "wrong"),
    [
        ("v1", "ConfigMap", {"data": ["SECRET"]}, "data is no map"),
        ("v1", "ConfigMap", {"data": {"SECRET": {"b": 1}}}, "data.* is no text"),
        ("v1", "ConfigMap", {"immutable": "SECRET"}, "immutable is no boolean"),
        ("v1", "Secret", {"data": {"a": 5}}, "data.* is no text"),
        ("v1", "Pod", {"spec": ["SECRET"]}, "spec is no map"),
        ("v1", "Pod", {"spec": {"containers": {"a": 1}}}, "spec.containers is no list"),
        ("v1", "Pod", {"spec": {"containers": ["SECRET"]}}, "spec.containers[0] is no map"),
        ("apps/v1", "Deployment", {"spec": {"replicas": True}}, "spec.replicas is no number"),
        ("apps/v1", "Deployment", {"spec": {"template": {"metadata": {"labels": []}}}},
         "spec.template.metadata.labels is no map"),
        ("apps/v1", "Deployment", {"status": {"conditions": "SECRET"}}, "status.conditions is no list"),
        ("rbac.authorization.k8s.io/v1", "Role", {"rules": {}}, "rules is no list"),
        ("v1", "ConfigMap", {"data": {"a": "b"}, "binaryData": None}, ""),
        ("apps/v1", "Deployment", {"spec": {"replicas": 1, "new": 5,
         "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}}}}, ""),
        ("apps/v1", "Deployment", {"spec": {"template": {"spec": {"containers": [None]}}}},
         "spec.template.spec.containers[0] is no map"),
        ("example.com/v1", "Widget", {"spec": ["what a definition may say"]}, ""),
    ],
)  # fmt: skip
def test_built_in_kinds_have_the_shape_of_their_schema(
    api_version: str, kind: str, content: dict[str, Any], wrong: str
) -> None:
    document = {"apiVersion": api_version, "kind": kind, "metadata": META, **content}
    assert builtin_shape_faults(document) == wrong
    found = ServedKubernetesKind(api_version, kind, "x", True, VERBS)
    if wrong:
        with pytest.raises(UnrecognizedServerAnswer, match="none") as caught:
            answer_shape.parse_object_answer(document, found, "default", "a", "x")
        assert "SECRET" not in str(caught.value)
        with pytest.raises(UnrecognizedServerAnswer):
            answer_shape.check_shape_of_kind(document, "x")
    else:
        answer_shape.parse_object_answer(document, found, "default", "a", "x")


RESOURCES = [{"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]}]
GOOD: dict[str, Any] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": [{"name": "x", "versions": [{"groupVersion": "x/v1"}]}]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": RESOURCES},
    "/apis/x/v1": {"kind": "APIResourceList", "groupVersion": "x/v1", "resources": []},
}


@pytest.mark.parametrize(
    ("path", "answer", "key"),
    [
        ("/api", {"kind": "APIVersions", "versions": None}, "versions"),
        ("/api", {"kind": "Status", "status": "Failure"}, "versions"),
        ("/apis", {"kind": "APIGroupList"}, "groups"),
        ("/apis", {"kind": "APIGroupList", "groups": [{"name": "x", "versions": None}]}, "versions"),
        ("/apis", {"kind": "APIGroupDiscoveryList", "items": None}, "items"),
        ("/api/v1", {"kind": "APIResourceList", "resources": None}, "resources"),
        ("/apis/x/v1", {"kind": "APIResourceList"}, "resources"),
    ],
)
def test_discovery_without_its_list_is_no_server_without_kinds(path: str, answer: dict[str, Any], key: str) -> None:
    documents = {**GOOD, path: answer}

    class Canned:
        def send(self, request: ApiRequest) -> HttpAnswer:
            return HttpAnswer(200, {}, json.dumps(documents[request.path]).encode())

    with pytest.raises(UnrecognizedServerAnswer, match=f"a discovery document without {key}"):
        Discovery(Canned(), ParallelMap(1).map).kind("v1", "ConfigMap")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BrokenAnswer("the answer ended early"), "the answer ended early"),
        (ConnectionResetError("canary"), "the server reset it"),
        (TimeoutError("canary"), "time ran out"),
        (OSError("canary"), "OSError"),
    ],
)
def test_a_broken_connection_says_why(error: Exception, words: str) -> None:
    assert error_of_broken_exchange(error, before=False).args[0] == words


@pytest.mark.parametrize(
    ("api_version", "kind", "content", "wrong"),
    [
        ("argoproj.io/v1alpha1", "Application", {"status": {"sync": "SECRET"}}, "status.sync is no map"),
        ("argoproj.io/v1alpha1", "Application", {"status": {"resources": [None]}}, "status.resources[0] is no map"),
        ("argoproj.io/v1alpha1", "Application", {"spec": {"syncPolicy": {"automated": ["SECRET"]}}},
         "spec.syncPolicy.automated is no map"),
        ("argoproj.io/v1alpha1", "Application", {"status": {"conditions": None, "health": {"status": "Healthy"}}}, ""),
        ("tekton.dev/v1", "PipelineRun", {"status": {"conditions": [{"status": ["SECRET"]}]}},
         "status.conditions[0].status is no text"),
        ("tekton.dev/v1", "TaskRun", {"status": {"steps": [{"terminated": {"exitCode": "1"}}]}},
         "status.steps[0].terminated.exitCode is no number"),
        ("tekton.dev/v1", "PipelineRun", {"status": {"results": [{"name": "a", "value": {"any": 1}}]}}, ""),
    ],
)  # fmt: skip
def test_custom_kinds_that_are_read_have_the_shape_of_what_is_read(
    api_version: str, kind: str, content: dict[str, Any], wrong: str
) -> None:
    assert tekton_and_argo_shape_faults({"apiVersion": api_version, "kind": kind, "metadata": META, **content}) == wrong
