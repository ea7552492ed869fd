"""A Secret stands before the RestObject that sends its values: as credentials, or in a field of the object."""

from __future__ import annotations

from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import map_or_empty, text_or_empty
from planner.values import JsonValue

KINDS = frozenset(("RestObject",))


def add_rest_secret_edges(collector: EdgeCollector) -> None:
    """Secret -> RestObject."""
    if collector.resource.address.group:
        return
    _named(collector, "credentials", "spec.auth.secret", map_or_empty(collector.spec.get("auth")).get("secret"))
    for path, named in map_or_empty(collector.spec.get("secrets")).items():
        _named(collector, "secret-field", f"spec.secrets[{path}].secret", map_or_empty(named).get("secret"))


def _named(collector: EdgeCollector, rule: str, field: str, written: JsonValue) -> None:
    namespace, _, name = text_or_empty(written).partition("/")
    collector.names_secret(rule, field, name, namespace)
