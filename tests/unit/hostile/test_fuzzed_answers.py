"""Fuzzed answers of every parser: no error but ours, no hang. HWPLAN_FUZZ sets how many (60 for each parser)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.errors import HwplanError
from providers.cluster import KindInfo
from providers.git.push_job import parse_push_job_report
from providers.http.answer import HttpAnswer
from providers.images.image_manifest import parse_image_manifest
from providers.images.registry_answers import registry_refusal_error
from providers.images.registry_tokens import _token
from providers.json_answer import parse_json_answer
from providers.kubernetes import answer_shape
from providers.kubernetes.client.answer_errors import classify_answer
from providers.kubernetes.client.discovery import kinds_of_crd, parse_aggregated_discovery
from providers.kubernetes.readiness import object_readiness
from providers.kubernetes.ssa.fieldset import FieldSet
from providers.prometheus.query_result import parse_query_result

KIND = KindInfo("v1", "ConfigMap", "configmaps", True)
CRD = KindInfo("example.test/v1", "Widget", "widgets", True)
COUNT = int(os.environ.get("HWPLAN_FUZZ", "60"))

_WORDS = (
    "metadata", "items", "name", "namespace", "kind", "apiVersion", "continue", "managedFields", "fieldsV1", "labels",
    "f:a", "k:{", 'k:{"a":1}', "k:[1]", "v:", "v:{}", "i:x", ".", "status", "conditions", "type", "spec", "versions",
    "details", "causes", "reason", "message", "code", "data", "result", "resultType", "vector", "value", "metric",
    "responseKind", "resource", "resources", "verbs", "scope", "groups", "token", "expires_in", "errors", "manager",
    "operation", "Apply", "ConfigMapList", "ConfigMap", "v1", "a", "default", "retryAfterSeconds", "success",
)  # fmt: skip
_texts = st.sampled_from(_WORDS) | st.text(max_size=8) | st.just("\ud800") | st.just("x" * 300)
_leaves = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | _texts
_documents = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=6), max_leaves=25
)
_LIST = {
    "kind": "ConfigMapList",
    "apiVersion": "v1",
    "metadata": {"resourceVersion": "1", "continue": "x"},
    "items": [
        {
            "metadata": {
                "name": "a", "namespace": "default", "uid": "u", "labels": {"a": "b"}, "finalizers": ["x"],
                "managedFields": [
                    {"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:a": {}}}}
                ],
                "ownerReferences": [{"kind": "X", "name": "y", "uid": "z", "apiVersion": "v1"}],
            },
            "data": {"a": "b"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
    ],
}  # fmt: skip


@st.composite
def _spoilt(draw: st.DrawFn, whole: Any) -> Any:
    """A good document with one part replaced by anything."""
    if not isinstance(whole, dict | list) or not whole or draw(st.integers(0, 3)) == 0:
        return draw(_documents)
    keys = list(whole) if isinstance(whole, dict) else list(range(len(whole)))
    key = draw(st.sampled_from(keys))
    copy: Any = dict(whole) if isinstance(whole, dict) else list(whole)
    copy[key] = draw(_spoilt(whole[key]))
    return copy


def _bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


_bodies = (
    st.binary(max_size=60)
    | _documents.map(_bytes)
    | st.integers(1, 400).map(lambda n: b'{"a":' * n + b"1" + b"}" * n)
    | st.integers(1, 400).map(lambda n: b"[" * n)
)


def _listed(kind: KindInfo) -> Callable[[bytes], object]:
    def parse(body: bytes) -> None:
        page = answer_shape.parse_answer_document(body, "x")
        answer_shape.continue_token(page, "x")
        for item in answer_shape.parse_list_answer(page, kind, "default", "x"):
            answer_shape.check_managed_fields(item, "x")

    return parse


def _one(body: bytes) -> None:
    answer_shape.parse_object_answer(answer_shape.parse_answer_document(body, "x"), KIND, "default", "a", "x")


def _document(parse: Callable[[Any], object]) -> Callable[[bytes], object]:
    return lambda body: parse(answer_shape.parse_answer_document(body, "x"))


def _field_set(body: bytes) -> None:
    with suppress(ValueError):
        FieldSet.parse(parse_json_answer(body))


PARSERS: dict[str, Callable[[bytes], object]] = {
    "list": _listed(KIND),
    "list of a custom kind": _listed(CRD),
    "object": _one,
    "aggregated discovery": _document(parse_aggregated_discovery),
    "definition of a kind": _document(kinds_of_crd),
    "Status of a refusal": lambda body: classify_answer(422, "application/json", body),
    "Status of a conflict": lambda body: classify_answer(409, "application/json", body),
    "Status of an internal error": lambda body: classify_answer(500, "application/json", body),
    "field set": _field_set,
    "Prometheus": lambda body: parse_query_result(HttpAnswer(200, {}, body)),
    "report of a push": lambda body: parse_push_job_report(body.decode("latin-1")),
    "token": lambda body: _token(body, "x"),
    "refusal of a registry": lambda body: registry_refusal_error(HttpAnswer(400, {}, body), "x"),
    "manifest": lambda body: parse_image_manifest(body, "application/vnd.oci.image.manifest.v1+json"),
}


@pytest.mark.parametrize("name", PARSERS)
@settings(
    max_examples=COUNT,
    deadline=timedelta(seconds=5),
    suppress_health_check=list(HealthCheck),
    derandomize="HWPLAN_FUZZ" not in os.environ,
    database=None,
)
@given(body=_bodies | _spoilt(_LIST).map(_bytes))
def test_no_error_but_ours(name: str, body: bytes) -> None:
    with suppress(HwplanError):
        PARSERS[name](body)


@settings(max_examples=COUNT, deadline=timedelta(seconds=5), suppress_health_check=list(HealthCheck), database=None)
@given(body=_bodies | _spoilt(_LIST).map(_bytes))
def test_what_is_read_can_be_written(body: bytes) -> None:
    with suppress(ValueError):
        json.dumps(parse_json_answer(body), ensure_ascii=False, allow_nan=False).encode()


@settings(max_examples=COUNT, deadline=timedelta(seconds=5), suppress_health_check=list(HealthCheck), database=None)
@given(status=_documents)
def test_a_status_of_any_shape_raises_only_what_the_provider_expects(status: Any) -> None:
    for kind in ("Deployment", "Job", "Pod", "Service"):
        with suppress(AttributeError, TypeError, KeyError, IndexError, ValueError):
            object_readiness(
                {"kind": kind, "apiVersion": "apps/v1", "metadata": {"name": "x"}, "spec": {}, "status": status}
            )
