"""`hwplan fleet`: the shipped configuration in sandboxes, and lanes on a real API server beside one that is down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import two_nodes
from tests.e2e.conftest import REPOSITORY
from tests.e2e.hwplan import Hwplan
from tests.testbed import control_plane
from tests.testbed.cluster import TestCluster

PASSWORD = "correct-horse-battery-staple"
IMAGE = "ghcr.io/acme/hwplan:1"
SHIPPED = ("--config", str(REPOSITORY / "config"))


def rows(document: Any) -> dict[tuple[str, str, str], Any]:
    """The shards by product, node and lane."""
    return {(one["product"], one["node"], one["lane"]): one for one in document["shards"]}


def states(document: Any) -> list[str]:
    return [one["state"] for one in document["shards"]]


@pytest.mark.timeout(900)  # forty shards of the shipped configuration, each a plan of its own
def test_the_shipped_fleet_from_nothing_to_aligned_to_drift(tmp_path: Path) -> None:
    hwplan = Hwplan(tmp_path, SHIPPED)
    made = hwplan("sandbox", "create", "box", "--fleet").out
    assert made.endswith("all of them: hwplan fleet --live box\n")
    box = Hwplan(tmp_path, (*SHIPPED, "--live", "box"))

    before = box("fleet", "--json", code=2).json
    found = rows(before)
    assert len(found) == before["summary"]["shards"] == 14 and before["simulated"]
    assert [one["index"] for one in before["shards"]] == list(range(14))
    assert before["summary"]["aligned"] == before["summary"]["failed"] == before["summary"]["unreachable"] == 0
    waiting = found["agentrun", "G14", "v01"]  # Argo CD is of another product
    assert waiting["state"] == "blocked" and waiting["problems"][0]["remedy"]

    for node in ("D518", "D601", "G14", "JD01"):
        apart = Hwplan(tmp_path, (*SHIPPED, "--live", f"box/{node}"))
        alone = apart.plan("--product", "hwlab", "--node", node, "--lane", "v03")
        row = found["hwlab", node, "v03"]
        assert row["plan"] == alone["id"] and row["cluster"] == alone["cluster"], "as `plan` of this lane"
        assert row["counts"]["create"] == alone["summary"]["create"]
        apart("apply", "--product", "all", "--node", node, "--confirm", "-q")

    page = box("fleet", code=0).out
    assert page.startswith("14 shards on 4 nodes · simulated\n") and page.endswith("\n14 aligned\n")

    hwplan("sandbox", "set", "box/D601", "Deployment.apps/hwlab-v03/openfga", "spec.replicas=7", "--manager", "night")
    after = box("fleet", "--node", "D*", "--json", code=2).json
    differing = {place for place, one in rows(after).items() if one["state"] != "aligned"}
    assert differing == {("hwlab", "D601", "v03")}
    (drifted,) = (one for one in after["shards"] if one["state"] == "drift")
    assert (drifted["counts"]["drifted"], drifted["counts"]["update"]) == (1, 1)
    page = box("fleet", "--node", "D601", "--lane", "v03", "--product", "hwlab", code=2).out
    assert "drift 1" in page and "hwplan drift --product hwlab --node D601 --lane v03 --live box/D601" in page


@pytest.fixture
def two(api_server: TestCluster, tmp_path: Path, unique: str) -> Hwplan:
    """Two nodes: east is a real API server, at the address of west nobody listens. In lane green stands in clear what
    is the secret of lane blue."""
    two_nodes.write(tmp_path, unique, password=PASSWORD, level=PASSWORD)
    dead = control_plane.write_kubeconfig(tmp_path / "dead", "https://127.0.0.1:1", api_server.ca, {"token": "none"})
    kubeconfig = two_nodes.write_kubeconfig(tmp_path / "kubeconfig", {"east": api_server.kubeconfig, "west": dead})
    return Hwplan(tmp_path, ("--kubeconfig", str(kubeconfig), "--state", str(tmp_path / "state.db")))


def test_a_node_that_is_down_hides_no_other(two: Hwplan) -> None:
    ran = two("fleet", "--json", code=1)
    found = ran.json
    assert states(found) == ["would change", "would change", "unreachable", "unreachable"] and found["exitCode"] == 1
    for row in found["shards"][2:]:
        (problem,) = row["problems"]
        assert "cannot reach the API server" in problem["message"] and problem["where"] and problem["remedy"]
        assert row["plan"] is None and row["cluster"] is None and row["counts"] is None
    page = two("fleet", code=1)
    assert page.out.count("cannot reach the API server: Connection refused") == 2 and page.err == ""
    assert "\n2 would change, 2 unreachable\n" in page.out
    assert two("fleet", "-q", code=1).out == "2 would change, 2 unreachable\n"


def test_a_secret_of_one_shard_changes_nothing_of_another(two: Hwplan) -> None:
    """Masked by what another shard knows, lane green would have another plan here than alone."""
    east = ("--node", "east")
    ran = two("fleet", *east, "--json", "--concurrency", "1", code=2)
    for row in ran.json["shards"]:
        alone = two.plan(*east, "--lane", row["lane"])
        assert row["plan"] == alone["id"]
    shown = two("fleet", *east, code=2)
    assert PASSWORD not in ran.out + ran.err + shown.out + shown.err


def test_the_same_fleet_has_the_same_bytes(two: Hwplan) -> None:
    said = {two("fleet", "--json", "--concurrency", count, code=1).out for count in ("1", "4")}
    assert len(said) == 1


def test_parts_are_what_the_pods_look_at(two: Hwplan) -> None:
    whole = two("fleet", "--json", code=1).json["shards"]
    parts = [two("fleet", "--json", "--shard", f"{at}/3", code=None).json["shards"] for at in range(3)]
    assert [[one["index"] for one in part] for part in parts] == [[0, 3], [1], [2]]
    assert sorted((one for part in parts for one in part), key=lambda one: one["index"]) == whole
    assert two("fleet", "--shard", "7/8").out.endswith("\nno shard has this number\n")


def test_every_kind_of_trouble_at_once(two: Hwplan) -> None:
    """A context that is missing, a source that is missing, a template that is broken: each in its own row."""
    kubeconfig = json.loads((two.folder / "kubeconfig").read_text())
    kubeconfig["contexts"] = [one for one in kubeconfig["contexts"] if one["name"] == "east"]
    (two.folder / "kubeconfig").write_text(json.dumps(kubeconfig))
    (two.folder / "secrets" / "blue.env").unlink()
    template = two.folder / "templates" / "shop" / "app" / "10-app.yaml.j2"
    broken = "{% if lane.name == 'green' %}{{ nothing }}{{ values.nothing }}{% endif %}\n"
    template.write_text(template.read_text() + broken)
    found = rows(two("fleet", "--json", code=1).json)
    blue, green = found["shop", "east", "blue"], found["shop", "east", "green"]
    assert blue["state"] == "blocked" and "blue.env" in blue["problems"][0]["message"]
    assert green["state"] == "failed" and "10-app.yaml.j2:2" in green["problems"][0]["where"]
    assert "nothing" in green["problems"][0]["message"]
    west = found["shop", "west", "blue"]
    assert west["state"] == "failed" and west["problems"][0]["remedy"] == "contexts are: east"


def test_what_is_refused_says_what_to_do(two: Hwplan) -> None:
    for words, expected in (
        (("--all",), "every lane on every node"),
        (("--render",), "--format job"),
        (("--shard", "4/4"), "INDEX/COUNT"),
        (("--shard", "x"), "INDEX/COUNT"),
        (("--image", IMAGE), "goes with --format job"),
        (("--format", "job"), "--image IMAGE"),
        (("--format", "job", "--image", IMAGE, "--shard", "0/4"), "manifests are of all shards"),
        (("--format", "job", "--image", IMAGE), "--kubeconfig-secret NAME"),
        (("--format", "job", "--image", "bad", "--run-in", "A b"), "--image, --run-in: not in the expected form"),
        (("--timeout", "0s"), "--timeout"),
        (("--node", "wset"), "west"),
        (("--context", "east"), "--context: one context"),
        (("-f", "a.yaml"), "No such option"),
    ):
        ran = two("fleet", *words, code=1)
        assert expected in ran.err and ran.out == "", (words, ran.err)


def test_the_fleet_of_a_folder_is_made_whole_or_not_at_all(two: Hwplan) -> None:
    plain = Hwplan(two.folder, ())
    plain("sandbox", "create", "box", "--fleet")
    assert {one.name for one in (two.folder / "box").iterdir()} == {"east", "west"}
    assert "exists already" in plain("sandbox", "create", "box", "--fleet", code=1).err
    assert "--lane" in plain("sandbox", "create", "other", "--fleet", "--lane", "blue", code=1).err
    plain("fleet", "--live", "box", "--out", "matrix.json", "--json", code=2)
    assert states(json.loads((two.folder / "matrix.json").read_text())) == ["would change"] * 4
    (two.folder / "box" / "west").rename(two.folder / "gone")
    missing = rows(plain("fleet", "--live", "box", "--json", code=1).json)["shop", "west", "blue"]
    assert missing["state"] == "failed" and "hwplan sandbox create" in missing["problems"][0]["remedy"]
