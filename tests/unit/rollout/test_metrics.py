"""Words for what metrics say: queries, targets against their declaration, traffic."""

from __future__ import annotations

import pytest

from planner.rollout.metrics_verdicts import (
    MetricsQueryRow,
    ScrapeTargetRow,
    compare_scrape_targets,
    exit_code_of_metrics_queries,
    exit_code_of_scrape_targets,
    judge_metrics_query,
    proxy_client_traffic_queries,
    single_number,
)
from planner.values import JsonObject


@pytest.mark.parametrize(
    ("expect", "values", "unmet", "state"),
    [
        ({"count": 0}, (), "", "holds"),
        ({"count": 1}, (), "0 series, expected 1", "inconclusive"),
        ({"count": 1}, ("NaN",), "", "holds"),
        ({"count": 1}, ("1", "2"), "2 series, expected 1", "unmet"),
        ({"value": 1}, ("NaN",), "value NaN, expected 1", "inconclusive"),
        ({"value": 1}, ("+Inf",), "value +Inf, expected 1", "unmet"),
        ({"range": [0, 1]}, ("0", "NaN"), "1 of 2 outside", "inconclusive"),
        ({}, ("3",), "", "holds"),
        ({}, (), "", "inconclusive"),
    ],
)
def test_a_query(expect: JsonObject, values: tuple[str, ...], unmet: str, state: str) -> None:
    assert judge_metrics_query("q", "up", expect, values, unmet).state == state


@pytest.mark.parametrize(
    ("states", "code"),
    [(("holds",), 0), (("holds", "unmet"), 2), (("inconclusive",), 2), (("holds", "refused"), 1), ((), 2)],
)
def test_the_exit_code_of_queries(states: tuple[str, ...], code: int) -> None:
    assert exit_code_of_metrics_queries(MetricsQueryRow("q", "up", state) for state in states) == code


def test_a_boundary_is_neither_fewer_nor_more() -> None:
    scraped = [ScrapeTargetRow("a", "h:1/m", "up"), ScrapeTargetRow("b", "h:2/m", "down", "refused")]
    rows = compare_scrape_targets({"a": ["h:1/m", "h:9/m"]}, scraped)
    assert [(row.target, row.state) for row in rows] == [
        ("h:1/m", "up"),
        ("h:9/m", "not scraped"),
        ("h:2/m", "not declared"),
    ]
    assert (
        exit_code_of_scrape_targets(rows) == 2
        and exit_code_of_scrape_targets(rows[:1]) == 0
        and exit_code_of_scrape_targets(()) == 2
    )


def test_traffic_is_asked_for_one_client_and_one_time() -> None:
    rate, total = proxy_client_traffic_queries("bytes_total", "client", "ci", 90.4, 1000.0)
    assert rate == 'sum(rate(bytes_total{client="ci"}[90s] @ 1000.000))'
    assert total == 'sum(increase(bytes_total{client="ci"}[90s] @ 1000.000))'
    assert [single_number(one) for one in (("2.5",), (), ("1", "2"), ("NaN",), ("+Inf",))] == [
        2.5,
        None,
        None,
        None,
        None,
    ]
