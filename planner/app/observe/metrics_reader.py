"""Whom to ask about metrics: the Prometheus of the selected node, or the canned answers of a sandbox."""

from __future__ import annotations

from planner.app.load_desired import load_configuration
from planner.app.request import Request
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.loading.problems import did_you_mean
from planner.spec.node import NodeConfig
from providers.prometheus.scrape_targets import AskTargets, create_canned_target_lister, create_network_target_lister
from providers.prometheus.send_query import Ask, create_canned_answers_querier, create_network_querier

_CANNED = "probes.yaml"


@dataclass(frozen=True, slots=True)
class MetricsReader:
    """Asks Prometheus, or the canned answers of a sandbox; `server` is its base URL ("" where the node has none)."""

    server: str
    ask: Ask
    ask_targets: AskTargets
    simulated: bool

    def named_server(self) -> str:
        """The server. Raises SelectionError where the node has none."""
        if not self.server:
            raise SelectionError(
                "the node has no Prometheus", where="--node", remedy="name it as observability.prometheusUrl"
            )
        return self.server


def open_metrics_reader(request: Request, node: NodeConfig | None) -> MetricsReader:
    """The reader of a command. Raises ConfigError, and SelectionError for a snapshot: it has no metrics."""
    server = (node.observability.prometheus_url if node else None) or ""
    if request.live is None:
        return MetricsReader(server, create_network_querier(), create_network_target_lister(), False)
    answers = request.live / _CANNED
    if not answers.is_file():
        raise SelectionError(
            "a saved snapshot holds no metrics", where="--live", remedy="ask the cluster itself, or a sandbox"
        )
    return MetricsReader(
        server or "simulated", create_canned_answers_querier(answers), create_canned_target_lister(answers), True
    )


def selected_metrics_node(request: Request) -> tuple[str, NodeConfig]:
    """The one node that is meant: named by --node, or the only one that has a Prometheus."""
    nodes = load_configuration(request).nodes
    if len(request.nodes) > 1:
        raise SelectionError("metrics are those of one node", where="--node", remedy="ask each on its own")
    for name in request.nodes:
        if name not in nodes:
            raise SelectionError(f"no node {name}", where="--node", remedy=did_you_mean(name, nodes))
    observed = [name for name, entry in nodes.items() if entry.spec.observability.prometheus_url]
    names = list(request.nodes) or observed
    if len(names) != 1:
        raise SelectionError("which node?", where="--node", remedy=f"one of: {', '.join(observed or nodes)}")
    return names[0], nodes[names[0]].spec
