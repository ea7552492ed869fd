"""Kinds of our own that act on another resource come after it: ArgoSync, Restart, PodExec.

The target may be an address, `namespace/name`, or a bare name that only one declared resource has. A target that is not
declared is no error: it may live already.
"""

from __future__ import annotations

from planner.address import Address
from planner.graph.pen import Pen
from planner.graph.rules.argo import ARGO
from planner.values import Json

_FIELDS = {"ArgoSync": "application", "Restart": "target", "PodExec": "target"}
KINDS = frozenset(_FIELDS)


def draw(pen: Pen) -> None:
    """Application -> ArgoSync; workload -> Restart, PodExec."""
    address = pen.resource.address
    if not address.group and (field := _FIELDS.get(address.kind)):
        pen.after(_target(pen, address.kind, pen.spec.get(field)), "target", f"spec.{field}")


def _target(pen: Pen, kind: str, written: Json) -> Address | None:
    if not isinstance(written, str):
        return None
    place = pen.resource.address.place
    if kind == "ArgoSync" and written.count("/") < 2:
        namespace, _, name = written.rpartition("/")
        if namespace:
            return pen.index.find(place, "Application", ARGO, namespace, name)
        found = pen.index.by_name.get((place, "Application", name), ())
        return found[0] if len(found) == 1 else None
    try:
        return pen.index.resolve(Address.parse(written), place)
    except ValueError:
        return None
