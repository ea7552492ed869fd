"""Checks of a desired object against its type, in the API server's words where practical. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from planner.address import group_of_api_version
from planner.errors import PermanentError
from planner.field_path import Element, FieldPath, path_sort_key
from planner.values import Json, JsonObject, JsonValue, deep_copy
from providers.kubernetes.ssa import cel_rules, crd_formats, re2_pattern_matching, schema_junctors
from providers.kubernetes.ssa.crd_types import REPLICAS
from providers.kubernetes.ssa.defaults import fill_custom_defaults
from providers.kubernetes.ssa.merge_types import MergeType, MergeTypeTable
from providers.kubernetes.ssa.quantity import quantity_amount
from providers.kubernetes.ssa.typed_values import ABSENT, equal_json, list_item_element

Problem = tuple[FieldPath, str]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NOT_ENFORCED = frozenset(("core.v1.LimitRangeSpec",))  # required by its schema, but not by the server
_PORTS = frozenset(("containerPort", "hostPort", "port", "nodePort", "targetPort"))
_MOST_REPLICAS = 2**31 - 1
_MOST_OF_A_NAME = 253  # characters; all of them are ASCII
# Groups whose names may hold anything but / and %.
GROUPS_WITH_FREE_NAMES = frozenset({"rbac.authorization.k8s.io", "policy", "certificates.k8s.io"})


def object_validation_errors(
    desired: JsonObject, types: MergeTypeTable, *, only_shape: bool = False, live: JsonObject | None = None
) -> tuple[Problem, ...]:
    """Everything that is wrong with `desired`: unknown fields, wrong scalar types, duplicate list-map keys, missing
    required fields; for CRDs also values and rules. In path order; empty when nothing is known to be wrong.

    `only_shape` keeps to what makes the server refuse an apply before anything else: fields, types and keys. `live` is
    the object before the write: of a custom kind, what was wrong before and did not change is let pass (ratcheting).
    """
    api_version, name = str(desired.get("apiVersion", "")), str(desired.get("kind", ""))
    kind = types.type_of(api_version, name)
    if only_shape or types.is_custom(api_version, name):
        shape = list(_check(kind, (), desired, True))
        if only_shape:
            return _sorted(shape)
        return _sorted([*shape, *_custom(kind, desired, live, shape), *_semantic(desired, types)])
    return _sorted([*_check(kind, (), desired, False), *_semantic(desired, types)])


def _custom(kind: MergeType, desired: JsonObject, live: JsonObject | None, shape: list[Problem]) -> list[Problem]:
    """What is wrong with the values of a custom object; its rules count only when nothing else is wrong."""
    whole = _defaulted(kind, desired)
    found = [problem for problem in _check(kind, (), whole, False) if problem not in shape]
    for name in whole.keys() - {"metadata"}:
        found += _nulls(kind, (), {name: whole[name]})
    if live is not None:
        found = [problem for problem in found if not _is_old(kind, problem[0], live, whole)]
    found += _replicas(kind, whole)
    if shape or found:
        return found
    broken = cel_rules.judge_cel_rules(kind, whole, ABSENT if live is None else live)
    return [(one.path, one.message) for one in broken if not one.open]


def _replicas(kind: MergeType, whole: JsonObject) -> Iterator[Problem]:
    """The field that the subresource `scale` of a custom kind names holds a number of replicas."""
    path = tuple(str(kind.checks.get(REPLICAS, "")).lstrip(".").split("."))
    value: JsonValue = whole
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, int) and value < 0:
        yield path, "should be a non-negative integer"
    elif isinstance(value, int) and value > _MOST_REPLICAS:
        yield path, f"should be less than or equal to {_MOST_REPLICAS}"


def unevaluated_cel_rules(
    desired: JsonObject, types: MergeTypeTable, live: JsonObject | None = None
) -> tuple[Problem, ...]:
    """The rules of a custom kind that apply to `desired` and that only the server can evaluate."""
    kind = types.type_of(str(desired.get("apiVersion", "")), str(desired.get("kind", "")))
    found = cel_rules.judge_cel_rules(kind, _defaulted(kind, desired), ABSENT if live is None else live)
    return _sorted([(one.path, one.message) for one in found if one.open])


def _defaulted(kind: MergeType, desired: JsonObject) -> JsonObject:
    """Values and rules are about the object with its defaults."""
    whole: JsonObject = deep_copy(desired)
    fill_custom_defaults(kind, whole)
    return whole


def _nulls(kind: MergeType, path: FieldPath, value: JsonValue) -> Iterator[Problem]:
    """Nulls where the schema of a custom kind takes none, and no default stands in for them."""
    if isinstance(value, dict):
        members: list[tuple[str | int, MergeType | None, JsonValue, Json]] = [
            (key, kind.child(key), item, kind.default(key)) for key, item in value.items()
        ]
    elif isinstance(value, list) and kind.list_kind:
        members = [(index, kind.items(), item, None) for index, item in enumerate(value)]
    else:
        return
    for key, below, item, default in members:
        if below is None:
            continue
        if item is None and default is None and below.scalar != "untyped":
            if not below.checks.get("nullable"):
                yield (*path, key), f"must be of type {_expected(below)}: null"
            elif "enum" in below.checks:  # null is no value of an enum, even if it is written there
                yield (*path, key), "Unsupported value: null"
        yield from _nulls(below, (*path, key), item)


def _sorted(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (path_sort_key(problem[0]), problem[1])))


def _is_old(kind: MergeType, path: FieldPath, live: JsonValue, desired: JsonValue) -> bool:
    """Whether the value at a path, or one around it, is the one that stood there before."""
    before, now = live, desired
    for element in path:
        before, now = _member(kind, element, before), _member(kind, element, now)
        if before is ABSENT or now is ABSENT:
            return False
        if equal_json(before, now):
            return True
        below = kind.child(element) if isinstance(element, str) else kind.items()
        if below is None:
            return False
        kind = below
    return False


def _member(kind: MergeType, element: Element, value: JsonValue) -> Json:
    if isinstance(element, str):
        return value.get(element, ABSENT) if isinstance(value, dict) else ABSENT
    if isinstance(value, list) and kind.list_kind == "map" and not isinstance(element, int):
        return next((item for item in value if list_item_element(kind, item) == element), ABSENT)
    return ABSENT


def _check(kind: MergeType, path: FieldPath, value: JsonValue, only_shape: bool) -> Iterator[Problem]:
    if value is None:
        return
    if isinstance(value, dict):
        if not kind.is_map:
            yield path, f"expected {_expected(kind)}, got an object"
            return
        yield from _map(kind, path, value, only_shape)
    elif isinstance(value, list):
        if not kind.list_kind:
            yield path, f"expected {_expected(kind)}, got a list"
            return
        yield from _list(kind, path, value, only_shape)
    elif not kind.scalar or not _fits(kind.scalar, value):
        yield path, f"expected {_expected(kind)}, got {_name(value)}"
    if not only_shape and kind.checks:
        yield from ((path, message) for message in schema_bound_errors(kind.checks, value))
        yield from (
            (path + below, message)
            for below, message in schema_junctors.junctor_errors(kind.checks, value, schema_bound_errors)
        )


def _map(kind: MergeType, path: FieldPath, value: JsonObject, only_shape: bool) -> Iterator[Problem]:
    for key, item in value.items():
        below = kind.child(key)
        if below is None:
            from difflib import get_close_matches  # not before there is something to say

            close = get_close_matches(key, list(kind.names), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            yield (*path, key), f"field not declared in schema{hint}"
        else:
            yield from _check(below, (*path, key), item, only_shape)
    if only_shape:
        return
    for name in () if kind.name in _NOT_ENFORCED else kind.required:
        if value.get(name) is None and kind.default(name) is None:
            yield (*path, name), "Required value"


def _list(kind: MergeType, path: FieldPath, value: list[JsonValue], only_shape: bool) -> Iterator[Problem]:
    seen: set[Element] = set()
    items = kind.items()
    for index, item in enumerate(value):
        here: Element = index
        if kind.list_kind != "atomic":
            try:
                here = list_item_element(kind, item)
            except PermanentError as error:
                yield (*path, index), error.message
                continue
            if here in seen:
                yield (*path, here), f"duplicate entries for key {here}"
            seen.add(here)
        yield from _check(items, (*path, here), item, only_shape)


def _fits(scalar: str, value: JsonValue) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    whole = isinstance(value, (int, float)) and number and (isinstance(value, int) or value.is_integer())
    match scalar:
        case "string" | "bytes":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return whole
        case "number":
            return number
        case "quantity":
            return number or (isinstance(value, str) and quantity_amount(value) is not None)
        case "int-or-string":
            return isinstance(value, str) or whole
    return True


def _expected(kind: MergeType) -> str:
    return kind.scalar or ("a list" if kind.list_kind else "an object")


def _name(value: JsonValue) -> str:
    """The kind of a value, never the value itself: it may be a secret."""
    if isinstance(value, bool):
        return "a boolean"
    return "a string" if isinstance(value, str) else "a number"


def schema_bound_errors(checks: Mapping[str, Any], value: JsonValue) -> Iterator[str]:
    """Messages for the bounds of a CRD's schema that a value breaks."""
    if "enum" in checks and not any(equal_json(value, item) for item in checks["enum"]):
        yield f"Unsupported value: supported values: {', '.join(repr(item) for item in checks['enum'])}"
    if isinstance(value, str):
        yield from _lengths(checks, len(value), "Length")
        if "pattern" in checks and not re2_pattern_matching.matches_re2(str(checks["pattern"]), value):
            yield f"should match '{checks['pattern']}'"
        if "format" in checks and not crd_formats.has_format(str(checks["format"]), value):
            yield f"must be of type {checks['format']}"
    elif isinstance(value, list):
        yield from _lengths(checks, len(value), "Items")
    elif isinstance(value, dict):
        yield from _lengths(checks, len(value), "Properties")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _bounds(checks, value)


