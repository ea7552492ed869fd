"""Built-in fields that exclude each other: an update can meet them although each side is valid by itself. Pure.

Source: `validation.go` of the API groups of Kubernetes 1.36. A strategy of another type keeps the parameters of the old
one where somebody else owns them.
"""

from __future__ import annotations

from planner.field_path import FieldPath
from planner.values import Json, JsonObject

_STRATEGIES = {
    ("apps/v1", "Deployment"): ("strategy", "Recreate", "may not be specified when strategy `type` is 'Recreate'"),
    ("apps/v1", "StatefulSet"): ("updateStrategy", "OnDelete", "only allowed for updateStrategy 'RollingUpdate'"),
}


def mutually_exclusive_field_errors(document: JsonObject) -> tuple[tuple[FieldPath, str], ...]:
    """The fields of a document, as it would be stored, that the server refuses beside another one, and its words."""
    rule = _STRATEGIES.get((str(document.get("apiVersion")), str(document.get("kind"))))
    if rule is None:
        return ()
    name, kind, message = rule
    strategy: Json = (document.get("spec") or {}).get(name) or {}
    if strategy.get("type") != kind or strategy.get("rollingUpdate") is None:
        return ()
    return ((("spec", name, "rollingUpdate"), message),)
