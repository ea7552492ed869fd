"""What kubectl made becomes a product: its first plan adopts every object and changes nothing, the second is empty."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from planner.address import is_hwplan_kind
from planner.values import SealedSecret
from tests.e2e.hwplan import Hwplan
from tests.testbed import crds
from tests.testbed.cluster import TestCluster
from tests.unit.loading.fakes import shipped

SECRET = "sEcReT-91-value"
OURS = (
    "hwplan.dev/set",
    "hwplan.dev/applied",
    "kubectl.kubernetes.io/last-applied-configuration",
)  # of the adoption itself


def lane(unique: str) -> list[dict[str, Any]]:
    """The Kubernetes objects of D601/v03 as somebody without hwplan would have them, under names of their own."""
    found = []
    for one in shipped("D601", "v03").resources:
        if is_hwplan_kind(one.api_version) or one.address.namespace == "kube-public":
            continue
        document = json.loads(json.dumps(one.manifest, default=_value))
        for part in ("labels", "annotations"):
            texts = document["metadata"].get(part, {})
            document["metadata"][part] = {key: text for key, text in texts.items() if not key.startswith("hwplan.dev/")}
        text = json.dumps(document)
        for name in ("hwlab", "devops-infra", "argocd"):
            text = text.replace(f'"{name}', f'"{unique}-{name}')
        found.append(json.loads(text))
    return sorted(found, key=lambda document: document["kind"] != "Namespace")


def _value(leaf: object) -> str:
    assert isinstance(leaf, SealedSecret)
    return base64.b64encode(SECRET.encode()).decode()


@pytest.mark.timeout(900)
def test_a_lane_made_by_kubectl_is_adopted_without_a_change(real: Hwplan, api_server: TestCluster, unique: str) -> None:
    crds.install(api_server.api(), [*crds.tekton_crds(), *crds.argo_crds()])
    objects = lane(unique)
    spaces = sorted({one["metadata"]["namespace"] for one in objects if one["metadata"].get("namespace")})
    for name in spaces:
        if name not in {one["metadata"]["name"] for one in objects if one["kind"] == "Namespace"}:
            api_server.api().create("/api/v1/namespaces", {"metadata": {"name": name}})
    made = api_server.run_kubectl(
        "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    )
    assert made.returncode == 0, made.stderr
    context = api_server.run_kubectl("config", "current-context").stdout.strip()
    also = ("--also", f"PriorityClass.scheduling.k8s.io/{unique}-*", "--also", f"*/{unique}-*")
    said = real("import", "legacy", *spaces, *also, "--context", context)
    files = [file for file in real.folder.rglob("*") if file.is_file() and file.suffix in (".yaml", ".j2")]
    text = "".join(file.read_text() for file in files)
    assert SECRET not in text and base64.b64encode(SECRET.encode()).decode() not in text
    for noise in ("managedFields", "resourceVersion", "kube-root-ca.crt", "last-applied-configuration", "\nstatus:"):
        assert noise not in text, noise

    words = ("--product", "legacy", "--context", context)
    plan = real.plan(*words)
    declared = {(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in objects}
    adopted = {(one["kind"], one["namespace"], one["name"]) for one in plan["changes"] if one["action"] == "adopt"}
    assert declared <= adopted, (declared - adopted, said.out)
    assert {one["action"] for one in plan["changes"]} == {"adopt"} and not plan["blocked"]
    changed = [(one["address"], field) for one in plan["changes"] for field in one["fields"]]
    assert [what for what in changed if not any(mark in what[1]["path"] for mark in OURS)] == []
    print(f"{len(declared)} declared by kubectl, {len(adopted)} adopted")

    assert "exists already" in real("import", "legacy", *spaces, "--context", context, code=3).err
    real("apply", *words, "--confirm", "--no-wait", "-q")
    real.empty(*words)
