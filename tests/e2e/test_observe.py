"""`hwplan observe` (S19, A17, B22): on a real Prometheus that scrapes a real exporter, and in a sandbox."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.e2e.conftest import LANE
from tests.e2e.hwplan import Hwplan, Ran
from tests.e2e.observed_node import PROMETHEUS, copied_config
from tests.testbed import prometheus as testbed
from tests.testbed.fixtures import part
from tests.testbed.processes import free_ports
from tests.testbed.prometheus import Prometheus

COUNTER = "egress_proxy_client_bytes_total"
_QUERY = """\
---
apiVersion: hwplan.dev/v1
kind: PrometheusQuery
metadata: {{name: {name}}}
spec: {{server: "{server}", promql: {promql}, expect: {expect}}}
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with part(), testbed.running(tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@pytest.fixture
def observe(prometheus: Prometheus, tmp_path: Path) -> Callable[..., Ran]:
    """`hwplan observe ... --node D601` with D601's Prometheus and its only job in the testbed."""
    jobs = 'prometheus: {targets: ["127.0.0.1:9090"]}'
    exporter = f'test: {{targets: ["127.0.0.1:{prometheus.exporter.port}"]}}'
    proxy = 'egress-proxy: {targets: ["10.42.0.1:9191"], interval: 15s}'
    config = copied_config(tmp_path, {PROMETHEUS: prometheus.url, jobs: exporter, proxy: ""})
    hwplan = Hwplan(tmp_path, ("--config", str(config)))
    return lambda *words, code=0: hwplan("observe", *words, code=code)


def _scraped(observe: Callable[..., Ran], promql: str) -> None:
    for _ in range(60):
        if observe("query", "--node", "D601", "--promql", promql, code=None).code == 0:
            return
        time.sleep(0.5)
    raise AssertionError(f"{promql} was not scraped")


def test_s19_one_query_against_a_count_and_a_value(prometheus: Prometheus, observe: Callable[..., Ran]) -> None:
    """S19, B22: exit 0 when it holds, 2 when not, or when there is nothing that could tell."""
    prometheus.exporter.text = 'jobs{lane="a"} 2\njobs{lane="b"} 3\nodd NaN\n'
    _scraped(observe, "jobs")
    for promql, expected, state, code in (
        ("jobs", ("--expect-count", "2"), "holds", 0),
        ("jobs", ("--expect-count", "3"), "unmet", 2),
        ("sum(jobs)", ("--expect-value", "5"), "holds", 0),
        ("sum(jobs)", ("--expect-value", "6"), "unmet", 2),
        ("none_such", ("--expect-count", "0"), "holds", 0),
        ("none_such", ("--expect-count", "1"), "inconclusive", 2),
        ("none_such", ("--expect-value", "0"), "inconclusive", 2),
        ("none_such", (), "inconclusive", 2),
        ("odd", ("--expect-value", "0"), "inconclusive", 2),
        ("jobs{", (), "refused", 1),
    ):
        ran = observe("query", "--node", "D601", "--promql", promql, *expected, "--json", code=code)
        assert ran.json["queries"][0]["state"] == state, (promql, ran.out)


def test_b22_targets_and_boundary(prometheus: Prometheus, observe: Callable[..., Ran]) -> None:
    """B22: boundary is declared against scraped: neither fewer nor more, and all of them up."""
    prometheus.exporter.text = "jobs 1\n"
    _scraped(observe, "jobs")
    assert "1 of 1 targets are up" in observe("targets", "--node", "D601").out
    assert "1 of 1 targets are up" in observe("boundary", "--node", "D601").out


def test_b22_a_boundary_that_is_crossed_names_both_sides(prometheus: Prometheus, tmp_path: Path) -> None:
    config = copied_config(tmp_path, {PROMETHEUS: prometheus.url})
    ran = Hwplan(tmp_path, ("--config", str(config)))("observe", "boundary", "--node", "D601", "--json", code=2)
    states = {row["target"]: row["state"] for row in ran.json["targets"]}
    assert states == {
        "127.0.0.1:9090/metrics": "not scraped",
        "10.42.0.1:9191/metrics": "not scraped",
        f"127.0.0.1:{prometheus.exporter.port}/metrics": "not declared",
    }


def test_b22_closeout_wants_all_queries_several_times_in_a_row(prometheus: Prometheus, tmp_path: Path) -> None:
    prometheus.exporter.text = 'jobs{lane="a"} 2\n'
    hwplan, file = Hwplan(tmp_path, ()), tmp_path / "q.yaml"
    file.write_text(
        _QUERY.format(name="jobs", server=prometheus.url, promql="jobs", expect="{count: 1}")
        + _QUERY.format(name="up", server=prometheus.url, promql="sum(up)", expect="{value: 1}")
    )
    given = ("observe", "closeout", "-f", str(file), "--name", "q", "--every", "300ms", "--within", "40s")
    assert "3 of 3 rounds in a row held · 2 of 2 queries hold" in hwplan(*given).out
    file.write_text(file.read_text().replace("count: 1", "count: 7"))
    failed = hwplan(*given[:-1], "1s", code=2)
    assert "0 of 3 rounds in a row held" in failed.out and "1 series, expected 7" in failed.out


def test_a_selection_without_queries_is_no_closeout(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n")
    for verb in ("query", "closeout"):
        assert (
            "declares no PrometheusQuery"
            in Hwplan(tmp_path, ())("observe", verb, "-f", str(file), "--name", "q", code=1).err
        )


def test_a17_traffic_of_a_client_from_the_metrics_of_the_proxy(
    prometheus: Prometheus, observe: Callable[..., Ran]
) -> None:
    """S22, A17: rate and total of the window of one client; a client nobody counted is inconclusive, exit 2."""
    for total in range(12):
        prometheus.exporter.text = f'{COUNTER}{{client="ci"}} {total * 1000}\n{COUNTER}{{client="idle"}} 7\n'
        time.sleep(0.5)
    given = ("traffic", "--node", "D601", "--window", "20s", "--json", "--client")
    (ci,) = observe(*given, "ci").json["clients"]
    assert ci["state"] == "holds" and ci["bytes"] > 2000 and 100 < ci["bytesPerSecond"] < 4000
    (idle,) = observe(*given, "idle", code=2).json["clients"]
    assert (idle["state"], idle["bytes"]) == ("unmet", 0)
    (nobody,) = observe(*given, "nobody", code=2).json["clients"]
    assert (nobody["state"], nobody["bytes"]) == ("inconclusive", None)


def test_a_prometheus_that_does_not_answer_holds_nothing(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    config = copied_config(tmp_path, {PROMETHEUS: f"http://127.0.0.1:{port}"})
    hwplan = Hwplan(tmp_path, ("--config", str(config), "--node", "D601"))
    assert "refused" in hwplan("observe", "query", "--promql", "up", code=2).out
    assert "refused" in hwplan("observe", "targets", code=1).err
    assert "inconclusive" in hwplan("observe", "traffic", "--client", "ci", code=2).out


def test_a_sandbox_answers_from_its_file(lane_box: Hwplan) -> None:
    box = Path(lane_box.where[-1])
    rate, total = (f'sum({one}({COUNTER}{{client="hwlab-ci"}}[300s]))' for one in ("rate", "increase"))
    answers = YAML(typ="safe").load(box / "probes.yaml")
    answers["queries"] = [{"promql": rate, "value": 4096}, {"promql": total, "value": 1228800}]
    answers["targets"] = [
        {"job": "prometheus", "address": "127.0.0.1:9090"},
        {"job": "egress-proxy", "address": "10.42.0.1:9191"},
    ]
    (box / "probes.yaml").write_text(json.dumps(answers))
    words = LANE[:4]
    assert "4.0 KiB/s  1.2 MiB in 5m" in lane_box("observe", "traffic", *words, "--client", "hwlab-ci").out
    assert "2 of 2 targets are up" in lane_box("observe", "boundary", *words).out
    assert "no node G99" in lane_box("observe", "targets", *LANE[:2], "--node", "G99", code=1).err
