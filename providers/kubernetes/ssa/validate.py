"""Checks of a desired object against its type, in the API server's words where practical. Changes nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from planner.errors import PermanentError
from planner.path import Element, FieldPath, sort_key
from planner.values import Json, JsonObject
from providers.kubernetes.ssa.schema import Type, TypeTable
from providers.kubernetes.ssa.typed import element_of

Problem = tuple[FieldPath, str]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PORTS = frozenset(("containerPort", "hostPort", "port", "nodePort", "targetPort"))
_FREE_NAMES = ("rbac.authorization.k8s.io/",)  # kinds whose names may hold anything but / and %


def check(desired: JsonObject, types: TypeTable, *, only_shape: bool = False) -> tuple[Problem, ...]:
    """Everything that is wrong with `desired`: unknown fields, wrong scalar types, duplicate list-map keys, missing
    required fields; for CRDs also enum, bounds and pattern. In path order; empty when nothing is known to be wrong.

    `only_shape` keeps to what makes the server refuse an apply before anything else: fields, types and keys.
    """
    kind = types.type_of(str(desired.get("apiVersion", "")), str(desired.get("kind", "")))
    found = list(_check(kind, (), desired, only_shape))
    if not only_shape:
        found += _semantic(desired, types)
    return tuple(sorted(found, key=lambda problem: (sort_key(problem[0]), problem[1])))


def _check(kind: Type, path: FieldPath, value: Json, only_shape: bool) -> Iterator[Problem]:
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
        yield from ((path, message) for message in limits(kind, value))


def _map(kind: Type, path: FieldPath, value: JsonObject, only_shape: bool) -> Iterator[Problem]:
    for key, item in value.items():
        below = kind.child(key)
        if below is None:
            close = difflib.get_close_matches(key, list(kind.names), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            yield (*path, key), f"field not declared in schema{hint}"
        else:
            yield from _check(below, (*path, key), item, only_shape)
    if only_shape:
        return
    for name in kind.required:
        if value.get(name) is None and kind.default(name) is None:
            yield (*path, name), "Required value"


def _list(kind: Type, path: FieldPath, value: list[Json], only_shape: bool) -> Iterator[Problem]:
    seen: set[Element] = set()
    items = kind.items()
    for index, item in enumerate(value):
        here: Element = index
        if kind.list_kind != "atomic":
            try:
                here = element_of(kind, item)
            except PermanentError as error:
                yield (*path, index), error.message
                continue
            if here in seen:
                yield (*path, here), f"duplicate entries for key {here}"
            seen.add(here)
        yield from _check(items, (*path, here), item, only_shape)


def _fits(scalar: str, value: Json) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match scalar:
        case "string" | "bytes":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return number and float(value).is_integer()
        case "number":
            return number
        case "quantity" | "int-or-string":
            return number or isinstance(value, str)
    return True


def _expected(kind: Type) -> str:
    return kind.scalar or ("a list" if kind.list_kind else "an object")


def _name(value: Json) -> str:
    """The kind of a value, never the value itself: it may be a secret."""
    if isinstance(value, bool):
        return "a boolean"
    return "a string" if isinstance(value, str) else "a number"


def limits(kind: Type, value: Json) -> Iterator[str]:
    """Messages for the bounds of a CRD's schema that a value breaks."""
    checks = kind.checks
    if "enum" in checks and value not in checks["enum"]:
        yield f"Unsupported value: supported values: {', '.join(repr(item) for item in checks['enum'])}"
    if isinstance(value, str):
        yield from _lengths(checks, len(value), "Length")
        if "pattern" in checks and not _matches(str(checks["pattern"]), value):
            yield f"should match '{checks['pattern']}'"
    elif isinstance(value, list):
        yield from _lengths(checks, len(value), "Items")
    elif isinstance(value, dict):
        yield from _lengths(checks, len(value), "Properties")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _bounds(kind, value)


def _lengths(checks: object, size: int, what: str) -> Iterator[str]:
    assert isinstance(checks, dict)
    noun = {"Length": "chars long", "Items": "items", "Properties": "properties"}[what]
    if size < checks.get("min" + what, size):
        yield f"should be at least {checks['min' + what]} {noun}"
    if size > checks.get("max" + what, size):
        yield f"should be at most {checks['max' + what]} {noun}"


def _bounds(kind: Type, value: float) -> Iterator[str]:
    checks = kind.checks
    low, high = checks.get("minimum"), checks.get("maximum")
    if low is not None and (value < low or (checks.get("exclusiveMinimum") and value == low)):
        yield f"should be greater than {'' if checks.get('exclusiveMinimum') else 'or equal to '}{low}"
    if high is not None and (value > high or (checks.get("exclusiveMaximum") and value == high)):
        yield f"should be less than {'' if checks.get('exclusiveMaximum') else 'or equal to '}{high}"
    if checks.get("multipleOf") and value % checks["multipleOf"]:
        yield f"should be a multiple of {checks['multipleOf']}"


def _matches(pattern: str, value: str) -> bool:
    """Whether an RE2 pattern matches; a pattern that Python cannot read is left to the server."""
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


def _semantic(desired: JsonObject, types: TypeTable) -> Iterator[Problem]:
    """Two cheap checks of the server's own: the object's name and port numbers."""
    name = (desired.get("metadata") or {}).get("name")
    api_version, kind = str(desired.get("apiVersion", "")), str(desired.get("kind", ""))
    if not isinstance(name, str) or not name:
        yield ("metadata", "name"), "Required value: name is required"
    elif not api_version.startswith(_FREE_NAMES) and (not _NAME.fullmatch(name) or len(name) > 253):
        yield (
            ("metadata", "name"),
            "Invalid value: a lowercase RFC 1123 subdomain must consist of lower case "
            + ("alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"),
        )
    if not types.is_custom(api_version, kind):
        yield from _ports(("spec",), desired.get("spec"))


def _ports(path: FieldPath, value: Json) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _PORTS and isinstance(item, int) and not isinstance(item, bool) and not 0 <= item <= 65535:
                yield (*path, key), "Invalid value: must be between 1 and 65535, inclusive"
            else:
                yield from _ports((*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _ports((*path, index), item)
