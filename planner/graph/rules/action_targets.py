"""Kinds of our own that act on other resources come after them. The fields that name
these targets are those of planner.spec.kinds.kind_target_fields.

The target may be an address, `namespace/name`, or a bare name that only one declared resource has. A target that is not
declared is no error: it may live already, or come with a sync, so that a command in it comes after the syncs of its
lane. What a restart follows also stands before the workload itself: a workload that is made in the same plan then
starts with it, and needs no restart.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.address import Address, group_of_api_version
from planner.graph.edge import Edge
from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import map_or_empty, text_or_empty
from planner.spec.kinds.kind_target_fields import TARGETS, TargetAddressField
from planner.values import JsonValue, OutputRef, OutputTemplate

KINDS = frozenset(TARGETS)


def add_action_target_edges(collector: EdgeCollector) -> None:
    """Target, or what brings it -> the resource that acts on it; what it follows -> the resource and its target;
    namespace and CRD of the objects that it selects -> the resource."""
    if collector.resource.address.group:
        return
    targets = TARGETS[collector.resource.address.kind]
    target = _target(collector, targets.fields[0]) if targets.fields else None
    for field in targets.fields:
        if field.before_target:
            _draw_followed(collector, field, target)
        else:
            collector.after(target, field.rule, f"spec.{field.name}")
            if target is None and field.else_after:
                _draw_all_of_lane(collector, field)
    if targets.selector:
        _draw_selector(collector, targets.selector)


def _target(collector: EdgeCollector, field: TargetAddressField) -> Address | None:
    written = collector.spec.get(field.name)
    if field.named is None or not isinstance(written, str) or written.count("/") >= 2:
        return _declared(collector, written)
    kind, group = field.named
    node_lane = collector.resource.address.node_lane
    namespace, _, name = written.rpartition("/")
    if namespace:
        return collector.index.find(node_lane, kind, group, namespace, name)
    found = collector.index.by_name.get((node_lane, kind, name), ())
    return found[0] if len(found) == 1 else None


def _declared(collector: EdgeCollector, written: JsonValue) -> Address | None:
    """The declared resource that a value names as an address; None for any other value."""
    if not isinstance(written, str):
        return None
    try:
        return collector.index.resolve(Address.parse(written), collector.resource.address.node_lane)
    except ValueError:
        return None


def _draw_all_of_lane(collector: EdgeCollector, field: TargetAddressField) -> None:
    for other in collector.index.resources:
        if (other.kind, other.group, other.node_lane) == (
            field.else_after,
            "",
            collector.resource.address.node_lane,
        ):
            collector.after(other, "synced-target", f"spec.{field.name}")


def _draw_followed(collector: EdgeCollector, named: TargetAddressField, target: Address | None) -> None:
    followed = collector.spec.get(named.name)
    for number, written in enumerate(followed if isinstance(followed, list) else ()):
        field = f"spec.{named.name}[{number}]"
        collector.after(_declared(collector, written), named.rule, field)
        for source in _sources(collector, written):
            if target is not None and source != target:
                collector.edges.append(Edge(source, target, named.rule, f"{collector.resource.address} {field}"))


def _sources(collector: EdgeCollector, written: JsonValue) -> Iterator[Address]:
    """The declared resources that an entry means: an address, or outputs inside a value."""
    if found := _declared(collector, written):
        yield found
    parts = written.parts if isinstance(written, OutputTemplate) else (written,)
    for part in parts:
        if isinstance(part, OutputRef) and (
            source := collector.index.resolve(part.address, collector.resource.address.node_lane)
        ):
            yield source


def _draw_selector(collector: EdgeCollector, field: str) -> None:
    selector = map_or_empty(collector.spec.get(field))
    node_lane, kind = collector.resource.address.node_lane, text_or_empty(selector.get("kind"))
    collector.names("namespace", f"spec.{field}.namespace", "Namespace", selector.get("namespace"), namespace="")
    collector.after(
        collector.index.crds.get((node_lane, group_of_api_version(text_or_empty(selector.get("apiVersion"))), kind)),
        "crd",
        f"spec.{field}.kind",
    )
