"""Finding the model behind a path of field names: for suggestions, for `explain`. Owns no model."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def models_of_annotation(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation can hold: itself, members of a union, items of a tuple, values of a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    origin = get_origin(annotation)
    if origin is Annotated:
        return models_of_annotation(get_args(annotation)[0])
    if origin is dict:
        return models_of_annotation(get_args(annotation)[1])
    if origin in (Union, types.UnionType, tuple):
        return [model for part in get_args(annotation) for model in models_of_annotation(part)]
    return []


def fields_of_model(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields by the names they have in YAML, in the order of the model."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def model_at_field_path(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    """The model at a path of field names within another model; numbers and keys of mappings are stepped over. None when
    there is none."""
    current: list[type[BaseModel]] = [model]
    for part in path:
        found = [info for one in current if (info := fields_of_model(one).get(str(part))) is not None]
        if found:
            current = [inner for info in found for inner in models_of_annotation(info.annotation)]
        if not current:
            return None
    return current[0] if current else None


def yaml_field_names(model: type[BaseModel] | None) -> tuple[str, ...]:
    """The names of the fields of a model, as YAML has them."""
    return tuple(fields_of_model(model)) if model is not None else ()
