"""What metrics say, for people and for programs: queries, scrape targets, traffic of the egress proxy (S19, S22)."""

from __future__ import annotations

from collections.abc import Sequence

from planner.duration import render_duration
from planner.render.terminal_style import column_count, pad_text, with_colour
from planner.rollout.metrics_verdicts import (
    HOLDS,
    INCONCLUSIVE,
    UP,
    MetricsQueryRow,
    ProxyClientTraffic,
    ScrapeTargetRow,
)
from planner.text_safe import safe_text
from planner.values import JsonObject

SCHEMA_VERSION = 1
_MOST_VALUES = 5
_STYLES = {HOLDS: "green", UP: "green", INCONCLUSIVE: "yellow"}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def render_prometheus_queries(rows: Sequence[MetricsQueryRow], verdict: str, *, about: str, colour: bool) -> str:
    """The Prometheus queries as text: a line for each, what it is not, its PromQL, and the verdict."""
    lines = [(row.state, (row.name, _values(row)), row.reason, row.promql) for row in rows]
    out = _table([(state, columns) for state, columns, _, _ in lines], colour)
    page = [safe_text(about), ""]
    for line, (_, _, reason, promql) in zip(out, lines, strict=True):
        page += [line, *([f"      {safe_text(reason)}"] if reason else []), f"      {safe_text(promql)}"]
    return "\n".join([*page, "", verdict]) + "\n"


def prometheus_queries_json(rows: Sequence[MetricsQueryRow], *, node: str, simulated: bool, code: int) -> JsonObject:
    """The Prometheus queries with their results and verdicts as a document for programs."""
    shown = [
        {"name": row.name, "promql": row.promql, "state": row.state, "reason": row.reason, "values": list(row.values)}
        for row in rows
    ]
    return {"schemaVersion": SCHEMA_VERSION, "node": node, "simulated": simulated, "exitCode": code, "queries": shown}


def render_scrape_targets(rows: Sequence[ScrapeTargetRow], *, about: str, colour: bool) -> str:
    """The text of the scrape targets: a line for each, why it is not up, and the verdict."""
    out = _table([(row.state, (row.job, row.target)) for row in rows], colour)
    page = [safe_text(about), ""]
    for line, row in zip(out, rows, strict=True):
        page += [line, *([f"      {safe_text(row.reason)}"] if row.reason else [])]
    fine = sum(row.state == UP for row in rows)
    return "\n".join([*page, "", f"{fine} of {len(rows)} targets are up"]) + "\n"


def scrape_targets_json(rows: Sequence[ScrapeTargetRow], *, node: str, simulated: bool, code: int) -> JsonObject:
    """The scrape targets of Prometheus, with their health, as a document for programs."""
    shown = [{"job": row.job, "target": row.target, "state": row.state, "reason": row.reason} for row in rows]
    return {"schemaVersion": SCHEMA_VERSION, "node": node, "simulated": simulated, "exitCode": code, "targets": shown}


def render_proxy_traffic(rows: Sequence[ProxyClientTraffic], *, about: str, colour: bool) -> str:
    """The traffic of the egress proxy as text: a line for each client, its rate, and its total in the window."""
    table = [(row.state, (row.client, f"{bytes_text(row.rate)}/s", _total(row))) for row in rows]
    page = [safe_text(about), ""]
    for line, row in zip(_table(table, colour), rows, strict=True):
        page += [line, *([f"      {safe_text(row.reason)}"] if row.reason else [])]
    seen = sum(row.state == HOLDS for row in rows)
    return "\n".join([*page, "", f"the proxy server saw traffic of {seen} of {len(rows)} clients"]) + "\n"


def proxy_client_traffic_json(row: ProxyClientTraffic) -> JsonObject:
    """The traffic of one client of the egress proxy as a document for programs: the bytes counted, where that was
    read, over how many seconds."""
    return {
        "client": row.client,
        "state": row.state,
        "windowSeconds": row.window,
        "bytesPerSecond": row.rate,
        "bytes": row.total,
        "source": row.source,
        "promql": row.promql,
        "reason": row.reason,
    }


def _total(row: ProxyClientTraffic) -> str:
    return f"{bytes_text(row.total)} in {render_duration(row.window)}"


def bytes_text(number: float | None) -> str:
    """A number of bytes in binary units; `unknown` for None."""
    if number is None:
        return "unknown"
    unit = 0
    while number >= 1024 and unit < len(_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.1f} {_UNITS[unit]}" if unit else f"{number:.0f} B"


def _values(row: MetricsQueryRow) -> str:
    shown = ", ".join(row.values[:_MOST_VALUES])
    more = len(row.values) - _MOST_VALUES
    return f"{shown} and {more} more" if more > 0 else shown


def _table(rows: Sequence[tuple[str, tuple[str, ...]]], colour: bool) -> list[str]:
    """One line each, columns as wide as their widest cell."""
    cells = [(state, [safe_text(column) for column in columns]) for state, columns in rows]
    states = max((column_count(state) for state, _ in cells), default=0)
    widths = [max(column_count(row[at]) for _, row in cells) for at in range(len(cells[0][1]))] if cells else []
    lines = []
    for state, row in cells:
        text = "  ".join(pad_text(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        lines.append(f"  {with_colour(pad_text(state, states), _STYLES.get(state, 'red'), colour)}  {text}")
    return lines
