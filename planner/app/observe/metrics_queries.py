"""Queries: one that is given, or all PrometheusQuery that the selection declares; once, or several times in a row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from planner.address import is_hwplan_kind
from planner.app.load_desired import load_desired_offline, load_selected_configuration
from planner.app.observe.metrics_reader import MetricsReader, open_metrics_reader
from planner.app.request import Request
from planner.dataclass import dataclass
from planner.errors import PermanentError, SelectionError, TemporaryError
from planner.rollout.metrics_verdicts import (
    INCONCLUSIVE,
    REFUSED,
    MetricsQueryRow,
    exit_code_of_metrics_queries,
    judge_metrics_query,
)
from planner.values import JsonObject
from providers.prometheus.query_result import unmet_query_expectation

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class MetricsQuery:
    """A query to ask: its name, the server (None: that of the node), PromQL, and what is expected ({} for nothing)."""

    name: str
    server: str | None
    promql: str
    expect: JsonObject


@dataclass(frozen=True, slots=True)
class MetricsQueryRounds:
    """The last of several rounds, and how many in a row held."""

    rows: tuple[MetricsQueryRow, ...]
    held: int
    wanted: int

    @property
    def exit_code(self) -> int:
        """0 when enough rounds in a row held."""
        return 0 if self.held >= self.wanted else exit_code_of_metrics_queries(self.rows) or 2


def declared_queries(request: Request) -> tuple[tuple[MetricsQuery, ...], MetricsReader]:
    """All PrometheusQuery resources that the selection declares. Raises SelectionError where it declares none:
    nothing would have been asked."""
    stack = load_desired_offline(request)
    node = load_selected_configuration(request).nodes[stack.nodes[0]].spec if stack.nodes else None
    found = tuple(
        MetricsQuery(one.address.name, spec.get("server"), str(spec["promql"]), dict(spec["expect"]))
        for one in stack.resources
        if is_hwplan_kind(one.api_version) and one.address.kind == "PrometheusQuery"
        for spec in (one.manifest["spec"],)
    )
    if not found:
        raise SelectionError("the selection declares no PrometheusQuery", remedy="select others, or give --promql")
    return found, open_metrics_reader(request, node)


def ask_queries(reader: MetricsReader, queries: Sequence[MetricsQuery]) -> tuple[MetricsQueryRow, ...]:
    """Ask Prometheus each query once; one row each. Whoever does not answer is inconclusive; what is no query, or
    may not be asked, is refused."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="observe") as pool:
        return tuple(pool.map(lambda one: _row(reader, one), queries))


def _row(reader: MetricsReader, query: MetricsQuery) -> MetricsQueryRow:
    try:
        result = reader.ask(query.server or reader.named_server(), query.promql)
    except TemporaryError as error:
        return MetricsQueryRow(query.name, query.promql, INCONCLUSIVE, error.described())
    except PermanentError as error:
        return MetricsQueryRow(query.name, query.promql, REFUSED, error.described())
    unmet = unmet_query_expectation(query.expect, result) if query.expect else ""
    return judge_metrics_query(query.name, query.promql, query.expect, result.values, unmet)


def ask_queries_repeatedly(
    reader: MetricsReader,
    queries: Sequence[MetricsQuery],
    times: int,
    *,
    every: float,
    within: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[MetricsQueryRounds]:
    """Each round as it ends, until all queries held `times` in a row or `within` seconds are over. A round in which one
    does not hold starts the count again; one that is refused ends it."""
    until, held = clock() + within, 0
    while True:
        rows = ask_queries(reader, queries)
        code = exit_code_of_metrics_queries(rows)
        held = held + 1 if code == 0 else 0
        yield MetricsQueryRounds(rows, held, times)
        if held >= times or code == 1 or clock() + every > until:
            return
        sleep(every)
