"""Kinds of our own that act on other resources come after them: ArgoSync, Restart, PodExec, Retention.

The target may be an address, `namespace/name`, or a bare name that only one declared resource has. A target that is not
declared is no error: it may live already. What a restart follows also stands before the workload itself: a workload
that is made in the same plan then starts with it, and needs no restart.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.address import Address, group_of
from planner.graph.edge import Edge
from planner.graph.index import mapping, text
from planner.graph.pen import Pen
from planner.graph.rules.argo import ARGO
from planner.values import Json, Ref, Sub

_FIELDS = {"ArgoSync": "application", "Restart": "target", "PodExec": "target"}
KINDS = frozenset((*_FIELDS, "Retention"))


def draw(pen: Pen) -> None:
    """Application -> ArgoSync; workload -> Restart, PodExec; what a restart follows -> workload and Restart; namespace
    and CRD of what is cleaned up -> Retention."""
    address = pen.resource.address
    if address.group:
        return
    if field := _FIELDS.get(address.kind):
        target = _target(pen, address.kind, pen.spec.get(field))
        pen.after(target, "target", f"spec.{field}")
        if address.kind == "Restart":
            _draw_followed(pen, target)
    elif address.kind == "Retention":
        _draw_selector(pen)


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


def _draw_followed(pen: Pen, target: Address | None) -> None:
    followed = pen.spec.get("on")
    for number, written in enumerate(followed if isinstance(followed, list) else ()):
        field = f"spec.on[{number}]"
        pen.after(_target(pen, "Restart", written), "restart-on", field)
        for source in _sources(pen, written):
            if target is not None and source != target:
                pen.edges.append(Edge(source, target, "restart-on", f"{pen.resource.address} {field}"))


def _sources(pen: Pen, written: Json) -> Iterator[Address]:
    """The declared resources that an entry of `on` means: an address, or outputs inside a value."""
    if found := _target(pen, "Restart", written):
        yield found
    parts = written.parts if isinstance(written, Sub) else (written,)
    for part in parts:
        if isinstance(part, Ref) and (source := pen.index.resolve(part.address, pen.resource.address.place)):
            yield source


def _draw_selector(pen: Pen) -> None:
    selector = mapping(pen.spec.get("selector"))
    place, kind = pen.resource.address.place, text(selector.get("kind"))
    pen.names("namespace", "spec.selector.namespace", "Namespace", selector.get("namespace"), namespace="")
    pen.after(
        pen.index.crds.get((place, group_of(text(selector.get("apiVersion"))), kind)), "crd", "spec.selector.kind"
    )
