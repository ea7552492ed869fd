"""Warnings of the API server about claims of volumes, also inside of other kinds. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from planner.values import JsonObject
from providers.kubernetes.ssa.go_quoting import go_quoted
from providers.kubernetes.ssa.quantity import quantity_amount


def claim_spec_warnings(path: str, spec: JsonObject) -> Iterator[str]:
    """Warnings about the `spec` of a PersistentVolumeClaim at this path: sizes that are no whole number of bytes."""
    resources = spec.get("resources") or {}
    for part in ("requests", "limits"):
        size = (resources.get(part) or {}).get("storage")
        amount = quantity_amount(size)
        if amount is not None and amount % 1:
            words = f"fractional byte value {go_quoted(size)} is invalid, must be an integer"
            yield f"{path}.resources.{part}[storage]: {words}"