def _lengths(checks: Mapping[str, Any], size: int, what: str) -> Iterator[str]:
    noun = {"Length": "chars long", "Items": "items", "Properties": "properties"}[what]
    if size < checks.get("min" + what, size):
        yield f"should be at least {checks['min' + what]} {noun}"
    if size > checks.get("max" + what, size):
        yield f"should be at most {checks['max' + what]} {noun}"


def _bounds(checks: Mapping[str, Any], value: float) -> Iterator[str]:
    low, high = checks.get("minimum"), checks.get("maximum")
    if low is not None and (value < low or (checks.get("exclusiveMinimum") and value == low)):
        yield f"should be greater than {'' if checks.get('exclusiveMinimum') else 'or equal to '}{low}"
    if high is not None and (value > high or (checks.get("exclusiveMaximum") and value == high)):
        yield f"should be less than {'' if checks.get('exclusiveMaximum') else 'or equal to '}{high}"
    if checks.get("format") == "int32" and not -(2**31) <= value < 2**31:
        yield "must be of type integer with format int32"
    if checks.get("multipleOf") and value % checks["multipleOf"]:
        yield f"should be a multiple of {checks['multipleOf']}"


def _semantic(desired: JsonObject, types: MergeTypeTable) -> Iterator[Problem]:
    """Two cheap checks of the server's own: the object's name and port numbers."""
    name = (desired.get("metadata") or {}).get("name")
    api_version, kind = str(desired.get("apiVersion", "")), str(desired.get("kind", ""))
    if not isinstance(name, str) or not name:
        yield ("metadata", "name"), "Required value: name is required"
    elif group_of_api_version(api_version) not in GROUPS_WITH_FREE_NAMES and len(name) > _MOST_OF_A_NAME:
        yield ("metadata", "name"), f"Too long: may not be more than {_MOST_OF_A_NAME} bytes, it has {len(name)}"
    elif group_of_api_version(api_version) not in GROUPS_WITH_FREE_NAMES and not _NAME.fullmatch(name):
        yield (
            ("metadata", "name"),
            "Invalid value: a lowercase RFC 1123 subdomain must consist of lower case "
            + ("alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"),
        )
    if not types.is_custom(api_version, kind):
        yield from _ports(("spec",), desired.get("spec"))


def _ports(path: FieldPath, value: JsonValue) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _PORTS and isinstance(item, int) and not isinstance(item, bool) and not 0 <= item <= 65535:
                yield (*path, key), "Invalid value: must be between 1 and 65535, inclusive"
            else:
                yield from _ports((*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _ports((*path, index), item)
