"""Checks of a desired object."""

from __future__ import annotations

from typing import Any

import pytest

from planner.field_path import render_path
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.validate_object import object_validation_errors
from tests.fidelity.crds import CRDS, GROUP

TYPES = MergeTypeTable.builtin().with_crds(CRDS)


def found(api_version: str, kind: str, name: str = "x", **rest: Any) -> list[tuple[str, str]]:
    document = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **rest}
    return [(render_path(path), message) for path, message in object_validation_errors(document, TYPES)]


def test_a_good_object_has_no_problem() -> None:
    assert found("v1", "ConfigMap", data={"a": "b"}) == []
    assert found(f"{GROUP}/v1", "Widget", spec={"count": 3, "either": "x", "free": {"a": [1, {"b": None}]}}) == []
    assert found("unknown.io/v1", "Thing", spec={"whatever": [1]}) == []


def test_unknown_fields_come_with_a_suggestion() -> None:
    assert found("apps/v1", "Deployment", spec={"replica": 1, "selector": {}, "template": {}}) == [
        ("spec.replica", "field not declared in schema; did you mean 'replicas'?")
    ]


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ({"count": "3"}, "spec.count", "expected integer, got a string"),
        ({"count": 1.5}, "spec.count", "expected integer, got a number"),
        ({"flag": 1}, "spec.flag", "expected boolean, got a number"),
        ({"text": {}}, "spec.text", "expected string, got an object"),
        ({"letters": "a"}, "spec.letters", "expected a list, got a string"),
        ({"count": 100}, "spec.count", "should be less than or equal to 99"),
        ({"letters": ["a", "a"]}, "spec.letters[=a]", "duplicate entries for key [=a]"),
        (
            {"ports": [{"port": 1}, {"port": 1, "protocol": "TCP"}]},
            "spec.ports[port=1,protocol=TCP]",
            "duplicate entries for key [port=1,protocol=TCP]",
        ),
        ({"parts": [{"size": 1}]}, "spec.parts[0]", "associative list with keys has an element that omits all key"),
        ({"steps": [{"size": 1}]}, "spec.steps[0].name", "Required value"),
    ],
)
def test_problems_of_a_custom_object(spec: Any, path: str, message: str) -> None:
    problems = found(f"{GROUP}/v1", "Widget", spec=spec)
    assert problems[0][0] == path
    assert problems[0][1].startswith(message)


def test_values_are_never_in_the_message() -> None:
    (problem,) = found("v1", "Secret", data={"password": 12345})
    assert "12345" not in problem[1]


def test_names_and_ports() -> None:
    assert found("v1", "ConfigMap", name="Not_Good")[0][0] == "metadata.name"
    assert found("rbac.authorization.k8s.io/v1", "ClusterRole", name="system:x") == []
    ports = [{"port": 70000}]
    assert found("v1", "Service", spec={"ports": ports})[0] == (
        "spec.ports[0].port",
        "Invalid value: must be between 1 and 65535, inclusive",
    )
