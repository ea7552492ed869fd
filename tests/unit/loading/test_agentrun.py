"""AgentRun as it is shipped: a product of another shape, in YAML alone (S26 to S28, decisions A4, A7, A9, A10)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from planner.errors import ConfigError
from planner.graph import build_graph
from planner.loading import LoadResult
from planner.loading.config import load_config
from planner.loading.product_stack import load_product_stack
from planner.plan import Selection
from planner.values import OutputTemplate
from tests.unit.loading.fakes import ROOT, KeyedFingerprinter

NODES = {"G14": "v01", "D601": "v02"}


def _stack(product: str, node: str, folder: Path = ROOT / "config", scopes: tuple[str, ...] = ()) -> LoadResult:
    config = load_config(folder, ROOT / "templates")
    return load_product_stack(
        config, Selection(product, nodes=(node,), scopes=scopes), KeyedFingerprinter(), environ={}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the configuration that a test changes."""
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


def _change(folder: Path, old: str, new: str) -> None:
    text = (folder / "agentrun.yaml").read_text()
    assert old in text
    (folder / "agentrun.yaml").write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(("node", "lane"), sorted(NODES.items()))
def test_names_that_outsiders_see(node: str, lane: str) -> None:
    """S26, S27, B17: v01 on G14 is built from the mirror's snapshot as v02 on D601 is."""
    found = {
        one.address.local: one.manifest for one in _stack("agentrun", node, scopes=("rollout", "cleanup")).resources
    }
    run = found[f"PipelineRun/agentrun-{lane}-ci"]["spec"]["manifest"]["metadata"]["name"]
    assert isinstance(run, OutputTemplate) and run.parts[0] == f"agentrun-{lane}-ci-"
    branch = lane.replace("v0", "v0.")
    snapshot = found[f"GitRef/snapshot-agentrun-{branch}"]["spec"]["to"]["ref"]
    assert snapshot.parts[0] == f"refs/unidesk/snapshots/agentrun-yaml-lane/{branch}/"
    assert f"GitRef/flush-agentrun-{branch}-gitops" in found
    retention = [one for name, one in found.items() if name.startswith("Retention/")]
    assert all(f"agentrun-{lane}'" not in repr(one["spec"]["selector"]) for one in retention)  # A22: CI alone


def test_a7_the_environment_of_the_manager_comes_from_yaml_alone(folder: Path) -> None:
    _change(folder, "egressProxyUrl: http://10.42.0.1:7890", "egressProxyUrl: http://10.42.9.9:7890")
    stack = _stack("agentrun", "D601", folder, ("rollout",))
    commit = next(one for one in stack.resources if one.address.kind == "GitCommit").manifest["spec"]
    text = "".join(part if isinstance(part, str) else "" for part in commit["files"]["manager.yaml"].parts)
    for name in ("AGENTRUN_RUNNER_EGRESS_PROXY_URL", "AGENTRUN_RUNNER_NO_PROXY_EXTRA", "AGENTRUN_SOURCE_COMMIT"):
        assert name in text
    assert "http://10.42.9.9:7890" in text


@pytest.mark.parametrize("node", sorted(NODES))
def test_a4_products_add_remotes_to_the_mirror_and_declare_none_of_it(node: str) -> None:
    ours, theirs = _stack("agentrun", node, scopes=("all",)), _stack("hwlab", node, scopes=("all",))
    assert not {one.address for one in ours.resources} & {one.address for one in theirs.resources}
    assert not set(ours.owned) & set(theirs.owned)
    mirror = {one.address.local: one.manifest for one in theirs.resources}
    remotes = mirror["ConfigMap/devops-infra/git-mirror-remotes"]["data"]["remotes.txt"]
    assert "remote agentrun " in remotes and "remote hwlab " in remotes
    assert not [one for one in ours.resources if one.address.namespace == "devops-infra"]
    parts = [one for one in theirs.resources if one.scope == "git-mirror" and one.address.namespace == "devops-infra"]
    assert {"Deployment", "Service", "PersistentVolumeClaim", "Secret"} <= {one.address.kind for one in parts}
    objects = [one for one in parts if not one.api_version.startswith("hwplan.dev/")]
    assert [one.address.local for one in objects if one.options.on_delete != "orphan"] == [], "no product prunes it"


def test_all_products_of_a_node_are_one_plan() -> None:
    both = _stack("all", "D601")
    parts = [_stack(name, "D601") for name in load_config(ROOT / "config").products if _has_lanes(name)]
    assert {one.address for one in both.resources} == {one.address for part in parts for one in part.resources}
    assert set(both.owned) == {name for part in parts for name in part.owned}
    build_graph(both.resources)


def _has_lanes(product: str) -> bool:
    return "D601" in load_config(ROOT / "config").nodes_of(product)


def test_a_remote_that_stands_in_two_places_is_named(folder: Path) -> None:
    _change(folder, "remotes:\n  agentrun:", "remotes:\n  hwlab:")
    with pytest.raises(ConfigError) as caught:
        load_config(folder, ROOT / "templates")
    assert "the git mirror of G14 has the remote hwlab already" in {one.message for one in caught.value.problems}


def test_a_new_lane_is_three_lines(folder: Path) -> None:
    _change(folder, "nodes:\n", "nodes:\n  D518:\n    v02:\n      description: a second site\n")
    stack = _stack("agentrun", "D518", folder)
    assert "agentrun.D518.v02" in stack.owned and len(stack.resources) > 10


@pytest.mark.parametrize(
    ("old", "new", "message", "remedy"),
    [
        ("heartbeatWindow:", "heartbeatWidnow:", 'unknown field "heartbeatWidnow"', 'did you mean "heartbeatWindow"?'),
        ("configToml: config.toml, authJson: auth.json", "configToml: config.toml, endpoint: https://x.example",
         "provider: endpoint is there, but there is no authJson or apiKey", "add authJson or apiKey"),
        ("  remote: agentrun\n", "  remote: agentrun\n  deployJson: deploy/deploy.json\n",
         "deployJson is refused: deploy/deploy.json is never the truth of a deployment", "take it away"),
        ("  remote: agentrun\n", "  remote: agentrun\n  sourceWorkspace: /srv/agentrun\n",
         "sourceWorkspace is refused: a workspace of a host is no source", "take it away"),
        ("mode: external", "mode: local", "database.mode: expected 'external'", ""),
    ],
)  # fmt: skip
def test_what_validate_refuses(folder: Path, old: str, new: str, message: str, remedy: str) -> None:
    """A9, A10, and a wrong key: each with its line."""
    _change(folder, old, new)
    with pytest.raises(ConfigError) as caught:
        load_config(folder, ROOT / "templates")
    found = next(one for one in caught.value.problems if one.message == message)
    line = (folder / "agentrun.yaml").read_text().split("\n")[found.source.line - 1]
    assert (
        found.suggestion.startswith(remedy) and new.strip().split("\n")[-1].split(":")[0].split(",")[-1].strip() in line
    )
