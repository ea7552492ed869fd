"""Definitions that the API server refuses, and that it takes; the words were compared with kube-apiserver 1.36."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from planner.field_path import render_path
from providers.kubernetes.ssa import builtin_values, merge
from providers.kubernetes.ssa.merge_types import MergeTypeTable

TYPES = MergeTypeTable.builtin()
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "pots.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "pots", "kind": "Pot"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {}}},
            }
        ],
    },
}
HERE = "spec.versions[0].schema.openAPIV3Schema"


def refused(change: Callable[[dict[str, Any]], object]) -> list[str]:
    crd = copy.deepcopy(CRD)
    change(crd)
    stored = merge.merge_server_side_apply(None, crd, manager="m", types=TYPES, now="2024-01-01T00:00:00Z").object
    return [
        render_path(path)
        for path, _ in builtin_values.builtin_value_errors(TYPES.type_of(crd["apiVersion"], crd["kind"]), stored)
    ]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "string"}, ""),
        ({}, ".type"),
        ({"x-kubernetes-preserve-unknown-fields": True}, ""),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}, ""),
        ({"type": "text"}, ".type"),
        ({"type": "string", "default": 5}, ".default"),
        ({"type": "integer", "default": True}, ".default"),
        ({"type": "number", "default": 5}, ""),
        ({"type": "string", "nullable": True, "default": None}, ""),
        ({"type": "string", "pattern": "(?=a)a"}, ".pattern"),
        ({"type": "string", "pattern": "x{1001}"}, ".pattern"),
        ({"type": "string", "pattern": r"^\pL+[[:word:]](?P<n>a)\z"}, ""),
        ({"type": "string", "enum": ["a", "a"], "format": "nope"}, ""),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}},
         ".additionalProperties"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, ""),
        ({"type": "array"}, ".items"),
        ({"type": "array", "items": {}}, ".items.type"),
        ({"type": "array", "uniqueItems": True, "items": {"type": "string"}}, ".uniqueItems"),
        ({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"],
          "items": {"type": "object", "properties": {"n": {"type": "string"}}}}, ".items.properties.n.default"),
        ({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"],
          "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}}}}, ""),
    ],
)  # fmt: skip
def test_schemas(schema: dict[str, Any], path: str) -> None:
    def change(crd: dict[str, Any]) -> None:
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["x"] = schema

    assert refused(change) == ([f"{HERE}.properties.x{path}"] if path else [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda crd: crd["metadata"].update(name="pans.example.com"), "metadata.name"),
        (lambda crd: crd["spec"].update(scope="namespaced"), "spec.scope"),
        (lambda crd: crd["spec"]["versions"].append({**crd["spec"]["versions"][0], "name": "v2"}), "spec.versions"),
        (lambda crd: crd["spec"]["versions"][0].update(storage=False), "spec.versions"),
        (lambda crd: crd["spec"]["versions"][0].update(name="1"), "spec.versions[0].name"),
        (lambda crd: crd["spec"]["versions"][0].pop("schema"), HERE),
        (lambda crd: crd["spec"].update(conversion={"strategy": "Webhook"}), "spec.conversion.webhook"),
        (
            lambda crd: crd["spec"]["versions"][0].update(
                additionalPrinterColumns=[{"name": "a", "type": "bogus", "jsonPath": ".x"}]
            ),
            "spec.versions[0].additionalPrinterColumns[0].type",
        ),
    ],
)
def test_definitions(change: Callable[[dict[str, Any]], object], path: str) -> None:
    assert refused(change) == [path]
