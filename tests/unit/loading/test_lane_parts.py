"""What the words of a lane take: scopes that belong together, and the refs of the lane's branches alone."""

from __future__ import annotations

import pytest

from planner.app.request import Request
from planner.app.resource_filters import is_git_mirror_flush, is_git_ref, without_git_refs_of_other_lanes
from tests.unit.loading.fakes import ROOT, shipped

CONFIG = ROOT / "config"


def test_the_control_plane_has_its_argo_objects() -> None:
    """Decision B25: the lane's AppProject and Application are a part of its control plane."""
    loaded = shipped("D601", "v03", scopes=("control-plane",))
    assert loaded.scopes == ("control-plane", "argo", "gitops")
    assert {"AppProject", "Application", "Pipeline"} <= {one.address.kind for one in loaded.resources}
    assert shipped("D601", "v03", scopes=("argo",)).scopes == ("argo",)


@pytest.mark.parametrize(
    ("lanes", "expected"),
    [
        (("g14",), {"hwlab-main", "sync-hwlab-main", "snapshot-hwlab-main", "flush-hwlab-main-gitops"}),
        (("v02",), {"hwlab-v0.2", "sync-hwlab-v0.2", "snapshot-hwlab-v0.2", "flush-hwlab-v0.2-gitops"}),
        (("v03",), {"hwlab-v0.3", "sync-hwlab-v0.3", "snapshot-hwlab-v0.3", "flush-hwlab-v0.3-gitops"}),
    ],
)
def test_refs_of_a_lane(lanes: tuple[str, ...], expected: set[str]) -> None:
    """Spec 02, S16: the mirror serves all lanes of a node; a lane's status is about its own refs."""
    only = without_git_refs_of_other_lanes(
        Request(config=CONFIG, product="hwlab", nodes=("G14",), lanes=lanes), is_git_ref
    )
    assert {one.address.name for one in shipped("G14", "v02").resources if only(one)} == expected


@pytest.mark.parametrize("lanes", [(), ("all",), ("g14", "v02", "v03")])
def test_without_a_lane_all_refs_of_the_node(lanes: tuple[str, ...]) -> None:
    only = without_git_refs_of_other_lanes(
        Request(config=CONFIG, product="hwlab", nodes=("G14",), lanes=lanes), is_git_mirror_flush
    )
    found = {one.address.name for one in shipped("G14", "v02").resources if only(one)}
    assert found == {"flush-hwlab-main-gitops", "flush-hwlab-v0.2-gitops", "flush-hwlab-v0.3-gitops"}
