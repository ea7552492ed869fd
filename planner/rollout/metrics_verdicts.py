"""What metrics say: queries against what is expected, targets against what is declared, traffic against its client.

Pure. An empty result and NaN say nothing: they are inconclusive, which is not the same as unmet (decision B22).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from planner.dataclass import dataclass
from planner.values import JsonObject

HOLDS, UNMET, INCONCLUSIVE, REFUSED = "holds", "unmet", "inconclusive", "refused"
UP: Final = "up"
_NO_SERIES, _NOT_A_NUMBER = "no series", "NaN"


@dataclass(frozen=True, slots=True)
class MetricsQueryRow:
    """One query: its values as Prometheus writes them, a word for them, and the reason where it does not hold."""

    name: str
    promql: str
    state: str
    reason: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScrapeTargetRow:
    """One scrape target. `state` is `up`, `down`, `unknown`, `not scraped` or `not declared`."""

    job: str
    target: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProxyClientTraffic:
    """Traffic of one client of a proxy server, as the proxy counted it: bytes a second and bytes in the window, None
    where nobody can tell."""

    client: str
    window: float
    rate: float | None
    total: float | None
    source: str
    reason: str = ""
    promql: str = ""

    @property
    def state(self) -> str:
        """Whether the proxy server saw traffic of this client."""
        if self.rate is None or self.total is None:
            return INCONCLUSIVE
        return HOLDS if self.total > 0 else UNMET


def judge_metrics_query(
    name: str, promql: str, expect: JsonObject, values: tuple[str, ...], unmet: str
) -> MetricsQueryRow:
    """Judge the answer to a query by what is expected of it. `unmet` is what is not as expected, "" if nothing; with
    nothing expected any value will do."""
    counted = expect.get("count") is not None
    if not values and not (counted and not unmet):
        return MetricsQueryRow(name, promql, INCONCLUSIVE, _NO_SERIES)
    if not counted and any(math.isnan(float(value)) for value in values):
        return MetricsQueryRow(name, promql, INCONCLUSIVE, _NOT_A_NUMBER, values)
    return MetricsQueryRow(name, promql, UNMET if unmet else HOLDS, unmet, values)


def exit_code_of_metrics_queries(rows: Iterable[MetricsQueryRow]) -> int:
    """The exit code of a command that judges queries: 0 all hold, 1 one was refused, 2 one is unmet or inconclusive."""
    states = {row.state for row in rows}
    return 1 if REFUSED in states else 0 if states == {HOLDS} else 2


def compare_scrape_targets(
    declared: Mapping[str, Collection[str]], scraped: Iterable[ScrapeTargetRow]
) -> tuple[ScrapeTargetRow, ...]:
    """Compare the declared scrape targets (job -> `host:port/path`) with those that Prometheus scrapes: a row each,
    sorted."""
    found = {(row.job, row.target): row for row in scraped}
    wanted = {(job, target) for job, targets in declared.items() for target in targets}
    rows = [found.get(key) or ScrapeTargetRow(*key, "not scraped") for key in wanted]
    rows += [ScrapeTargetRow(*key, "not declared", row.reason) for key, row in found.items() if key not in wanted]
    return tuple(sorted(rows, key=lambda row: (row.job, row.target)))


def exit_code_of_scrape_targets(rows: Iterable[ScrapeTargetRow]) -> int:
    """The exit code of a command that judges scrape targets: 0 when there are some and all are up, else 2."""
    return 0 if {row.state for row in rows} == {UP} else 2


def single_number(values: tuple[str, ...]) -> float | None:
    """The only number in the result of a query; None for no or several values, and for what is no finite number."""
    number = float(values[0]) if len(values) == 1 else math.nan
    return number if math.isfinite(number) else None


def proxy_client_traffic_queries(
    counter: str, label: str, client: str, window: float, at: float | None = None
) -> tuple[str, str]:
    """The PromQL queries for the traffic of a proxy's client: rate and total of its counter over `window` seconds,
    ending now or at a Unix time."""
    when = f" @ {at:.3f}" if at is not None else ""
    series = f'{counter}{{{label}="{client}"}}[{max(1, round(window))}s]{when}'
    return f"sum(rate({series}))", f"sum(increase({series}))"
