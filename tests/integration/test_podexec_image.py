"""Once for each image: the key is the `imageID` of the ready pod on the real API server (B14)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planner.events import ChangeResult
from planner.resource import Resource
from tests.integration.podexec_world import Shop, apply, ended, look, planned, shop_of
from tests.testbed.cluster import TestCluster

ONE, TWO = (f"registry.test/api@sha256:{digit * 64}" for digit in "12")


@pytest.fixture(scope="module")
def shop(cluster: TestCluster) -> Iterator[Shop]:
    with shop_of(cluster) as found:
        yield found


def _runs(shop: Shop, image: str) -> None:
    """What the kubelet reports: the container runs this image."""
    path = f"/api/v1/namespaces/{shop.namespace}/pods/{shop.pod}"
    (status,) = shop.cluster.api().get(path)["status"]["containerStatuses"]
    shop.cluster.api().merge(f"{path}/status", {"status": {"containerStatuses": [{**status, "imageID": image}]}})


def _wanted(shop: Shop) -> Resource:
    wanted = shop.wanted(shop.count)
    del wanted.manifest["spec"]["oncePer"]
    wanted.manifest["spec"]["oncePerImage"] = True
    return wanted


def test_b14_the_image_that_runs_is_the_key(shop: Shop) -> None:
    wanted, before = _wanted(shop), shop.runs()
    for number, image in enumerate((ONE, TWO), before + 1):
        _runs(shop, image)
        change = planned(shop.provider(), wanted)
        assert ended(apply(shop.provider(), change)) is ChangeResult.DONE and shop.runs() == number
        assert ended(apply(shop.provider(), change)) is ChangeResult.UNCHANGED and shop.runs() == number
        assert look(shop.provider(), wanted)[1].on_change == (), "due only where what it needs changes"
    _runs(shop, f"docker-pullable://{ONE}")
    assert look(shop.provider(), wanted)[1].on_change == (), "the same digest, whatever is in front of it"
    assert {one["data"]["oncePer"] for one in shop.marks()} == {f"sha256:{digit * 64}" for digit in "12"}


def test_an_image_that_comes_with_the_plan_is_looked_at_then(shop: Shop) -> None:
    wanted = _wanted(shop)
    _runs(shop, ONE)
    change = planned(shop.provider(), wanted)
    before = shop.runs()
    _runs(shop, TWO)
    assert ended(apply(shop.provider(), change)) is ChangeResult.DONE and shop.runs() == before + 1
    assert shop.mark_of(wanted)["data"]["oncePer"] == "sha256:" + "2" * 64


def test_a_pod_that_does_not_say_its_image_runs_nothing(shop: Shop) -> None:
    wanted = _wanted(shop)
    _runs(shop, "")
    before = shop.runs()
    assert ended(apply(shop.provider(), planned(shop.provider(), wanted))) is ChangeResult.FAILED
    assert shop.runs() == before and not [one for one in shop.marks() if one["data"]["exec"] == str(wanted.address)]
