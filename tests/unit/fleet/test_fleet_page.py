"""The matrix for people: a row for each shard in the order of the fleet, problems with remedies, the next command."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from planner.fleet import FleetReport, Shard, ShardProblem, ShardResult, ShardState
from planner.plan import ClusterIdentity
from planner.render.fleet_text import fleet_verdict, render_fleet, shard_progress_text
from tests.unit.fleet.fleets import QUIET, every_state, planned, shard
from tests.unit.render.test_hostile_reports import BATCHES, is_inert

PAGE = """\
7 shards on 3 nodes

  #  node  product   lane  state           create  update  delete  plan          seconds
  0  D601  hwlab     v02   aligned              -       -       -  QUIET-PLAN--      0.0
  1  D601  hwlab     v03   would change 2       1       -       1  CHANGED-PLAN      0.0
  2  D601  agentrun  v01   drift 1              1       -       1  CHANGED-PLAN      0.0
  3  G14   hwlab     v03   blocked 5            -       -       -  STUCK-PLAN--      0.0
        Secret/shop/s0: no source
          add it
        Secret/shop/s1: no source
          add it
        Secret/shop/s2: no source
          add it
        2 more: hwplan plan --node G14 --lane v03
  4  JD01  hwlab     v03   unreachable                                               0.0
        10.0.0.1:6443: cannot reach the API server: refused
          check that it runs
  5  JD01  hwlab     v04   failed                                                    0.0
        config/lanes.yaml:7:3: unknown field replica
          did you mean replicas?
        templates/a.yaml.j2:2: "naem" is not defined
          did you mean name?
  6  D601  hwlab     v03   failed                                                    0.0
        kubeconfig: no context named 'k3s'
          contexts are: a

1 aligned, 1 would change, 1 drift, 1 blocked, 1 unreachable, 2 failed
to see number 1 alone:
  hwplan plan --node D601 --lane v03
"""


def command_of(verb: str, one: Shard) -> str:
    return f"hwplan {verb} --node {one.node} --lane {one.lane}"


def test_the_page() -> None:
    report = every_state()
    page = render_fleet(report, command_of=command_of)
    names = {0: "QUIET-PLAN--", 1: "CHANGED-PLAN", 3: "STUCK-PLAN--"}
    for at, name in names.items():
        page = page.replace(report.results[at].plan.rpartition(":")[2][:12], name)
    assert page == PAGE


def test_colour_changes_no_word() -> None:
    plain = render_fleet(every_state(), command_of=command_of)
    coloured = render_fleet(every_state(), command_of=command_of, colour=True)
    assert coloured != plain and re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_all_aligned_needs_no_command() -> None:
    simulated = replace(planned(QUIET), cluster=ClusterIdentity("u", "box", simulated=True))
    page = render_fleet(FleetReport((simulated,)), command_of=command_of)
    assert page.startswith("1 shard on 1 node · simulated\n") and page.endswith("\n1 aligned\n")


def test_a_part_without_shards_says_so() -> None:
    assert fleet_verdict(FleetReport(())) in render_fleet(FleetReport(()), command_of=command_of)


@pytest.mark.parametrize("texts", BATCHES)
def test_nothing_of_it_is_obeyed(texts: tuple[str, ...]) -> None:
    for text in texts:
        problems = (ShardProblem(text, text, text), ShardProblem(text), ShardProblem(text, remedy=text))
        named, cluster = shard(0, text, text, text), ClusterIdentity(text, text)
        results = tuple(ShardResult(named, state, {"create": 1}, text, cluster, problems) for state in ShardState)
        assert is_inert(render_fleet(FleetReport(results), command_of=lambda *_: "hwplan plan")), text
        assert all(is_inert(shard_progress_text(one)) for one in results), text
