"""Argo CD: a project stands before its applications, an Application before the ArgoSync that waits for it."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import map_or_empty

ARGO = "argoproj.io"
KINDS = frozenset(("Application", "ApplicationSet"))


def add_argo_edges(collector: EdgeCollector) -> None:
    """AppProject -> Application, ApplicationSet."""
    match collector.resource.address.kind, collector.resource.address.group:
        case "Application", group if group == ARGO:
            collector.names("project", "spec.project", "AppProject", collector.spec.get("project"), ARGO)
        case "ApplicationSet", group if group == ARGO:
            project = map_or_empty(map_or_empty(collector.spec.get("template")).get("spec")).get("project")
            collector.names("project", "spec.template.spec.project", "AppProject", project, ARGO)
