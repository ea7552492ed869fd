"""Which shards words mean: globs over nodes and lanes, all products or one, in an order that no file decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from planner.app.fleet.fleet_shards import request_of_shard, select_fleet, shards_of_part
from planner.app.request import Request
from planner.errors import ConfigError, SelectionError
from tests.unit.fleet.fleets import shard
from tests.unit.loading.fakes import ROOT

ALL = Request(config=ROOT / "config")


def places(request: Request) -> list[str]:
    return [f"{one.node}/{one.lane} {one.product}" for one in select_fleet(request).shards]


def test_every_lane_on_every_node_of_all_products() -> None:
    found = select_fleet(ALL).shards
    assert [one.index for one in found] == list(range(14))
    order = [(one.node, one.product, one.lane) for one in found]
    assert order == sorted(order) and len({one.product for one in found}) == 4


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"nodes": ("D5*",)}, ["D518/v03 hwlab"]),
        ({"nodes": ("JD01", "D518")}, ["D518/v03 hwlab", "JD01/v03 hwlab"]),
        ({"lanes": ("v01",)}, ["G14/v01 agentrun"]),
        ({"lanes": ("*v0[12]",), "nodes": ("all",)}, ["D601/v02 agentrun", "G14/v01 agentrun", "G14/v02 hwlab"]),
        ({"product": "web-probe-sentinel"}, ["D601/hwlab-v03 web-probe-sentinel"]),
        ({"product": "all", "scopes": ("runners",)}, ["D601/v02 agentrun", "G14/v01 agentrun"]),
    ],
)
def test_words_narrow_it(words: dict[str, object], expected: list[str]) -> None:
    assert places(replace(ALL, **words)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ({"nodes": ("D6O1",)}, "--node"),
        ({"nodes": ("D601", "X*")}, "--node"),
        ({"lanes": ("v3",)}, "--lane"),
        ({"product": "hwlap"}, "--product"),
        ({"nodes": ("JD01",), "lanes": ("v02",)}, "--node, --lane"),
        ({"scopes": ("runner",)}, "--scope"),
    ],
)
def test_words_that_stand_for_nothing(words: dict[str, object], where: str) -> None:
    with pytest.raises(SelectionError) as error:
        select_fleet(replace(ALL, **words))  # type: ignore[arg-type]
    assert where in error.value.where and error.value.remedy


def test_all_words_that_stand_for_nothing_are_named_at_once() -> None:
    words = {"nodes": ("D6O1", "G14", "Q*"), "lanes": ("v3", "v03"), "scopes": ("runner",)}
    with pytest.raises(SelectionError) as error:
        select_fleet(replace(ALL, **words))  # type: ignore[arg-type]
    assert error.value.where == "--node, --lane, --scope" and error.value.remedy
    for expected in ('no node D6O1 (did you mean "D601"?)', "no node Q* (known here: D518", "no lane v3 (did you mean"):
        assert expected in error.value.message
    assert 'no scope runner (did you mean "runners"?)' in error.value.message
    assert "G14 (" not in error.value.message and "v03 (" not in error.value.message


def test_a_disabled_lane_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    lanes = "lanes: {open: {}, over: {enabled: false}}\nnodes: {a: {open: , over: }}\n"
    documents = [
        "kind: Product\nspec: {name: p, version: '1', templates: p, scopes: [{name: s, per: lane, description: d}]}\n",
        "kind: Nodes\nnodes: {a: {kubeContext: a}}\n",
        f"kind: Lanes\nproduct: p\n{lanes}",
    ]
    (config / "all.yaml").write_text("---\n".join(f"apiVersion: hwplan.dev/v1\n{one}" for one in documents))
    (tmp_path / "templates" / "p" / "s").mkdir(parents=True)
    request = Request(config=config)
    assert places(request) == places(replace(request, lanes=("o*",))) == ["a/open p"]
    assert places(replace(request, lanes=("over",))) == ["a/over p"]


def test_all_problems_of_the_files_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: hwplan.dev/v1\nkind: Nodes\nnodes: {a: {kubeContex: x}}\n")
    (tmp_path / "b.yaml").write_text("apiVersion: hwplan.dev/v1\nkind: Prodct\n")
    with pytest.raises(ConfigError) as error:
        select_fleet(Request(config=tmp_path))
    assert {Path(one.source.file).name for one in error.value.problems} == {"a.yaml", "b.yaml"}


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 20])
def test_parts_are_all_of_it_and_each_shard_once(count: int) -> None:
    shards = tuple(shard(index) for index in range(7))
    parts = [shards_of_part(shards, index, count) for index in range(count)]
    assert sorted(one.index for part in parts for one in part) == list(range(7))
    assert count < 7 or max(len(part) for part in parts) == 1


def test_each_node_is_its_own_sandbox_or_snapshot(tmp_path: Path) -> None:
    (tmp_path / "D601" / "cluster").mkdir(parents=True)
    (tmp_path / "G14.json").write_text("{}")
    request = replace(ALL, live=tmp_path, nodes=("*",))
    nodes = ("D601", "G14", "JD01")
    found = {node: request_of_shard(request, shard(node=node), nodes) for node in nodes}
    assert [found[node].live for node in nodes] == [tmp_path / "D601", tmp_path / "G14.json", tmp_path / "JD01"]
    one = found["D601"]
    assert (one.product, one.nodes, one.lanes) == ("hwlab", ("D601",), ("v03",))
    assert request_of_shard(one, shard(node="D601")).live == tmp_path / "D601", "and again, in a process of its own"


def test_one_cluster_never_answers_for_several(tmp_path: Path) -> None:
    for words in ({"live": tmp_path}, {"context": "k3s"}):
        with pytest.raises(SelectionError) as error:
            select_fleet(replace(ALL, **words))
        assert error.value.where in ("--live", "--context") and error.value.remedy
        select_fleet(replace(ALL, nodes=("D601",), **words))
