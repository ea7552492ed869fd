"""A Secret stands before the RestObject that sends its values: as credentials, or in a field of the object."""

from __future__ import annotations

from planner.graph.index import mapping, text
from planner.graph.pen import Pen
from planner.values import Json

KINDS = frozenset(("RestObject",))


def draw(pen: Pen) -> None:
    """Secret -> RestObject."""
    if pen.resource.address.group:
        return
    _named(pen, "credentials", "spec.auth.secret", mapping(pen.spec.get("auth")).get("secret"))
    for path, named in mapping(pen.spec.get("secrets")).items():
        _named(pen, "secret-field", f"spec.secrets[{path}].secret", mapping(named).get("secret"))


def _named(pen: Pen, rule: str, field: str, written: Json) -> None:
    namespace, _, name = text(written).partition("/")
    pen.names_secret(rule, field, name, namespace)
