"""Kinds of our own that act on other resources come after them: ArgoSync, Restart, PodExec, Retention.

The target may be an address, `namespace/name`, or a bare name that only one declared resource has. A target that is not
declared is no error: it may live already, or come with a sync, so that a command in it comes after the syncs of its
lane. What a restart follows also stands before the workload itself: a workload that is made in the same plan then
starts with it, and needs no restart.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.address import Address, group_of
from planner.graph.edge import Edge
from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import as_mapping, as_text
from planner.graph.rules.argo import ARGO
from planner.values import Json, OutputRef, OutputTemplate

_FIELDS = {"ArgoRepair": "application", "ArgoSync": "application", "Restart": "target", "PodExec": "target"}
_OF_ARGO = frozenset(("ArgoRepair", "ArgoSync"))
KINDS = frozenset((*_FIELDS, "Retention"))


def draw(collector: EdgeCollector) -> None:
    """Application -> ArgoSync; workload, or what syncs it -> PodExec; workload -> Restart; what a restart follows ->
    workload and Restart; namespace and CRD of what is cleaned up -> Retention."""
    address = collector.resource.address
    if address.group:
        return
    if field := _FIELDS.get(address.kind):
        target = _target(collector, address.kind, collector.spec.get(field))
        collector.after(target, "target", f"spec.{field}")
        if address.kind == "Restart":
            _draw_followed(collector, target)
        elif address.kind == "PodExec" and target is None:
            for other in collector.index.resources:
                if (other.kind, other.group, other.node_lane) == ("ArgoSync", "", address.node_lane):
                    collector.after(other, "synced-target", "spec.target")
    elif address.kind == "Retention":
        _draw_selector(collector)


def _target(collector: EdgeCollector, kind: str, written: Json) -> Address | None:
    if not isinstance(written, str):
        return None
    node_lane = collector.resource.address.node_lane
    if kind in _OF_ARGO and written.count("/") < 2:
        namespace, _, name = written.rpartition("/")
        if namespace:
            return collector.index.find(node_lane, "Application", ARGO, namespace, name)
        found = collector.index.by_name.get((node_lane, "Application", name), ())
        return found[0] if len(found) == 1 else None
    try:
        return collector.index.resolve(Address.parse(written), node_lane)
    except ValueError:
        return None


def _draw_followed(collector: EdgeCollector, target: Address | None) -> None:
    followed = collector.spec.get("on")
    for number, written in enumerate(followed if isinstance(followed, list) else ()):
        field = f"spec.on[{number}]"
        collector.after(_target(collector, "Restart", written), "restart-on", field)
        for source in _sources(collector, written):
            if target is not None and source != target:
                collector.edges.append(Edge(source, target, "restart-on", f"{collector.resource.address} {field}"))


def _sources(collector: EdgeCollector, written: Json) -> Iterator[Address]:
    """The declared resources that an entry of `on` means: an address, or outputs inside a value."""
    if found := _target(collector, "Restart", written):
        yield found
    parts = written.parts if isinstance(written, OutputTemplate) else (written,)
    for part in parts:
        if isinstance(part, OutputRef) and (
            source := collector.index.resolve(part.address, collector.resource.address.node_lane)
        ):
            yield source


def _draw_selector(collector: EdgeCollector) -> None:
    selector = as_mapping(collector.spec.get("selector"))
    node_lane, kind = collector.resource.address.node_lane, as_text(selector.get("kind"))
    collector.names("namespace", "spec.selector.namespace", "Namespace", selector.get("namespace"), namespace="")
    collector.after(
        collector.index.crds.get((node_lane, group_of(as_text(selector.get("apiVersion"))), kind)),
        "crd",
        "spec.selector.kind",
    )
