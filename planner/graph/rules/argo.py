"""Argo CD: a project stands before its applications, an Application before the ArgoSync that waits for it."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import as_mapping

ARGO = "argoproj.io"
KINDS = frozenset(("Application", "ApplicationSet"))


def draw(pen: EdgeCollector) -> None:
    """AppProject -> Application, ApplicationSet."""
    match pen.resource.address.kind, pen.resource.address.group:
        case "Application", group if group == ARGO:
            pen.names("project", "spec.project", "AppProject", pen.spec.get("project"), ARGO)
        case "ApplicationSet", group if group == ARGO:
            project = as_mapping(as_mapping(pen.spec.get("template")).get("spec")).get("project")
            pen.names("project", "spec.template.spec.project", "AppProject", project, ARGO)
