"""Scrape targets of a node's Prometheus, as it reports them and as the node declares them; traffic of proxy clients."""

from __future__ import annotations

from planner.app.observe.metrics_reader import MetricsReader, open_metrics_reader, selected_metrics_node
from planner.app.request import Request
from planner.dataclass import dataclass
from planner.errors import SelectionError, TemporaryError
from planner.rollout.metrics_verdicts import (
    ProxyClientTraffic,
    ScrapeTargetRow,
    compare_scrape_targets,
    proxy_client_traffic_queries,
    single_number,
)
from planner.spec.namespaces_proxies_storage import ProxyByteCounterMetric
from planner.spec.node import NodeConfig
from providers.prometheus.scrape_targets import ScrapedTarget


@dataclass(frozen=True, slots=True)
class ObservedScrapeTargets:
    """The scrape targets of one node as rows, and whether a sandbox made them up."""

    node: str
    server: str
    simulated: bool
    rows: tuple[ScrapeTargetRow, ...]


def read_scrape_targets(request: Request, *, declared: bool = False) -> ObservedScrapeTargets:
    """What is scraped; with `declared` against what the node declares. Raises SelectionError where nothing is declared,
    TemporaryError when Prometheus does not answer."""
    name, node = selected_metrics_node(request)
    reader = open_metrics_reader(request, node)
    server = reader.named_server()
    jobs = node.observability.jobs
    if declared and not jobs:
        raise SelectionError(f"{name} declares no targets", where="--node", remedy="declare observability.jobs")
    rows = tuple(_row(one) for one in reader.ask_targets(server))
    if declared:
        rows = compare_scrape_targets(
            {job: [f"{one}{of.path}" for one in of.targets] for job, of in jobs.items()}, rows
        )
    return ObservedScrapeTargets(name, server, reader.simulated, rows)


def _row(one: ScrapedTarget) -> ScrapeTargetRow:
    return ScrapeTargetRow(one.job, f"{one.address}{one.path}", one.health, one.error)


def read_egress_proxy_traffic(
    request: Request, clients: tuple[str, ...], window: float
) -> tuple[str, tuple[ProxyClientTraffic, ...]]:
    """The node, and the bytes that its egress proxy counted for each client in the last `window` seconds. Raises
    SelectionError where the node declares no such counter."""
    name, node = selected_metrics_node(request)
    reader = open_metrics_reader(request, node)
    counter = proxy_traffic_counter_of_node(node)
    if counter is None:
        remedy = "declare egressProxy.traffic: the counter of bytes and its label"
        raise SelectionError(f"the proxy of {name} counts no traffic", where="--node", remedy=remedy)
    reader.named_server()
    return name, tuple(query_egress_proxy_traffic_of_client(reader, counter, client, window) for client in clients)


def proxy_traffic_counter_of_node(node: NodeConfig) -> ProxyByteCounterMetric | None:
    """The metric that counts the bytes of the node's egress proxy; None where it has no proxy, or that one counts
    nothing."""
    return node.egress_proxy.traffic if node.egress_proxy else None


def query_egress_proxy_traffic_of_client(
    reader: MetricsReader, counter: ProxyByteCounterMetric, client: str, window: float, at: float | None = None
) -> ProxyClientTraffic:
    """The rate and total of one client of the egress proxy in the `window` seconds before `at` (a Unix time; None:
    now)."""
    rate, total = proxy_client_traffic_queries(counter.counter, counter.client_label, client, window, at)
    try:
        seen = [single_number(reader.ask(reader.server, one).values) for one in (rate, total)]
    except TemporaryError as error:
        return ProxyClientTraffic(client, window, None, None, reader.server, error.described(), total)
    reason = "" if None not in seen else "the proxy server counted nothing that can be read"
    return ProxyClientTraffic(client, window, seen[0], seen[1], reader.server, reason, total)
