"""Stacks for the tests of the graph, written as YAML."""

from __future__ import annotations

from textwrap import dedent

from ruamel.yaml import YAML

from planner.address import Address, address_of_document
from planner.graph import Edge
from planner.resource import DEPENDS_ON, Resource, ResourceOptions
from planner.source_line_ref import SourceRef
from planner.values import Json, OutputRef, OutputTemplate, parse_output_ref


def resources(text: str, *, node_lane: str = "") -> list[Resource]:
    """The documents of a YAML stream; `REF x` and `SUB a ${x} b` stand for the tags that the loader knows."""
    documents = [document for document in YAML(typ="safe", pure=True).load_all(dedent(text)) if document]
    return [_resource(_with_outputs(document), number, node_lane) for number, document in enumerate(documents, 1)]


def _resource(manifest: Json, number: int, node_lane: str) -> Resource:
    written = (manifest["metadata"].get("annotations") or {}).get(DEPENDS_ON, "")
    needs = tuple(Address.parse(word.strip()) for word in written.split(",") if word.strip())
    return Resource(
        address_of_document(manifest, node_lane=node_lane),
        manifest["apiVersion"],
        manifest,
        "set",
        "runtime",
        SourceRef("stack.yaml", number),
        ResourceOptions(depends_on=needs),
    )


def _with_outputs(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _with_outputs(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_outputs(item) for item in value]
    if isinstance(value, str) and value.startswith("REF "):
        return parse_output_ref(value.removeprefix("REF "))
    if isinstance(value, str) and value.startswith("SUB "):
        head, _, rest = value.removeprefix("SUB ").partition("${")
        ref, _, tail = rest.partition("}")
        parts: tuple[str | OutputRef, ...] = (head, parse_output_ref(ref), tail)
        return OutputTemplate(parts)
    return value


def edge_lines(edges: tuple[Edge, ...]) -> list[str]:
    """Edges as `before -> after  rule  field`, sorted."""
    return sorted(f"{edge.before} -> {edge.after}  {edge.rule}  {edge.field}" for edge in edges)
