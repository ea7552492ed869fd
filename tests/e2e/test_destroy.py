"""`hwplan destroy`: targets, lanes and scopes, what stays on purpose, and the approval of exactly this plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e import manifests
from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan, change_of, changes

TWO_USERS = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {ns}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: shared, namespace: {ns}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: a, namespace: {ns}}}
spec:
  containers: [{{name: a, image: "registry.test/a:1", envFrom: [{{configMapRef: {{name: shared}}}}]}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: b, namespace: {ns}}}
spec:
  containers: [{{name: b, image: "registry.test/b:1", envFrom: [{{configMapRef: {{name: shared}}}}]}}]
"""
ORPHAN = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, namespace: default, annotations: {{hwplan.dev/{mark}}}}}
data: {{a: "1"}}
"""


def test_a_target_takes_what_needs_it_and_never_what_it_needs(simulated: Hwplan, unique: str) -> None:
    words = ("-f", manifests.write(simulated.folder, "app.yaml", TWO_USERS.format(ns=unique)), "--name", unique)
    simulated("apply", *words, "--confirm", "--no-wait")
    pod, shared = f"Pod/{unique}/a", f"ConfigMap/{unique}/shared"
    assert changes(simulated("destroy", *words, "--target", pod, "--json").json) == {pod: "delete"}
    plan = simulated("destroy", *words, "--target", shared, "--json").json
    assert list(changes(plan)) == [f"Pod/{unique}/b", pod, shared] and plan["blocked"] == []
    assert sorted(change_of(plan, shared)["needs"]) == [pod, f"Pod/{unique}/b"]
    held = simulated("destroy", *words, "--exclude", pod, "--json", code=1).json
    assert changes(held) == {f"Pod/{unique}/b": "delete"}
    assert {one["address"] for one in held["blocked"]} == {shared, f"Namespace/{unique}"}
    assert simulated("destroy", *words, "--target", "Pod/*/c", code=1).err.startswith("error: --target")


@pytest.mark.parametrize("mark", ["on-delete: orphan", 'protect: "true"'])
def test_what_stays_on_purpose_is_named_once_and_free_for_others(hwplan: Hwplan, unique: str, mark: str) -> None:
    address = f"ConfigMap/default/{unique}"
    file = manifests.write(hwplan.folder, "one.yaml", ORPHAN.format(name=unique, mark=mark))
    words = ("-f", file, "--name", unique)
    hwplan("apply", *words, "--confirm")
    plan = hwplan("destroy", *words, "--json").json
    assert changes(plan) == {address: "forget"} and plan["summary"]["forget"] == 1
    lost = {field["path"]: field["op"] for field in change_of(plan, address)["fields"]}
    assert set(lost) == {"metadata.annotations[hwplan.dev/applied]", "metadata.labels[hwplan.dev/set]"}
    hwplan("destroy", *words, "--confirm")
    assert changes(hwplan("destroy", *words, "--json").json) == {}
    assert unique not in hwplan("state", "list").out, "the state holds no record of it"
    other = ("-f", file, "--name", f"{unique}-b")
    assert changes(hwplan("plan", *other, "--json").json) == {address: "adopt"}
    hwplan("apply", *other, "--confirm")
    hwplan.empty(*other)
    hwplan("destroy", *other, "--confirm")


def test_a_destroy_is_approved_and_saved_like_an_apply(simulated: Hwplan, unique: str) -> None:
    words = ("-f", manifests.write(simulated.folder, "app.yaml", manifests.APP.format(ns=unique)), "--name", unique)
    simulated("apply", *words, "--confirm")
    shown = simulated("destroy", *words, "--out", "gone.json", "--format", "markdown").out
    assert f"Deployment.apps/{unique}/web" in shown and "destroy" in shown
    assert simulated("destroy", *words, "--format", "html").out.startswith("<!doctype html>")
    identifier = json.loads((simulated.folder / "gone.json").read_text())["id"]
    refused = simulated("destroy", *words, "--plan-id", identifier.replace("sha256:", "sha256:0"), "--confirm", code=3)
    assert "not sha256:0" in refused.err
    simulated("destroy", *words, "--plan-id", identifier, "--confirm")
    assert changes(simulated("destroy", *words, "--json").json) == {}


def test_a_saved_destroy_is_applied_from_its_file(simulated: Hwplan, unique: str) -> None:
    words = ("-f", manifests.write(simulated.folder, "app.yaml", manifests.APP.format(ns=unique)), "--name", unique)
    simulated("apply", *words, "--confirm")
    simulated("destroy", *words, "--out", "gone.json")
    simulated("apply", "gone.json", "--confirm")
    assert changes(simulated("destroy", *words, "--json").json) == {}


# --- lanes and scopes ----------------------------------------------------------------------------------------------

NODE = ("--config", str(REPOSITORY / "config"), "--node", "G14")
_SHARED = ("Namespace/devops-infra", "Deployment.apps/devops-infra/git-mirror", "PriorityClass")


@pytest.fixture
def two_lanes(tmp_path: Path) -> Hwplan:
    """The sandbox of G14 with both of its lanes applied."""
    box = tmp_path / "box"
    Hwplan(tmp_path, ())("sandbox", "create", str(box), *NODE)
    found = Hwplan(tmp_path, ("--live", str(box)))
    found("apply", *NODE, "--confirm", "-q")
    return found


def test_a_lane_goes_alone(two_lanes: Hwplan) -> None:
    plan = two_lanes("destroy", *NODE, "--lane", "v03", "--json").json
    found = changes(plan)
    assert plan["blocked"] == [] and not plan["warnings"]
    assert not [one for one in found if "v02" in one or one.startswith(_SHARED)], "what others still use stays"
    assert {"Application.argoproj.io/argocd/hwlab-v03", "ResourceQuota/hwlab-v03/bounds"} <= set(found)
    assert found["Namespace/hwlab-v03"] == "forget", "it is protected"
    two_lanes("destroy", *NODE, "--lane", "v03", "--confirm", "-q")
    assert changes(two_lanes("destroy", *NODE, "--lane", "v03", "--json").json) == {}
    two_lanes.empty(*NODE, "--lane", "v02", "--scope", "runtime", "--scope", "git-mirror")


def test_a_scope_leaves_what_other_scopes_use_and_names_them(two_lanes: Hwplan) -> None:
    plan = two_lanes("destroy", *NODE, "--scope", "infra", "--json", code=1).json
    held = {one["address"]: one for one in plan["blocked"]}
    assert "still uses it" in held["ConfigMap/devops-infra/node-egress"]["reason"]
    assert "--scope git-mirror" in held["ConfigMap/devops-infra/node-egress"]["remedy"]
    assert not [one for one in changes(plan) if "hwlab-cloud-api" in one]
