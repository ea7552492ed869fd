"""A Secret stands before the RestObject that sends its values: as credentials, or in a field of the object."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import as_mapping, as_text
from planner.values import Json

KINDS = frozenset(("RestObject",))


def draw(pen: EdgeCollector) -> None:
    """Secret -> RestObject."""
    if pen.resource.address.group:
        return
    _named(pen, "credentials", "spec.auth.secret", as_mapping(pen.spec.get("auth")).get("secret"))
    for path, named in as_mapping(pen.spec.get("secrets")).items():
        _named(pen, "secret-field", f"spec.secrets[{path}].secret", as_mapping(named).get("secret"))


def _named(pen: EdgeCollector, rule: str, field: str, written: Json) -> None:
    namespace, _, name = as_text(written).partition("/")
    pen.names_secret(rule, field, name, namespace)
