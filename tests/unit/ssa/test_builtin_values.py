"""Values of built-in kinds that are refused; the oracle is tests/integration/test_builtin_values.py."""

from __future__ import annotations

from typing import Any

import pytest

from planner.field_path import render_path
from planner.values import JsonObject
from providers.kubernetes.ssa import builtin_values, merge
from providers.kubernetes.ssa.builtin_validation_rules import RULES
from providers.kubernetes.ssa.builtin_value_formats import builtin_value_format_error
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.stateful_set_overwritten_fields import stateful_set_without_overwritten_fields

TYPES = MergeTypeTable.builtin()
CONTAINER: JsonObject = {"name": "c", "image": "i"}


def refused(api_version: str, kind: str, **rest: Any) -> list[str]:
    document = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **rest}
    stored = merge.merge_server_side_apply(None, document, manager="m", types=TYPES, now="2024-01-01T00:00:00Z").object
    return [
        render_path(path) for path, _ in builtin_values.builtin_value_errors(TYPES.type_of(api_version, kind), stored)
    ]


def pods(**container: Any) -> JsonObject:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{**CONTAINER, **container}]}}
    return {"selector": {"matchLabels": {"a": "b"}}, "template": template}


@pytest.mark.parametrize(
    ("container", "path"),
    [
        ({}, []),
        ({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}, ["resources.requests.cpu"]),
        ({"resources": {"requests": {"cpu": "1000m"}, "limits": {"cpu": "1"}}}, []),
        ({"env": [{"name": "A=B", "value": "x"}]}, ['env[name="A=B"].name']),
        ({"ports": [{"containerPort": 0}]}, ["ports[containerPort=0,protocol=TCP].containerPort"]),
        ({"imagePullPolicy": "Sometimes"}, ["imagePullPolicy"]),
        ({"readinessProbe": {"periodSeconds": 3}}, ["readinessProbe"]),
        ({"name": "Upper"}, ["name"]),
    ],
)
def test_containers(container: JsonObject, path: list[str]) -> None:
    found = refused("apps/v1", "Deployment", spec=pods(**container))
    name = container.get("name", "c")
    assert found == [f"spec.template.spec.containers[name={name}].{one}" for one in path]


@pytest.mark.parametrize(
    ("api_version", "kind", "rest", "paths"),
    [
        ("v1", "ConfigMap", {"data": {"a b": "x"}}, ["data"]),
        ("v1", "ConfigMap", {"data": {"a.b": "x"}}, []),
        ("v1", "ConfigMap", {"data": {"a": "x" * (1 << 20), "b": "x"}}, [""]),
        ("v1", "Secret", {"type": "kubernetes.io/tls", "data": {"tls.crt": ""}}, ["data[tls.key]"]),
        ("v1", "Service", {"spec": {"ports": [{"port": 1}, {"port": 2}]}},
         ["spec.ports[0].name", "spec.ports[1].name"]),
        ("v1", "Service", {"spec": {}}, ["spec.ports"]),
        ("v1", "Service", {"spec": {"clusterIP": "None"}}, []),
        ("v1", "Service", {"spec": {"ports": [{"port": 70000, "targetPort": 1}]}},
         ["spec.ports[port=70000,protocol=TCP].port"]),
        ("rbac.authorization.k8s.io/v1", "Role", {"rules": [{"verbs": ["get"], "resources": ["x"]}]},
         ["rules[0].apiGroups"]),
        ("networking.k8s.io/v1", "Ingress", {"spec": {}}, ["spec"]),
        ("policy/v1", "PodDisruptionBudget", {"spec": {"maxUnavailable": 1, "minAvailable": 1}}, ["spec"]),
        ("autoscaling/v2", "HorizontalPodAutoscaler",
         {"spec": {"maxReplicas": 1, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
                   "behavior": {"scaleUp": {"policies": []}}}}, ["spec.behavior.scaleUp.policies"]),
        ("apiregistration.k8s.io/v1", "APIService",
         {"spec": {"group": "a.b", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1001}},
         ["metadata.name", "spec.versionPriority"]),
        ("v1", "Service", {"spec": {"ports": [{"port": 2**32 + 80}]}}, []),
        ("v1", "Service", {"spec": {"ports": [{"port": 80, "targetPort": 2**32 + 80}]}},
         ["spec.ports[port=80,protocol=TCP].targetPort", "spec.ports[port=80,protocol=TCP].targetPort"]),
        ("apps/v1", "Deployment", {"spec": {**pods(), "selector": {"matchLabels": {"a": "c"}}}},
         ["spec.template.metadata.labels"]),
        ("apps/v1", "Deployment",
         {"spec": {**pods(), "strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}}},
         ["spec.strategy.rollingUpdate"]),
    ],
)  # fmt: skip
def test_rules_between_fields(api_version: str, kind: str, rest: JsonObject, paths: list[str]) -> None:
    assert refused(api_version, kind, **rest) == paths


@pytest.mark.parametrize("schedule", ["* * * * *", "*/5 0-3 1,15 jan-mar mon", "@daily", "@every 1h", "0 0 ? * SUN"])
def test_schedules(schedule: str) -> None:
    assert not builtin_value_format_error("schedule", schedule)


@pytest.mark.parametrize(
    "schedule", ["* * * *", "60 * * * *", "* * 0 * *", "*/0 * * * *", "@often", "5-1 * * * *", "a * * * *"]
)
def test_no_schedules(schedule: str) -> None:
    assert builtin_value_format_error("schedule", schedule)


def test_the_tables_name_types_and_fields_that_exist() -> None:
    for name, fields in builtin_values.builtin_value_table().items():
        kind = TYPES.resolve("#" + name)
        assert {field for field, *_ in fields} <= set(kind.names), name
    for name in RULES:
        assert TYPES.resolve("#" + name).names


def test_what_the_controller_of_a_stateful_set_overwrites_is_not_judged() -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {}}, {"name": "other", "persistentVolumeClaim": {}}]
    template = {"spec": {"hostname": "not a host", "subdomain": "a.b", "volumes": volumes}}
    spec = {"template": template, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}
    judged = stateful_set_without_overwritten_fields({"spec": spec})["spec"]["template"]["spec"]
    assert judged == {"volumes": [{"name": "other", "persistentVolumeClaim": {}}]}
