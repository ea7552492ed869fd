"""Validation errors of pydantic models as problems: what is wrong, where, what was meant. Values never show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from planner.loading.problems import did_you_mean
from planner.spec.base import FORMS
from planner.spec.model_walk import model_at_field_path, yaml_field_names

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

Report: TypeAlias = Callable[[tuple[str | int, ...], str, str], None]  # path, message, suggestion

_TEXTS = {
    "string_type": "expected text",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "dict_type": "expected a mapping",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
    "model_type": "expected a mapping",
    "model_attributes_type": "expected a mapping",
    "string_pattern_mismatch": "not in the expected form",
    "too_short": "expected at least one",
}


def report_model_errors(error: ValidationError, model: type[BaseModel], value: Any, report: Report) -> None:
    """Give every error to `report`, one per path: the first that a person can act on."""
    items = [(item, *_real_path(item["loc"], value)) for item in error.errors(include_url=False, include_input=False)]
    paths = [path for _, path, _ in items]
    seen: set[tuple[str | int, ...]] = set()
    for item, path, cut in items:
        if item["type"] not in ("missing", "extra_forbidden"):
            follows = any(len(other) > len(path) and other[: len(path)] == path for other in paths)
            if path in seen or (follows and path):
                continue
            seen.add(path)
        report(path, *_words(item, path, cut, model))


def _real_path(loc: Sequence[str | int], value: Any) -> tuple[tuple[str | int, ...], bool]:
    """The part of an error's place that exists in the document: unions and key checks add parts of their own."""
    path: list[str | int] = []
    for position, part in enumerate(loc):
        inside_list = isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)
        if inside_list or (isinstance(value, Mapping) and part in value):
            value = value[part]
        else:
            return tuple(path), position < len(loc) - 1
        path.append(part)
    return tuple(path), False


def _words(item: Any, path: tuple[str | int, ...], cut: bool, model: type[BaseModel]) -> tuple[str, str]:
    kind, loc = item["type"], item["loc"]
    name = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        return f'unknown field "{name}"', did_you_mean(name, yaml_field_names(model_at_field_path(model, loc[:-1])))
    if kind == "missing":
        return f'missing field "{name}"', ""
    where = _dotted(path)
    lead = f"{where}: " if where else ""
    if kind == "value_error":
        return lead + str(item["ctx"]["error"]), ""
    if kind == "string_pattern_mismatch":
        pattern = item["ctx"]["pattern"]
        text = "a name that is not allowed" if "[key]" in loc else _TEXTS[kind]
        return lead + text, f"expected {FORMS.get(pattern, pattern)}"
    if kind == "literal_error":
        return lead + f"expected {item['ctx']['expected']}", ""
    if kind in _TEXTS:
        return lead + _TEXTS[kind], "put it in quotes" if kind == "string_type" else ""
    return lead + re.sub(r"^Input should be ", "expected ", item["msg"]).lower(), ""


def _dotted(path: Sequence[str | int]) -> str:
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else (f".{part}" if out else part)
    return out
