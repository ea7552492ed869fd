"""Roles and accounts stand before their bindings, pull secrets before the account, accounts before their tokens, and
the parts of an aggregated ClusterRole before the whole.

The controller writes to an aggregated role whenever one of its parts comes or goes: made first or deleted last, the
whole would change between the look at it and the write.
`secrets` of a ServiceAccount adds no edge: a token Secret needs the account, and the two would form a cycle.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.address import Address
from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import ResourceIndex, map_or_empty, maps_or_empty, text_or_empty
from planner.resource import Resource
from planner.values import JsonObject, JsonValue

RBAC = "rbac.authorization.k8s.io"
KINDS = frozenset(("RoleBinding", "ClusterRoleBinding", "ClusterRole", "ServiceAccount", "Secret"))
_ACCOUNT = "kubernetes.io/service-account.name"


def add_rbac_edges(collector: EdgeCollector) -> None:
    """Role, ClusterRole, ServiceAccount -> binding; Secret -> ServiceAccount; ServiceAccount -> token Secret; part ->
    aggregated ClusterRole."""
    match collector.resource.address.kind, collector.resource.address.group:
        case (("RoleBinding" | "ClusterRoleBinding"), group) if group == RBAC:
            _binding(collector)
        case "ClusterRole", group if group == RBAC:
            _aggregated(collector)
        case "ServiceAccount", "":
            for at, secret in enumerate(maps_or_empty(collector.manifest.get("imagePullSecrets"))):
                collector.names_secret("pull-secret", f"imagePullSecrets[{at}].name", secret.get("name"))
        case "Secret", "":
            annotations = map_or_empty(map_or_empty(collector.manifest.get("metadata")).get("annotations"))
            collector.names("token", f"metadata.annotations[{_ACCOUNT}]", "ServiceAccount", annotations.get(_ACCOUNT))


def _binding(collector: EdgeCollector) -> None:
    role = map_or_empty(collector.manifest.get("roleRef"))
    namespace = "" if role.get("kind") == "ClusterRole" else None
    collector.names("role", "roleRef.name", text_or_empty(role.get("kind")), role.get("name"), RBAC, namespace)
    for at, subject in enumerate(maps_or_empty(collector.manifest.get("subjects"))):
        if subject.get("kind") == "ServiceAccount":
            where = text_or_empty(subject.get("namespace")) or None
            collector.names("subject", f"subjects[{at}].name", "ServiceAccount", subject.get("name"), namespace=where)


def _aggregated(collector: EdgeCollector) -> None:
    """Roles may aggregate each other, which says nothing about their order."""
    own = collector.resource.address
    for at, part in _parts(collector.index, collector.resource):
        if own not in _reached(collector.index, collector.index.resources[part]):
            collector.after(part, "aggregation", f"aggregationRule.clusterRoleSelectors[{at}]")


def _reached(index: ResourceIndex, role: Resource) -> set[Address]:
    """Every ClusterRole that the role takes rules from, directly or not."""
    found: set[Address] = set()
    pending = [role]
    while pending:
        for _, part in _parts(index, pending.pop()):
            if part not in found:
                found.add(part)
                pending.append(index.resources[part])
    return found


def _parts(index: ResourceIndex, role: Resource) -> Iterator[tuple[int, Address]]:
    """The ClusterRoles that the selectors of a role select, itself left out, each with the number of the selector."""
    rule, node_lane = map_or_empty(role.manifest.get("aggregationRule")), role.address.node_lane
    for at, selector in enumerate(maps_or_empty(rule.get("clusterRoleSelectors"))):
        for address in index.cluster_roles.get(node_lane, ()):
            if address != role.address and _selects(selector, _labels(index.resources[address])):
                yield at, address


def _labels(role: Resource) -> JsonObject:
    return map_or_empty(map_or_empty(role.manifest.get("metadata")).get("labels"))


def _selects(selector: JsonObject, labels: JsonObject) -> bool:
    """A label selector as the server reads it; an empty one selects everything."""
    exact = map_or_empty(selector.get("matchLabels"))
    return exact.items() <= labels.items() and all(
        _meets(one, labels.get(text_or_empty(one.get("key"))))
        for one in maps_or_empty(selector.get("matchExpressions"))
    )


def _meets(requirement: JsonObject, value: JsonValue) -> bool:
    values = requirement.get("values") or ()
    match requirement.get("operator"):
        case "In":
            return value is not None and value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False
