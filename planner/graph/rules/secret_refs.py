"""A Secret stands before the resource of a plug-in that takes a value of it."""

from __future__ import annotations

from collections.abc import Iterator

from planner.address import is_hwplan_kind
from planner.field_path import render_path
from planner.graph.edge_collector import EdgeCollector
from planner.graph.resource_index import text_or_empty
from planner.values import JsonValue, SealedSecret


def add_secret_ref_edges(collector: EdgeCollector) -> None:
    """Secret -> resource, for every reference that the loader has put a leaf beside."""
    if not is_hwplan_kind(collector.resource.api_version):
        return
    from planner.spec.kinds import TABLE  # brings pydantic, which plain manifests do without

    if collector.resource.address.kind in TABLE:
        return
    for path, secret in _references(collector.spec, ("spec",)):
        namespace, _, name = secret.partition("/")
        collector.names_secret("secret-value", f"{render_path(path)}.secret", name, namespace)


def _references(value: JsonValue, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    match value:
        case {"secret": secret, "value": SealedSecret()}:
            yield path, text_or_empty(secret)
        case dict():
            for key, item in value.items():
                yield from _references(item, (*path, key))
        case list():
            for at, item in enumerate(value):
                yield from _references(item, (*path, at))
