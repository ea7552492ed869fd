"""`hwplan observe`: what the Prometheus of a node says about what is declared (spec 02, S19 and S22; decision B22).

Exit codes: 0 it holds, 2 it does not, or the answer is inconclusive, 1 the question was refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from planner.app.request import Request
from planner.cli.apply import apply_options
from planner.cli.common_options import approval_options, selection_options
from planner.cli.run_options import parse_duration_option
from planner.cli.terminal_output import print_document, print_page, wants_colour

if TYPE_CHECKING:
    from planner.app.observe.metrics_queries import MetricsQueryRounds
    from planner.app.observe.scrape_targets import ObservedScrapeTargets

_SCOPE = "observability"
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@click.group()
def observe() -> None:
    """Metrics: what is declared against what Prometheus says; the scope `observability`."""


@observe.command("status")
@selection_options
@_JSON
@click.option("--full", is_flag=True, help="What is as declared as well.")
def observe_status_of_scope(request: Request, as_json: bool, full: bool) -> int:
    """The scope `observability`: what is not as declared. The same as `hwplan status --scope observability`."""
    from planner.cli.status import show_scope_status

    return show_scope_status(_scoped(request), "json" if as_json else "text", full)


@observe.command("apply")
@selection_options
@approval_options
@apply_options
def observe_apply_scope(request: Request, plan_id: str, confirm: bool, dry_run: bool, as_json: bool, **how: Any) -> int:
    """Apply the scope `observability`. The same as `hwplan apply --scope observability`."""
    from planner.cli.apply import show_or_apply_plan

    return show_or_apply_plan(_scoped(request), plan_id, confirm=confirm and not dry_run, as_json=as_json, how=how)


@observe.command("query")
@selection_options
@_JSON
@click.option("--promql", metavar="EXPR", help="Ask this instead of the declared queries.")
@click.option("--expect-count", type=click.IntRange(min=0), metavar="N", help="So many series.")
@click.option("--expect-value", type=float, metavar="V", help="One series with this value.")
def observe_query(
    request: Request, as_json: bool, promql: str | None, expect_count: int | None, expect_value: float | None
) -> int:
    """Ask each declared query once, or the one of --promql. No series and NaN are inconclusive."""
    from planner.app.observe.metrics_queries import MetricsQuery, ask_queries, declared_queries
    from planner.app.observe.metrics_reader import open_metrics_reader, selected_metrics_node
    from planner.rollout.metrics_verdicts import exit_code_of_metrics_queries

    if promql is None:
        if expect_count is not None or expect_value is not None:
            raise click.UsageError("--expect-count and --expect-value go with --promql.")
        queries, reader = declared_queries(request)
    else:
        if expect_count is not None and expect_value is not None:
            raise click.UsageError("--expect-count and --expect-value exclude each other.")
        given = {"count": expect_count, "value": expect_value}
        expect = {name: value for name, value in given.items() if value is not None}
        queries, reader = (
            (MetricsQuery("--promql", None, promql, expect),),
            open_metrics_reader(request, selected_metrics_node(request)[1]),
        )
    rows = ask_queries(reader, queries)
    code = exit_code_of_metrics_queries(rows)
    _show_queries(request, rows, reader.simulated, code, as_json, _verdict(rows))
    return code


@observe.command("targets")
@selection_options
@_JSON
def observe_scrape_targets(request: Request, as_json: bool) -> int:
    """What Prometheus scrapes, and whether it answers."""
    from planner.app.observe.scrape_targets import read_scrape_targets

    return _show_targets(read_scrape_targets(request), as_json)


@observe.command("boundary")
@selection_options
@_JSON
def observe_boundary_of_scrape_targets(request: Request, as_json: bool) -> int:
    """Declared targets (`observability.jobs` of the node) against those that are scraped: neither fewer nor more."""
    from planner.app.observe.scrape_targets import read_scrape_targets

    return _show_targets(read_scrape_targets(request, declared=True), as_json)


@observe.command("closeout")
@selection_options
@_JSON
@click.option("--times", type=click.IntRange(1, 100), default=3, show_default=True, help="Rounds in a row.")
@click.option("--every", default="5s", show_default=True, metavar="DURATION", help="Between two rounds.")
@click.option("--within", default="2m", show_default=True, metavar="DURATION", help="Time for all rounds.")
def observe_closeout_queries(request: Request, as_json: bool, times: int, every: str, within: str) -> int:
    """All declared queries, several times in a row: one that does not hold starts the count again."""
    from planner.app.observe.metrics_queries import ask_queries_repeatedly, declared_queries

    queries, reader = declared_queries(request)
    pause, longest = parse_duration_option(every, "--every") or 0.0, parse_duration_option(within, "--within") or 0.0
    last: MetricsQueryRounds | None = None
    for last in ask_queries_repeatedly(reader, queries, times, every=pause, within=longest):
        if not as_json and not request.quiet:
            click.echo(f"{last.held} of {times} in a row", err=True)
    assert last is not None
    verdict = f"{last.held} of {times} rounds in a row held · {_verdict(last.rows)}"
    _show_queries(request, last.rows, reader.simulated, last.exit_code, as_json, verdict, held=last.held, times=times)
    return last.exit_code


@observe.command("traffic")
@selection_options
@_JSON
@click.option("--client", "clients", multiple=True, required=True, metavar="ID", help="A client of the egress proxy.")
@click.option("--window", default="5m", show_default=True, metavar="DURATION", help="How far back.")
def observe_egress_proxy_traffic(request: Request, as_json: bool, clients: tuple[str, ...], window: str) -> int:
    """Rate and total of a client of the egress proxy, from the proxy server's own metrics."""
    from planner.app.observe.scrape_targets import read_egress_proxy_traffic
    from planner.render.prometheus_metrics import proxy_client_traffic_json, render_proxy_traffic
    from planner.rollout.metrics_verdicts import HOLDS

    seconds = parse_duration_option(window, "--window") or 0.0
    if seconds < 1:
        raise click.UsageError("--window is at least 1s.")
    node, rows = read_egress_proxy_traffic(request, clients, seconds)
    code = 0 if all(row.state == HOLDS for row in rows) else 2
    if as_json:
        shown = [proxy_client_traffic_json(row) for row in rows]
        print_document("json", {"schemaVersion": 1, "node": node, "exitCode": code, "clients": shown})
    else:
        print_page(
            render_proxy_traffic(rows, about=f"{node} · egress proxy, by {rows[0].source}", colour=wants_colour())
        )
    return code


