"""Cleans every text inside of a value: dataclasses, mappings and sequences, however deep. Knows no secret itself.

What passes uncleaned is said by the type (an Address is a public name) or at the field, with `metadata=AS_IT_IS`:
documents that are written as declared, references to secrets. A field that says nothing is cleaned, so that one which
is added later cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, Final, TypeVar, cast

from planner.address import Address
from planner.redaction.redactor import REDACTOR

_T = TypeVar("_T")
AS_IT_IS: Final[Mapping[str, bool]] = {"hwplan.as-it-is": True}  # metadata of a dataclass field that is not cleaned
_UNTOUCHED = (int, float, bytes, Enum, Address)  # bool is an int; Enum also where its members are texts


def clean_texts_in_value(value: _T, clean: Callable[[str], str] = REDACTOR.clean) -> _T:
    """`value` with every text in it cleaned, keys of mappings too; the very same object where nothing was found.

    Types stay, but for mappings that are no dict, which become one. Frozen dataclasses are copied, never changed.
    """
    return cast(_T, _cleaned(value, clean))


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    if value is None or isinstance(value, _UNTOUCHED):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return _mapping(value, clean)
    if isinstance(value, list | tuple | set | frozenset):
        return _sequence(value, clean)
    return _fields(value, clean) if is_dataclass(value) and not isinstance(value, type) else value


def _mapping(value: Mapping[Any, Any], clean: Callable[[str], str]) -> Mapping[Any, Any]:
    found = {_cleaned(key, clean): _cleaned(item, clean) for key, item in value.items()}
    same = len(found) == len(value) and all(key in value and value[key] is item for key, item in found.items())
    return value if same else found


def _sequence(value: Any, clean: Callable[[str], str]) -> Any:
    found = [_cleaned(item, clean) for item in value]
    if all(before is after for before, after in zip(value, found, strict=True)):
        return value
    return type(value)(*found) if hasattr(value, "_fields") else type(value)(found)


def _fields(value: Any, clean: Callable[[str], str]) -> Any:
    changed = {}
    for one in fields(value):
        before = getattr(value, one.name)
        if one.init and "hwplan.as-it-is" not in one.metadata:
            after = _cleaned(before, clean)
            if after is not before:
                changed[one.name] = after
    return replace(value, **changed) if changed else value
