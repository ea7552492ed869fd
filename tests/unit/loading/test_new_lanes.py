"""A new lane is three lines of YAML in each product, and a wrong key in each is named with line and suggestion.

Where the remote is the node's own, the node also has to say that its mirror holds the lane's branches."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from planner.errors import ConfigError
from planner.loading.config import load_config
from planner.loading.product_stack import load_product_stack
from planner.plan import Selection
from tests.unit.loading.fakes import ROOT, KeyedFingerprinter

# product: its file, a node without the lane, the lane; a key that lanes of it have, and the same key written wrong
LANES = {
    "hwlab": ("hwlab-node-lanes.yaml", "D601", "v02", "imagePrefix", "imagePrefx"),
    "agentrun": ("agentrun.yaml", "D518", "v02", "idleTimeout", "idelTimeout"),
    "platform-infra": ("platform-infra/sub2api.yaml", "D601", "sub2api", "sub2api", "sub2app"),
    "web-probe-sentinel": ("web-probe-sentinel.yaml", "G14", "hwlab-v03", "watches", "watchs"),
}
NODES = "hwlab-node-control-plane.yaml"
MIRRORED = {
    "hwlab": (
        ("branches: [v0.3]", "branches: [v0.2, v0.3]"),
        ("[v0.3-gitops, sentinel-gitops]", "[v0.2-gitops, v0.3-gitops, sentinel-gitops]"),
    ),
    "web-probe-sentinel": (("v0.2-gitops, v0.3-gitops]", "v0.2-gitops, v0.3-gitops, sentinel-gitops]"),),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the configuration that a test changes."""
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


def _add(file: Path, node: str, lane: str) -> None:
    """Three lines at most: the node where it has none of the product yet, the lane, and what it is."""
    text = file.read_text()
    entry = f"    {lane}:\n      description: one more\n"
    at = f"  {node}:\n"
    head, nodes = text.split("\nnodes:\n")
    nodes = nodes.replace(at, at + entry, 1) if at in nodes else f"{at}{entry}{nodes}"
    file.write_text(f"{head}\nnodes:\n{nodes}")


@pytest.mark.parametrize("product", sorted(LANES))
def test_a_new_lane_is_three_lines(product: str, folder: Path) -> None:
    file, node, lane, _, _ = LANES[product]
    before = (folder / file).read_text()
    _add(folder / file, node, lane)
    assert len((folder / file).read_text().splitlines()) <= len(before.splitlines()) + 3
    for old, new in MIRRORED.get(product, ()):
        nodes = (folder / NODES).read_text()
        assert old in nodes
        (folder / NODES).write_text(nodes.replace(old, new, 1))
    config = load_config(folder, ROOT / "templates")
    stack = load_product_stack(
        config, Selection(product, nodes=(node,), lanes=(lane,)), KeyedFingerprinter(), environ={}
    )
    assert f"{product}.{node}.{lane}" in stack.owned and len(stack.resources) > 5


@pytest.mark.parametrize("product", sorted(LANES))
def test_a_wrong_key_is_named_with_its_line_and_the_right_one(product: str, folder: Path) -> None:
    file, _, _, right, wrong = LANES[product]
    text = (folder / file).read_text()
    assert f" {right}:" in text
    (folder / file).write_text(text.replace(f" {right}:", f" {wrong}:"))
    with pytest.raises(ConfigError) as caught:
        load_config(folder, ROOT / "templates")
    found = next(one for one in caught.value.problems if one.message.endswith(f'unknown field "{wrong}"'))
    assert f"{wrong}:" in (folder / file).read_text().split("\n")[found.source.line - 1]
    assert found.source.column and found.suggestion == f'did you mean "{right}"?'
