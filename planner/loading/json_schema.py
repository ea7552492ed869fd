"""JSON Schema of every configuration file and kind, for editors (`# yaml-language-server: $schema=`). Lazy imports."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schemas(products: Mapping[str, type[BaseModel]] = MappingProxyType({})) -> dict[str, dict[str, Any]]:
    """File name -> schema. `product`, `nodes` and `lanes` are for the files of a configuration, the others for kinds.

    `products` are what products add: `<product>.Lane` makes a schema of its own, `<product>.Node` a part of `nodes`.

    Nodes and lanes may be partial there (they are merged), so nothing is required inside them. Kinds of plug-ins are
    among the kinds; raises PermanentError for a plug-in that cannot be used.
    """
    from planner.plugins import all_kind_names, model_of_kind
    from planner.spec.lane import Lane
    from planner.spec.node import NodeConfig
    from planner.spec.product import LanesDocument, NodesDocument, ProductDocument
    from planner.spec.product_schema_document import ProductSchema

    found = {
        "product.schema.json": _schema(ProductDocument),
        "product-schema.schema.json": _schema(ProductSchema),
        "nodes.schema.json": _overlaid(_schema(NodesDocument), _with_products(NodeConfig, products), {"nodes": 1}),
        "lanes.schema.json": _overlaid(_schema(LanesDocument), Lane, {"lanes": 1, "nodes": 2}),
    }
    for name, added in products.items():
        product, _, part = name.partition(".")
        if part == "Lane":
            found[f"{product}.lanes.schema.json"] = _overlaid(_schema(LanesDocument), added, {"lanes": 1, "nodes": 2})
    for kind in all_kind_names():
        model = model_of_kind(kind)
        assert model is not None
        found[f"{kind}.schema.json"] = _schema(model)
    return found


def _with_products(node: type[BaseModel], products: Mapping[str, type[BaseModel]]) -> type[BaseModel]:
    """The model of a node that knows what products add to it."""
    from pydantic import Field, create_model

    added = {name.partition(".")[0]: one for name, one in products.items() if name.endswith(".Node")}
    fields: Any = {f"field_{at}": (one | None, Field(None, alias=name)) for at, (name, one) in enumerate(added.items())}
    inside = create_model("NodeProducts", __config__={"extra": "forbid"}, **fields)
    described = Field(None, description=node.model_fields["products"].description)
    return create_model("Node", __base__=node, products=(inside | None, described))


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"$schema": _DRAFT, **model.model_json_schema(by_alias=True)}


def _overlaid(document: dict[str, Any], model: type[BaseModel], mappings: dict[str, int]) -> dict[str, Any]:
    """The schema of a document with partial models: in `defaults`, and that many names deep in each of `mappings`."""
    part = _partial(model.model_json_schema(by_alias=True))
    definitions = {**document.get("$defs", {}), **part.pop("$defs", {}), "Part": part}
    properties = dict(document["properties"])
    leaf: dict[str, Any] = {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]}
    properties["defaults"] = {**leaf, "description": properties["defaults"]["description"]}
    for name, depth in mappings.items():
        inner = leaf
        for _ in range(depth):
            inner = {"type": "object", "additionalProperties": inner}
        properties[name] = {**inner, "description": properties[name]["description"]}
    return {**document, "$defs": definitions, "properties": properties}


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
