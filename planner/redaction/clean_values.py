"""Cleans every text inside of a value: dataclasses, mappings and sequences, however deep. Knows no secret itself.

What passes uncleaned is said by the type (an Address is a public name) or at the field, with `metadata=AS_IT_IS`:
documents that are written as declared, references to secrets. A field that says nothing is cleaned, so that one which
is added later cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, Final, TypeVar, cast

from planner.address import Address
from planner.dataclass import dataclass
from planner.redaction.redactor import REDACTOR

_T = TypeVar("_T")
AS_IT_IS: Final[Mapping[str, bool]] = {"hwplan.as-it-is": True}  # metadata of a dataclass field that is not cleaned
_UNTOUCHED = (int, float, bytes, Enum, Address)  # bool is an int; Enum also where its members are texts
_PLAIN = frozenset({str, type(None), bool, int, float, Address})  # what most values are, found by one look-up


@dataclass(frozen=True, slots=True)
class TextCleaner:
    """How a text is cleaned of secret values: `clean` gives the text with them masked; `leaves` says of many texts at
    once whether `clean` leaves each of them as it is; it may say no of texts that stay."""

    clean: Callable[[str], str]
    leaves: Callable[[Iterable[str]], bool]


OWN: Final = TextCleaner(REDACTOR.clean, REDACTOR.leaves)
FOREIGN: Final = TextCleaner(REDACTOR.clean_foreign, REDACTOR.leaves_foreign)  # words from outside


def clean_texts_in_value(value: _T, cleaner: TextCleaner = OWN) -> _T:
    """`value` with every text in it cleaned, keys of mappings too; the very same object where nothing was found.

    Types stay, but for mappings that are no dict, which become one. Frozen dataclasses are copied, never changed.
    """
    return value if cleaner.leaves(_texts(value)) else cast(_T, _cleaned(value, cleaner.clean))


def is_value_clean(value: object, cleaner: TextCleaner = OWN) -> bool:
    """Whether cleaning leaves every text in `value` as it is."""
    return cleaner.leaves(_texts(value)) or _cleaned(value, cleaner.clean) is value


def _texts(value: object) -> set[str]:
    """Every text that `_cleaned` would clean, once. Looks at all values of one depth together: a plan of a thousand
    objects holds some hundred thousand, and most of them are plain."""
    found: set[str] = set()
    level: list[object] = [value]
    while level:
        found.update([one for one in level if one.__class__ is str])
        below: list[object] = []
        for item in [one for one in level if one.__class__ not in _PLAIN]:
            if type(item) is tuple or type(item) is list:
                below += item
            elif type(item) is dict:
                below += item
                below += item.values()
            else:
                below += _parts_of(_class_of(item))(item)
        level = below
    return found


def _class_of(item: object) -> Any:  # a class is hashable, which mypy does not see
    return type(item)


@cache
def _parts_of(kind: Any) -> Callable[[Any], Iterable[object]]:
    """What is inside of a value of this class, for `_texts`; of a kind of text, the text."""
    if issubclass(kind, Mapping):
        return lambda item: (*item, *item.values())
    if issubclass(kind, _UNTOUCHED):
        return lambda item: ()
    if issubclass(kind, str):
        return lambda item: (str.__str__(item),)
    if issubclass(kind, list | tuple | set | frozenset):
        return iter
    names = _cleaned_fields(kind)
    return attrgetter(*names) if len(names) > 1 else lambda item: tuple(getattr(item, name) for name in names)


@cache
def _cleaned_fields(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that are cleaned; none of any other class."""
    every = fields(kind) if is_dataclass(kind) else ()
    return tuple(one.name for one in every if one.init and "hwplan.as-it-is" not in one.metadata)


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    if value is None or isinstance(value, _UNTOUCHED):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return _mapping(value, clean)
    if isinstance(value, list | tuple | set | frozenset):
        return _sequence(value, clean)
    return _fields(value, clean)


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
    for name in _cleaned_fields(_class_of(value)):
        before = getattr(value, name)
        after = _cleaned(before, clean)
        if after is not before:
            changed[name] = after
    return replace(value, **changed) if changed else value
