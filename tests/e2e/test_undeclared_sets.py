"""A lane or a node that leaves the configuration is named in every plan of its node, and `destroy --set` takes it away;
a scope that lacks what another one declares says which."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import LANE, REPOSITORY
from tests.e2e.hwplan import Hwplan, changes


@pytest.fixture
def moving(tmp_path: Path) -> Hwplan:
    """G14 with lanes v02 and v03 applied, from a configuration that a test may change."""
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    Hwplan(tmp_path, ())("sandbox", "create", "box", "--config", "config", "--node", "G14")
    found = Hwplan(tmp_path, ("--live", "box", "--config", "config"))
    found("apply", "--node", "G14", "--confirm", "-q")
    return found


def change_lanes(folder: Path, change: str) -> None:
    path = folder / "config" / "hwlab-node-lanes.yaml"
    documents = list(yaml.safe_load_all(path.read_text()))
    for document in documents:
        if change == "without v02":
            document["nodes"]["G14"].pop("v02")
        elif change == "v02 disabled":
            document["nodes"]["G14"]["v02"] = {"enabled": False}
        else:
            document["nodes"].pop("G14")
    path.write_text(yaml.safe_dump_all(documents))


@pytest.mark.parametrize("change", ["without v02", "v02 disabled"])
def test_a_lane_that_leaves_is_named_until_it_is_taken_away(moving: Hwplan, change: str) -> None:
    assert not [one for one in moving.plan("--node", "G14")["warnings"] if "the set" in one]
    change_lanes(moving.folder, change)
    (reported,) = [one for one in moving.plan("--node", "G14")["warnings"] if "the set" in one]
    assert "hwlab.G14.v02" in reported and "hwplan destroy --set hwlab.G14.v02" in reported
    assert "hwlab.G14.v02" in moving("plan", "--node", "G14", "--lane", "v03", "--scope", "runtime").out
    plan = moving("destroy", "--set", "hwlab.G14.v02", "--json").json
    assert {
        "Application.argoproj.io/argocd/hwlab-v02",
        "Role.rbac.authorization.k8s.io/hwlab-v02-ci/hwlab-v02-ci",
    } <= set(changes(plan))
    assert not [one for one in changes(plan) if "v03" in one or "devops-infra" in one] and not plan["blocked"]
    shown = moving("destroy", "--set", "hwlab.G14.v02").out
    assert f"--set hwlab.G14.v02 --live box --plan-id {plan['id'][:39]}" in shown
    moving("destroy", "--set", "hwlab.G14.v02", "--plan-id", plan["id"], "--confirm", "-q")
    assert not [one for one in moving.plan("--node", "G14")["warnings"] if "the set" in one]
    assert "nothing to do" in moving("destroy", "--set", "hwlab.G14.v02", "--confirm").out


def test_a_node_that_leaves_is_named_where_its_objects_are(moving: Hwplan) -> None:
    change_lanes(moving.folder, "without G14")
    plan = moving("plan", "--node", "D601", "--scope", "infra", "--json", code=None).json
    reported = [one for one in plan["warnings"] if "the set" in one]
    assert ["hwlab.G14 " in one for one in reported].count(True) == 1


def test_what_only_the_state_knows_is_named_too(moving: Hwplan) -> None:
    change_lanes(moving.folder, "without v02")
    Hwplan(moving.folder, ())("sandbox", "create", "empty", "--config", "config", "--node", "G14")
    other = Hwplan(moving.folder, ("--live", "empty", "--config", "config", "--state", "box/.hwplan/state.db"))
    assert "destroy --set hwlab.G14.v02" in other("plan", "--node", "G14").out


def test_a_set_that_is_declared_or_unknown_is_refused(moving: Hwplan) -> None:
    declared = moving("destroy", "--set", "hwlab.G14.v03", code=None)
    assert declared.code == 1 and "hwplan destroy --node G14 --lane v03" in declared.err
    unknown = moving("destroy", "--set", "hwlab.G14.v33", code=None)
    assert unknown.code == 1 and "hwlab.G14.v03" in unknown.err
    assert "everything of a set" in moving("destroy", "--set", "x", "--node", "G14", code=1).err
    assert "names nothing" in moving("destroy", "--set", "", code=1).err


def test_a_set_of_plain_manifests_goes_without_them(hwplan: Hwplan, unique: str) -> None:
    document = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {unique}, namespace: default}}\n"
    hwplan("apply", "-f", "-", "--name", unique, "--confirm", stdin=document)
    assert changes(hwplan("destroy", "--set", unique, "--json").json) == {f"ConfigMap/default/{unique}": "delete"}
    hwplan("destroy", "--set", unique, "--confirm")
    assert changes(hwplan("destroy", "--set", unique, "--json").json) == {}


def test_a_scope_that_lacks_its_namespace_names_the_scope_to_add(lane_box: Hwplan) -> None:
    plan = lane_box("plan", *LANE, "--scope", "argo", "--json", code=1).json
    assert {one["remedy"] for one in plan["blocked"]} == {"add --scope infra"}
    assert all("is declared in scope infra" in one["reason"] for one in plan["blocked"])
    assert lane_box.plan(*LANE, "--scope", "argo", "--scope", "infra")["blocked"] == []
    gate = lane_box("plan", *LANE, "--scope", "gate", code=None)
    assert gate.code == 1 and "add --scope argo" in gate.err
