"""Fields that follow from others by a documented rule of the server or of a controller: what to send of them. Pure.

- ClusterRole: "If AggregationRule is set, then the Rules are controller managed and direct changes to Rules will be
  stomped by the controller" (API reference). Declared rules are left out, and nobody's change of them counts.
- Job, ReplicationController: labels are defaulted from the template "if the Labels are empty" (API reference). Our own
  label would be the only one then; so those of the template are declared beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.resource import SET_LABEL
from planner.values import Json, JsonObject

_LABELLED = frozenset((("batch/v1", "Job"), ("v1", "ReplicationController")))
_RBAC = "rbac.authorization.k8s.io/"


def is_aggregated_cluster_role(document: JsonObject) -> bool:
    """Whether the rules of this object belong to the controller that aggregates cluster roles."""
    if document.get("kind") != "ClusterRole" or not str(document.get("apiVersion", "")).startswith(_RBAC):
        return False
    return document.get("aggregationRule") is not None


def document_to_send_by_derived_field_rules(document: JsonObject) -> JsonObject:
    """The declared document as it is sent: without the rules of an aggregated ClusterRole, with the labels that the
    server would take from the pod template but for our own label."""
    if is_aggregated_cluster_role(document):
        return {key: value for key, value in document.items() if key != "rules"}
    if (document.get("apiVersion"), document.get("kind")) not in _LABELLED:
        return document
    metadata = document["metadata"]
    labels: Mapping[str, Json] = metadata.get("labels") or {}
    wanted = _template_labels(document)
    if labels.keys() - {SET_LABEL} or not wanted:
        return document
    return {**document, "metadata": {**metadata, "labels": {**wanted, **labels}}}


def remarks_on_unsent_content(document: JsonObject) -> tuple[str, ...]:
    """For the reader: declared content that is not sent because a controller decides it."""
    if is_aggregated_cluster_role(document) and document.get("rules"):
        return ("its rules are left out: with an aggregationRule they are the controller's",)
    return ()


def without_controller_fields(document: JsonObject) -> JsonObject:
    """The object without what its controller fills in: what of it somebody could have decided."""
    return (
        {key: value for key, value in document.items() if key != "rules"}
        if is_aggregated_cluster_role(document)
        else document
    )


def _template_labels(document: JsonObject) -> dict[str, str]:
    node: Json = document
    for key in ("spec", "template", "metadata", "labels"):
        node = node.get(key) if isinstance(node, dict) else None
    return {key: value for key, value in node.items() if isinstance(value, str)} if isinstance(node, dict) else {}
