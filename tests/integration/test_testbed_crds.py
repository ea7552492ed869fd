"""The custom resource definitions of the testbed: ours behave as the published ones do."""

import os
from typing import Any

import pytest

from tests.testbed import crds
from tests.testbed.cluster import TestCluster
from tests.testbed.tekton_crds import small_tekton_crds

TASK_SPEC = {
    "description": "builds",
    "params": [{"name": "ref", "type": "string", "default": "main"}],
    "results": [{"name": "digest", "description": "of the image"}],
    "stepTemplate": {
        "env": [{"name": "HOME", "value": "/tmp"}],
        "securityContext": {"runAsNonRoot": True},
        "computeResources": {"limits": {"cpu": 1}},
    },
    "steps": [{"name": "run", "image": "example/builder:1", "script": "true", "env": [{"name": "A", "value": "b"}]}],
    "sidecars": [{"name": "cache", "image": "example/cache:1", "ports": [{"containerPort": 80}]}],
    "volumes": [{"name": "tmp", "emptyDir": {}}],
    "workspaces": [{"name": "source", "optional": True}],
}
PIPELINE_SPEC = {
    "params": [{"name": "ref", "type": "array", "default": ["a"]}],
    "tasks": [
        {"name": "build", "taskRef": {"name": "build"}, "params": [{"name": "ref", "value": "$(params.ref)"}]},
        {
            "name": "push",
            "runAfter": ["build"],
            "taskSpec": TASK_SPEC,
            "when": [{"input": "a", "operator": "in", "values": ["a"]}],
        },
    ],
    "finally": [{"name": "note", "taskRef": {"name": "note"}}],
    "results": [{"name": "digest", "value": "$(tasks.build.results.digest)"}],
}
POD_TEMPLATE = {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "x"}], "securityContext": {"runAsUser": 1}}
RUN_SPEC = {
    "pipelineRef": {"name": "lane"},
    "params": [{"name": "ref", "value": ["a", "b"]}],
    "timeouts": {"pipeline": "1h0m0s"},
    "taskRunTemplate": {
        "serviceAccountName": "ci",
        "podTemplate": POD_TEMPLATE,
    },
    "workspaces": [{"name": "source", "volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}],
}
TEKTON_CRD_SETS = ["small", *(["published"] if crds.TEKTON_FOLDER_VARIABLE in os.environ else [])]


@pytest.mark.parametrize("crd_set", TEKTON_CRD_SETS)
def test_tekton_crds_default_and_own_the_same_fields(api_server: TestCluster, api_namespace: str, crd_set: str) -> None:
    api = api_server.api()
    crds.install(api, small_tekton_crds() if crd_set == "small" else crds.tekton_crds())
    stored = {}
    for kind, spec in {"Task": TASK_SPEC, "Pipeline": PIPELINE_SPEC, "PipelineRun": RUN_SPEC}.items():
        path = f"/apis/tekton.dev/v1/namespaces/{api_namespace}/{kind.lower()}s/a"
        stored[kind] = api.apply(
            path, {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}
        )
    task, pipeline, run = stored.values()
    (sidecar,) = task["spec"].pop("sidecars")
    assert sidecar["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert task["spec"] == {name: value for name, value in TASK_SPEC.items() if name != "sidecars"}
    assert (pipeline["spec"], run["spec"]) == (PIPELINE_SPEC, RUN_SPEC)
    leaves = {
        kind: owned_leaves(made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]) for kind, made in stored.items()
    }
    step, pod = "stepTemplate.", "taskRunTemplate.podTemplate."
    of_step = [f"{step}computeResources.limits.cpu", f"{step}env", f"{step}securityContext.runAsNonRoot"]
    of_pod = [f"{pod}nodeSelector.a", f"{pod}securityContext.runAsUser", f"{pod}tolerations"]
    assert leaves == {
        "Task": ["description", "params", "results", "sidecars", *of_step, "steps", "volumes", "workspaces"],
        "Pipeline": ["finally", "params", "results", "tasks"],
        "PipelineRun": [
            *("params", "pipelineRef.name", *of_pod),
            *("taskRunTemplate.serviceAccountName", "timeouts.pipeline", "workspaces"),
        ],
    }


def owned_leaves(fields: dict[str, Any], above: str = "") -> list[str]:
    """Return the paths that a managedFields entry owns and that own nothing further down."""
    paths = []
    for name, below in sorted(fields.items()):
        path = f"{above}{name.removeprefix('f:')}"
        paths += owned_leaves(below, f"{path}.") if below else [path]
    return paths


def test_argo_crds_install_and_the_manifest_is_the_official_one(api_server: TestCluster) -> None:
    documents = crds.argo_crds()
    assert [document["spec"]["names"]["kind"] for document in documents] == [
        "Application",
        "ApplicationSet",
        "AppProject",
    ]
    crds.install(
        api_server.api(), [document for document in documents if "Set" not in document["spec"]["names"]["kind"]]
    )
    assert "quay.io/argoproj/argocd:v3.2.11" in crds.argo_install_manifest().read_text()
