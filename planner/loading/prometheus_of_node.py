"""A PrometheusQuery that names no server asks the Prometheus of its node."""

from __future__ import annotations

from planner.kind_hook_types import DocumentContext, Report
from planner.values import JsonObject


def query_with_prometheus_of_node(document: JsonObject, context: DocumentContext, report: Report) -> JsonObject:
    """The document with the server that is meant; as it is where the node has none: the plan says so."""
    server = context.node.observability.prometheus_url if context.node else None
    if server is None or document["spec"].get("server"):
        return document
    return {**document, "spec": {**document["spec"], "server": server}}
