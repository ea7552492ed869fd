"""Mounts of volumes that are not there, in Pods and in templates of workloads."""

from __future__ import annotations

from typing import Any

import pytest

from providers.kubernetes.ssa.builtin_validation_rules import RULES


def _template(*volumes: str) -> dict[str, Any]:
    container = {"name": "db", "image": "db:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    return {"spec": {"containers": [container], "volumes": [{"name": one} for one in volumes]}}


def _found(kind: str, value: dict[str, Any]) -> list[str]:
    problems = [problem for rule in RULES[kind] for problem in rule(value)]
    return [".".join(map(str, path)) for path, text in problems if text.startswith("Not found")]


def test_a_claim_template_of_a_stateful_set_is_a_volume() -> None:
    """What an API server accepts: `volumeClaimTemplates` give volumes to the pods."""
    claims = [{"metadata": {"name": "data"}}]
    assert _found("apps.v1.StatefulSetSpec", {"template": _template(), "volumeClaimTemplates": claims}) == []


@pytest.mark.parametrize("kind", ["apps.v1.StatefulSetSpec", "apps.v1.DeploymentSpec", "batch.v1.JobSpec"])
def test_a_mount_without_its_volume_is_found(kind: str) -> None:
    assert _found(kind, {"template": _template("data")}) == []
    assert _found(kind, {"template": _template("other")}) == ["template.spec.containers.0.volumeMounts"]


def test_a_pod_is_checked_as_well() -> None:
    assert _found("core.v1.Pod", _template()) == ["spec.containers.0.volumeMounts"]
