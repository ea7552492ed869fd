"""What an answer has to be, and whether one is that. Pure.

Values are compared strictly by type: `1`, `1.0` and `true` are three things, and a commit is equal as a whole or not at
all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field

from planner.dataclass import dataclass
from planner.field_path import parse_path, render_path
from planner.freeform_document_diff import smallest_differing_parts
from planner.values import Json, JsonObject, JsonValue, OutputRef, OutputTemplate, canonical_bytes
from providers.json_answer import parse_json_answer
from providers.web.json_body import find_json_value_at_path

_SHOWN = 120  # characters of a value in a message
_PARTS = 3  # parts of a document that differ, in a message


@dataclass(frozen=True, slots=True)
class ExpectedResponse:
    """The checked `expect` and `provenance` of a probe."""

    status: int
    values: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProbeResponse:
    """An answer as far as it is judged: status, headers (lower-case names), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def parse_expected_response(spec: JsonObject) -> ExpectedResponse:
    """Parse the spec of an HttpProbe; outputs of others that are still open stay in it as they are."""
    expect = spec.get("expect") or {}
    values = {**(expect.get("json") or {}), **(spec.get("provenance") or {})}
    headers = {name.lower(): value for name, value in (expect.get("header") or {}).items()}
    return ExpectedResponse(int(expect.get("status", 200)), values, headers)


def has_unknown_outputs(expected: ExpectedResponse) -> bool:
    """Whether an output of another resource is still missing in it."""
    return any(isinstance(value, OutputRef | OutputTemplate) for value in expected.values.values())


def unmet_probe_expectations(expected: ExpectedResponse, seen: ProbeResponse) -> str:
    """What is not as expected, all of it in one line; "" when everything holds."""
    return "; ".join(_failing(expected, seen))


def _failing(expected: ExpectedResponse, seen: ProbeResponse) -> Iterator[str]:
    if seen.status != expected.status:
        yield f"status {seen.status}, expected {expected.status}"
    for name, value in sorted(expected.headers.items()):
        if seen.headers.get(name) != value:
            yield f"header {name} is {_shown(seen.headers.get(name))}, expected {_shown(value)}"
    if not expected.values:
        return
    try:
        document = parse_json_answer(seen.body)
    except (ValueError, RecursionError):
        yield "the body is no JSON"
        return
    for path, value in sorted(expected.values.items()):
        found = find_json_value_at_path(document, parse_path(path))
        if len(found) != 1 or canonical_bytes(found[0]) != canonical_bytes(value):
            yield _mismatch(path, found[0] if found else None, value)


def _mismatch(path: str, found: JsonValue, value: JsonValue) -> str:
    """What is at `path` instead; of documents the smallest parts that differ, for a whole one would be cut off."""
    whole = f"{path} is {_shown(found)}, expected {_shown(value)}"
    if not isinstance(found, dict | list) or not isinstance(value, dict | list):
        return whole
    parts = smallest_differing_parts(found, value)
    if not parts or not all(one.path for one in parts):
        return whole
    base = parse_path(path)
    shown = [
        f"{render_path((*base, *one.path))} is {_shown(one.before)}, expected {_shown(one.after)}"
        for one in parts[:_PARTS]
    ]
    more = [f"{len(parts) - _PARTS} more parts of {path} differ"] if len(parts) > _PARTS else []
    return "; ".join(shown + more)


def _shown(value: JsonValue) -> str:
    text = "absent" if value is None else json.dumps(value, ensure_ascii=True)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
