"""Edges that the author wrote for hwplan: `hwplan.dev/depends-on`, and every `!ref` and `!sub` in a document.

These have to be declared: a name that leads nowhere here is a mistake, not something that may live already.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.field_path import render_path
from planner.graph.edge_collector import EdgeCollector
from planner.resource import DEPENDS_ON
from planner.values import Json, JsonValue, OutputRef, OutputTemplate

_FIELD = f"metadata.annotations[{DEPENDS_ON}]"


def add_depends_on_edges(collector: EdgeCollector) -> None:
    """Each address of the annotation -> the resource."""
    for address in collector.resource.options.depends_on:
        collector.refers(address, "depends-on", _FIELD)


def add_output_ref_edges(collector: EdgeCollector) -> None:
    """The resource of each output that the document uses -> the document."""
    if not _uses_outputs(collector.manifest):
        return
    for path, leaf in _outputs(collector.manifest, ()):
        for ref in (leaf,) if isinstance(leaf, OutputRef) else leaf.parts:
            if isinstance(ref, OutputRef):
                collector.refers(ref.address, "ref", render_path(path))


def _uses_outputs(value: Json) -> bool:
    """A quick look without paths: nearly no document uses outputs, and every plan walks them all."""
    pending = [value]
    while pending:
        here = pending.pop()
        for item in here.values() if here.__class__ is dict else here:
            kind = item.__class__
            if kind is dict or kind is list:
                pending.append(item)
            elif kind is OutputRef or kind is OutputTemplate:
                return True
    return False


def _outputs(
    value: JsonValue, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], OutputRef | OutputTemplate]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _outputs(item, (*path, key))
        case list():
            for at, item in enumerate(value):
                yield from _outputs(item, (*path, at))
        case OutputRef() | OutputTemplate():
            yield path, value
