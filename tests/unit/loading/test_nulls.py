"""Null values: a field that is null is not there, an entry of a map has the zero value of the map, as on the server."""

from __future__ import annotations

from typing import Any

import pytest

from planner.loading.manifest_nulls import without_meaningless_nulls

_POD = {"nodeSelector": {"x": None}, "containers": [{"name": "c", "resources": {"limits": {"cpu": None}}, "env": None}]}
_POD_READ = {"nodeSelector": {"x": ""}, "containers": [{"name": "c", "resources": {"limits": {"cpu": "0"}}}]}


@pytest.mark.parametrize(
    ("given", "read"),
    [  # what a real API server made of them by server-side apply
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": None, "l": "v"}, "binaryData": {"m": None}},
            {"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "", "l": "v"}, "binaryData": {"m": ""}},
        ),
        (
            {"apiVersion": "v1", "kind": "Secret", "data": {"k": None}, "stringData": {"s": None}, "type": None},
            {"apiVersion": "v1", "kind": "Secret", "data": {"k": ""}, "stringData": {"s": ""}},
        ),
        (
            {"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"a": None}, "ports": [{"name": None}]}},
            {"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"a": ""}, "ports": [{}]}},
        ),
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchLabels": {"a": None}}}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchLabels": {"a": ""}}}},
        ),
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchExpressions": None}}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {}}},
        ),
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": None, "template": {"spec": _POD}}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": _POD_READ}}},
        ),
        (
            {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"pods": None}}},
            {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"pods": "0"}}},
        ),
        (
            {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "parameters": {"a": None}},
            {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "parameters": {"a": ""}},
        ),
        (
            {"apiVersion": "networking.k8s.io/v1", "spec": {"podSelector": {"matchLabels": {"role": None}}}},
            {"apiVersion": "networking.k8s.io/v1", "spec": {"podSelector": {"matchLabels": {"role": ""}}}},
        ),
        (
            {"apiVersion": "a.example.org/v1", "metadata": {"labels": {"a": None}}, "data": {"b": None}},
            {"apiVersion": "a.example.org/v1", "metadata": {"labels": {"a": ""}}, "data": {"b": None}},
        ),
    ],
)  # fmt: skip
def test_a_null_in_a_map_is_the_zero_value_of_the_map(given: Any, read: Any) -> None:
    assert without_meaningless_nulls(given) == read
    assert without_meaningless_nulls({"apiVersion": "v1", "kind": "List", "items": [given]})["items"] == [read]


def test_our_own_kinds_have_no_such_maps() -> None:
    given = {"apiVersion": "hwplan.dev/v1", "kind": "RestObject", "spec": {"labels": {"a": None}, "b": 1}}
    assert without_meaningless_nulls(given)["spec"] == {"labels": {}, "b": 1}
