"""Roles and accounts stand before their bindings, pull secrets before the account, accounts before their tokens.

`secrets` of a ServiceAccount draws nothing: a token Secret needs the account, and the two would form a cycle.
"""

from __future__ import annotations

from planner.graph.index import mapping, maps, text
from planner.graph.pen import Pen

RBAC = "rbac.authorization.k8s.io"
KINDS = frozenset(("RoleBinding", "ClusterRoleBinding", "ServiceAccount", "Secret"))
_ACCOUNT = "kubernetes.io/service-account.name"


def draw(pen: Pen) -> None:
    """Role, ClusterRole, ServiceAccount -> binding; Secret -> ServiceAccount; ServiceAccount -> token Secret."""
    match pen.resource.address.kind, pen.resource.address.group:
        case (("RoleBinding" | "ClusterRoleBinding"), group) if group == RBAC:
            _binding(pen)
        case "ServiceAccount", "":
            for at, secret in enumerate(maps(pen.manifest.get("imagePullSecrets"))):
                pen.names_secret("pull-secret", f"imagePullSecrets[{at}].name", secret.get("name"))
        case "Secret", "":
            annotations = mapping(mapping(pen.manifest.get("metadata")).get("annotations"))
            pen.names("token", f"metadata.annotations[{_ACCOUNT}]", "ServiceAccount", annotations.get(_ACCOUNT))


def _binding(pen: Pen) -> None:
    role = mapping(pen.manifest.get("roleRef"))
    namespace = "" if role.get("kind") == "ClusterRole" else None
    pen.names("role", "roleRef.name", text(role.get("kind")), role.get("name"), RBAC, namespace)
    for at, subject in enumerate(maps(pen.manifest.get("subjects"))):
        if subject.get("kind") == "ServiceAccount":
            where = text(subject.get("namespace")) or None
            pen.names("subject", f"subjects[{at}].name", "ServiceAccount", subject.get("name"), namespace=where)
