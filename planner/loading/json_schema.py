"""JSON Schema of every configuration file and kind, for editors (`# yaml-language-server: $schema=`). Lazy imports."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> schema. `product`, `nodes` and `lanes` are for the files of a configuration, the others for kinds.

    Nodes and lanes may be partial there (they are merged), so nothing is required inside them.
    """
    from planner.spec.kinds import TABLE, model_of
    from planner.spec.lane import Lane
    from planner.spec.node import Node
    from planner.spec.product import LanesDocument, NodesDocument, ProductDocument

    found = {
        "product.schema.json": _schema(ProductDocument),
        "nodes.schema.json": _overlaid(_schema(NodesDocument), Node, (("nodes", "additionalProperties"),)),
        "lanes.schema.json": _overlaid(
            _schema(LanesDocument),
            Lane,
            (("lanes", "additionalProperties"), ("nodes", "additionalProperties", "additionalProperties")),
        ),
    }
    for kind in TABLE:
        model = model_of(kind)
        assert model is not None
        found[f"{kind}.schema.json"] = _schema(model)
    return found


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"$schema": _DRAFT, **model.model_json_schema(by_alias=True)}


def _overlaid(document: dict[str, Any], model: type[BaseModel], places: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """The schema of a document whose parts are partial models: in `defaults` and at `places`."""
    part = _partial(model.model_json_schema(by_alias=True))
    document = deepcopy(document)
    document["$defs"] = {**document.get("$defs", {}), **part.pop("$defs", {}), "Part": part}
    reference = {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]}
    document["properties"]["defaults"] = reference
    for place in places:
        node = document["properties"]
        for step in place[:-1]:
            node = _inner(node, step)
        node[place[-1]] = reference if place[-1] == "additionalProperties" else node[place[-1]]
    return document


def _partial(schema: Any) -> Any:
    """A schema in which nothing is required and every field may be null (which takes it away)."""
    if isinstance(schema, list):
        return [_partial(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _partial(value) for key, value in schema.items() if key != "required"}
    if isinstance(properties := out.get("properties"), dict):
        out["properties"] = {name: {"anyOf": [value, {"type": "null"}]} for name, value in properties.items()}
    return out
