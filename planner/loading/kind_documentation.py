"""`hwplan explain KIND[.field]`: the documentation that the models carry. Imports them lazily."""

from __future__ import annotations

import types
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from planner.errors import PermanentError, SelectionError
from planner.loading.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

NO_PRODUCTS: Mapping[str, type[BaseModel]] = MappingProxyType({})


def explain_kind(what: str, products: Mapping[str, type[BaseModel]] = NO_PRODUCTS) -> str:
    """The documentation of a hwplan kind, a kind of configuration, or one of its fields: `GitRef.spec.mode`.

    `products` are what products add, by name: `<product>.Lane`, `<product>.Node`. Raises SelectionError with a
    close match; for kinds of Kubernetes it says where to look, for a plug-in that cannot be used which distribution it
    came with.
    """
    from planner.spec.model_walk import fields_of_model, models_of_annotation, yaml_field_names

    kind, path = _split(what, products)
    model = products.get(kind) or _model(kind)
    if model is None:
        raise _unknown(kind, products)
    current: type[BaseModel] | None = model
    info: FieldInfo | None = None
    walked = kind
    for part in path:
        if current is None or (info := fields_of_model(current).get(part)) is None:
            added = [
                name for name, one in products.items() if name.endswith(f".{walked}") and part in fields_of_model(one)
            ]
            remedy = f"hwplan explain {added[0]}.{part}" if added else did_you_mean(part, yaml_field_names(current))
            raise SelectionError(f"{walked} has no field {part}", where=what, remedy=remedy)
        walked = f"{walked}.{part}"
        inner = models_of_annotation(info.annotation)
        current = inner[0] if inner else None
    return _page(walked, info, current)


def is_known_kind(what: str) -> bool:
    """Whether the first word is a kind of hwplan or of its configuration: then no product has to be read for it."""
    return _model(what.partition(".")[0]) is not None


def summaries_of_kinds(products: Mapping[str, type[BaseModel]] = NO_PRODUCTS) -> tuple[tuple[str, str], ...]:
    """Every kind of hwplan, of its configuration and of `products`, with the first sentence of its documentation."""
    from planner.plugins import all_kind_names

    found = (
        (kind, products.get(kind) or _model(kind)) for kind in sorted({*all_kind_names(), *_documents(), *products})
    )
    return tuple((kind, _first_sentence(model.__doc__ or "")) for kind, model in found if model is not None)


def json_schema_of_kind(what: str, products: Mapping[str, type[BaseModel]] = NO_PRODUCTS) -> dict[str, Any]:
    """The JSON Schema of a kind. Raises SelectionError as `explain` does; a field is part of its kind."""
    kind, _ = _split(what, products)
    model = products.get(kind) or _model(kind)
    if model is None:
        raise _unknown(kind, products)
    return model.model_json_schema(by_alias=True)


def _split(what: str, products: Mapping[str, type[BaseModel]]) -> tuple[str, list[str]]:
    """The kind and the fields below it: the name of what a product adds has two words."""
    words = what.split(".")
    size = 2 if ".".join(words[:2]) in products else 1
    return ".".join(words[:size]), words[size:]


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".")


def _model(kind: str) -> type[BaseModel] | None:
    from planner.plugins import model_of_kind

    try:
        return _documents().get(kind) or model_of_kind(kind)
    except PermanentError as error:
        raise SelectionError(error.message, where=kind, remedy=error.remedy) from error


def _documents() -> dict[str, type[BaseModel]]:
    from planner.spec.lane import Lane
    from planner.spec.node import NodeConfig
    from planner.spec.product import DOCUMENTS
    from planner.spec.product_schema_document import ProductSchema

    return {**DOCUMENTS, "Node": NodeConfig, "Lane": Lane, "ProductSchema": ProductSchema}


def _unknown(kind: str, products: Mapping[str, type[BaseModel]]) -> SelectionError:
    from planner.plugins import all_kind_names

    known = (*all_kind_names(), *_documents(), *products)
    hint = did_you_mean(kind, known)
    if hint.startswith("did you mean"):
        return SelectionError(f"no kind {kind}", where="explain", remedy=hint)
    remedy = f"for a kind of Kubernetes: kubectl explain {kind}; kinds of hwplan: {', '.join(sorted(known))}"
    return SelectionError(f"{kind} is no kind of hwplan", where="explain", remedy=remedy)


def _page(name: str, info: FieldInfo | None, model: type[BaseModel] | None) -> str:
    from planner.spec.model_walk import fields_of_model

    lines = [name if info is None else f"{name}  <{_type_name(info.annotation)}>{_need(info)}"]
    if info is not None and info.description:
        lines += ["", f"  {info.description}"]
    if model is not None:
        if info is None or (model.__doc__ and not info.description):
            lines += ["", *(f"  {line.strip()}" for line in (model.__doc__ or "-").strip().splitlines())]
        lines += ["", "fields:"]
        for field, inner in fields_of_model(model).items():
            lines.append(f"  {field}  <{_type_name(inner.annotation)}>{_need(inner)}")
            lines.append(f"      {inner.description or ''}".rstrip())
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _need(info: FieldInfo) -> str:
    if info.is_required():
        return "  required"
    default = info.get_default()
    if default is None or default == () or default == {} or not isinstance(default, str | int | float | bool | tuple):
        return ""
    shown = ", ".join(str(item) for item in default) if isinstance(default, tuple) else str(default)
    return f"  default {shown.lower() if isinstance(default, bool) else shown}"


def _type_name(annotation: Any) -> str:
    """A type as the writer of YAML knows it."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(args[0])
    if origin is Literal:
        return " | ".join(str(arg) for arg in args)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(_type_name(arg) for arg in args if arg is not type(None)))
    if origin is tuple:
        return f"list of {_type_name(args[0])}"
    if origin is dict:
        return f"mapping of {_type_name(args[1])}"
    names = {str: "text", int: "number", float: "number", bool: "true | false"}
    return names.get(annotation, "value" if annotation is Any else getattr(annotation, "__name__", "value"))