def _scoped(request: Request) -> Request:
    if request.scopes:
        raise click.UsageError(f"this is about the scope {_SCOPE}; others: hwplan status, hwplan apply.")
    return replace(request, scopes=(_SCOPE,))


def _verdict(rows: Any) -> str:
    return f"{sum(row.state == 'holds' for row in rows)} of {len(rows)} queries hold"


def _show_queries(
    request: Request, rows: Any, simulated: bool, code: int, as_json: bool, verdict: str, **more: int
) -> None:
    from planner.render.prometheus_metrics import prometheus_queries_json, render_prometheus_queries

    node = ", ".join(request.nodes)
    if as_json:
        print_document("json", {**prometheus_queries_json(rows, node=node, simulated=simulated, code=code), **more})
    else:
        about = " · ".join([node or "metrics", *["simulated"] * simulated])
        print_page(render_prometheus_queries(rows, verdict, about=about, colour=wants_colour()))


def _show_targets(found: ObservedScrapeTargets, as_json: bool) -> int:
    from planner.render.prometheus_metrics import render_scrape_targets, scrape_targets_json
    from planner.rollout.metrics_verdicts import exit_code_of_scrape_targets

    code = exit_code_of_scrape_targets(found.rows)
    if as_json:
        print_document("json", scrape_targets_json(found.rows, node=found.node, simulated=found.simulated, code=code))
    else:
        about = " · ".join([found.node, found.server, *["simulated"] * found.simulated])
        print_page(render_scrape_targets(found.rows, about=about, colour=wants_colour()))
    return code
