"""What an instant query gave, and whether it is as expected. Pure.

Prometheus sends values as text, so that NaN and the infinities survive JSON (Prometheus HTTP API, "Expression query
result formats"). NaN equals nothing and lies in no range; an empty result holds nothing but `count: 0`.
"""

from __future__ import annotations

import json
import re

from planner.dataclass import dataclass
from planner.errors import PermanentError, TemporaryError
from planner.values import Json, JsonObject, JsonValue, canonical_bytes
from providers.http.read_answer import HttpAnswer
from providers.json_answer import parse_json_answer

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?Inf|NaN", re.ASCII)
_SHOWN = 120  # characters of a foreign text in a message
_MANY = 20  # series in an output


class QueryRefused(PermanentError):
    """Prometheus answers that this is no query: asking again does not help."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The values of all series as Prometheus writes them, in the order of their labels."""

    values: tuple[str, ...]


def parse_query_result(answer: HttpAnswer) -> QueryResult:
    """Parse an answer of `/api/v1/query`.

    Raises QueryRefused for a query that is none, PermanentError where nobody may ask, TemporaryError for all that may
    pass: a proxy's error page, a server that starts.
    """
    if answer.status in (401, 403):
        raise PermanentError(f"the server answers {answer.status}", remedy="allow hwplan to read this Prometheus")
    document = _document(answer)
    if answer.status in (400, 422) and document.get("errorType") in ("bad_data", "execution"):
        raise QueryRefused(
            f"Prometheus refuses the query: {_shown(document.get('error'))}", remedy="correct spec.promql"
        )
    if answer.status != 200 or document.get("status") != "success":
        raise TemporaryError(f"the server answers {answer.status}: {_shown(document.get('error'))}")
    try:
        return QueryResult(_values(document["data"]["resultType"], document["data"]["result"]))
    except (LookupError, TypeError, ValueError, RecursionError):
        raise TemporaryError("the answer is no result of an instant query") from None


def unmet_query_expectation(expect: JsonObject, result: QueryResult) -> str:
    """What is not as expected, in one line; "" when it holds."""
    values = result.values
    if expect.get("count") is not None:
        wanted = expect["count"]
        return "" if len(values) == wanted else f"{len(values)} series, expected {wanted}"
    if expect.get("value") is not None:
        if len(values) != 1:
            return f"{len(values)} series, expected one with the value {expect['value']}"
        return "" if float(values[0]) == expect["value"] else f"value {values[0]}, expected {expect['value']}"
    low, high = expect["range"]
    outside = [value for value in values if not low <= float(value) <= high]
    if not values:
        return f"no series, expected values from {low} to {high}"
    return f"{len(outside)} of {len(values)} outside {low} to {high}: {outside[0]}" if outside else ""


def query_outputs(expect: JsonObject, result: QueryResult) -> JsonObject:
    """`value`: the number of series where that was asked for, else the text of the one value, else a list of them."""
    if expect.get("count") is not None:
        return {"value": len(result.values)}
    return {"value": result.values[0] if len(result.values) == 1 else list(result.values[:_MANY])}


def prometheus_number_text(value: JsonValue) -> str:
    """The text of a number as Prometheus writes it. Raises ValueError for anything but a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("no number")
    text = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(str(value), str(value))
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    return text


def _document(answer: HttpAnswer) -> JsonObject:
    try:
        document = parse_json_answer(answer.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise TemporaryError(f"the server answers {answer.status}, and its body is no JSON of Prometheus")
    return document


def _values(kind: Json, result: Json) -> tuple[str, ...]:
    match kind:
        case "scalar":
            return (prometheus_number_text(result[1]),)
        case "vector":
            rows = sorted((canonical_bytes(row["metric"]), prometheus_number_text(row["value"][1])) for row in result)
            return tuple(value for _, value in rows)
        case _:
            raise ValueError("neither numbers nor one moment")


def _shown(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=True) if isinstance(value, str) else "no reason given"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
