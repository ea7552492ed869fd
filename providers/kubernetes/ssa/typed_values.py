"""What a value is by its type: the form it is handled in, the path element of a list item, equality of JSON values.

The ground of structured-merge-diff (v6) on plain documents: merge, comparison and field sets stand on it. `ABSENT` is
"not there", which is not null.
"""

from __future__ import annotations

from typing import Any, Final

from planner.errors import PermanentError
from planner.field_path import Element, ListItemPathElement, SetMemberPathElement
from planner.values import Json, JsonMap, JsonValue
from providers.kubernetes.ssa.merge_types import MergeType

ABSENT: Final[Any] = object()


def map_list_or_scalar_form(kind: MergeType, value: JsonValue) -> str:
    """Whether a value is merged as a `map`, a `list` or a `scalar`. Null takes the first form that the type has."""
    if isinstance(value, dict):
        if kind.is_map:
            return "map"
    elif isinstance(value, list):
        if kind.list_kind:
            return "list"
    elif value is not None and value is not ABSENT and kind.scalar:
        return "scalar"
    return "map" if kind.is_map else "scalar" if kind.scalar else "list"


def list_item_element(kind: MergeType, value: Json) -> Element:
    """The path element of an item of a keyed list or set. Raises PermanentError when it has none."""
    if kind.list_kind == "set":
        if value is None or isinstance(value, (dict, list)):
            raise PermanentError("associative list without keys has an element that's a map type")
        return SetMemberPathElement(value)
    if not isinstance(value, dict):
        raise PermanentError("associative list with keys may not have non-map elements")
    keys = []
    for name in kind.keys:
        found = value[name] if name in value else kind.key_defaults.get(name, kind.items().default(name))
        if isinstance(found, (dict, list)):
            raise PermanentError(f"associative list with keys has an element whose key field {name!r} is no scalar")
        if name in value or found is not None:
            keys.append((name, found))
    if not keys:
        raise PermanentError(f"associative list with keys has an element that omits all key fields {list(kind.keys)}")
    return ListItemPathElement(tuple(sorted(keys)))


def equal_json(left: JsonValue, right: JsonValue, *, int_differs_from_float: bool = False) -> bool:
    """Equality of JSON values: true is never 1; 1 is 1.0, unless `int_differs_from_float`."""
    if isinstance(left, dict):
        if not isinstance(right, dict) or left.keys() != right.keys():
            return False
        return all(
            equal_json(value, right[key], int_differs_from_float=int_differs_from_float) for key, value in left.items()
        )
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        return all(
            equal_json(one, other, int_differs_from_float=int_differs_from_float)
            for one, other in zip(left, right, strict=True)
        )
    if int_differs_from_float and isinstance(left, float) is not isinstance(right, float):
        return False
    return bool(left == right) and isinstance(left, bool) is isinstance(right, bool)


def map_or_empty(value: JsonValue) -> JsonMap:
    """The value where it is a map, else an empty one: null and "not there" have no fields."""
    return value if isinstance(value, dict) else {}


def list_or_empty(value: JsonValue) -> list[JsonValue]:
    """The value where it is a list, else an empty one: null and "not there" have no items."""
    return value if isinstance(value, list) else []
