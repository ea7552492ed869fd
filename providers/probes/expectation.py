"""What an answer has to be, and whether one is that. Pure.

Values are compared strictly by type: `1`, `1.0` and `true` are three things, and a commit is equal as a whole or not at
all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from planner.path import parse
from planner.values import Json, JsonObject, Ref, Sub, canonical
from providers.web.documents import value_at

_SHOWN = 120  # characters of a value in a message


@dataclass(frozen=True, slots=True)
class Expectation:
    """The checked `expect` and `provenance` of a probe."""

    status: int
    values: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as far as it is judged: status, headers (lower-case names), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def expectation_of(spec: JsonObject) -> Expectation:
    """Read the spec of an HttpProbe; outputs of others that are still open stay in it as they are."""
    expect = spec.get("expect") or {}
    values = {**(expect.get("json") or {}), **(spec.get("provenance") or {})}
    headers = {name.lower(): value for name, value in (expect.get("header") or {}).items()}
    return Expectation(int(expect.get("status", 200)), values, headers)


def is_open(expected: Expectation) -> bool:
    """Whether an output of another resource is still missing in it."""
    return any(isinstance(value, Ref | Sub) for value in expected.values.values())


def failing(expected: Expectation, seen: Seen) -> str:
    """What is not as expected, all of it in one line; "" when everything holds."""
    return "; ".join(_failing(expected, seen))


def _failing(expected: Expectation, seen: Seen) -> Iterator[str]:
    if seen.status != expected.status:
        yield f"status {seen.status}, expected {expected.status}"
    for name, value in sorted(expected.headers.items()):
        if seen.headers.get(name) != value:
            yield f"header {name} is {_shown(seen.headers.get(name))}, expected {_shown(value)}"
    if not expected.values:
        return
    try:
        document = json.loads(seen.body)
    except (ValueError, RecursionError):
        yield "the body is no JSON"
        return
    for path, value in sorted(expected.values.items()):
        found = value_at(document, parse(path))
        if len(found) != 1 or canonical(found[0]) != canonical(value):
            yield f"{path} is {_shown(found[0] if found else None)}, expected {_shown(value)}"


def _shown(value: Json) -> str:
    text = "absent" if value is None else json.dumps(value, ensure_ascii=True)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
