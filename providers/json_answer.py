"""Reads JSON that came from outside: strict, of bounded depth, every text in it one that can be written again. Pure.

Python's reader takes more than JSON is (NaN, numbers that become infinite, halves of surrogate pairs, several
encodings) and nests as deep as the stack allows, where whatever walks through the document afterwards overflows it.
Source: RFC 8259.
"""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn

from planner.values import Json, JsonObject

MOST_DEEP = 200  # levels; the deepest schema of a published CRD has 80
_BRACKETS_AND_QUOTES = b'{}[]"'
_OTHERS = bytes(set(range(256)) - set(_BRACKETS_AND_QUOTES))
_TEXT = re.compile(rb'"[^"]*"')
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json_answer(body: bytes, *, unique_names: bool = False) -> Json:
    """The JSON document of an answer, with `unique_names` one in which no map has a name twice.

    Raises ValueError that says what is wrong with it, without any of its words.
    """
    try:
        text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    if is_nested_deeper(body, MOST_DEEP):
        raise ValueError(f"it is nested deeper than {MOST_DEEP} levels")
    try:
        pairs = _unique if unique_names else None
        document = json.loads(text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    if _ESCAPED_SURROGATE.search(text) and _SURROGATE.search(json.dumps(document, ensure_ascii=False)):
        raise ValueError("a text in it is no Unicode")
    return document


def is_nested_deeper(body: bytes, most: int) -> bool:
    """Whether maps and lists are nested deeper than `most` levels. Each step is one pass in C over what is left."""
    if body.count(b"{") + body.count(b"[") <= most:  # so it is of most single objects
        return False
    left = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS).replace(b'""', b"")
    left = _TEXT.sub(b"", left)
    for _ in range(most):
        if not left:
            return False
        size = len(left)
        left = left.replace(b"{}", b"").replace(b"[]", b"")
        if len(left) == size:  # nothing closes any more: no JSON, and deep only if it opens often
            break
    return left.count(b"{") + left.count(b"[") > most if b"{}" not in left and b"[]" not in left else True


def _no_number(_: str) -> NoReturn:
    raise ValueError


def _unique(pairs: list[tuple[str, Json]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number
