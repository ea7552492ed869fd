"""Broken forms of good documents, bytes and texts: most of each stays as it was, so that parsers are reached in depth.

All randomness comes from the generator that is given: one seed, one sequence of inputs.
"""

from __future__ import annotations

import json
import random
from typing import Any

SPECIAL_TEXTS = (
    "", " ", "\0", "\n", "\t", "\r\n", "\x1b[31m", "\u202e", "\u2028", "\ufeff", "\ud800", "\udfff", "\U0001f600", "é",
    "９", "²", "٣", "½", "-", "--", "-1", "+1", "0", "00", "1e5", "1e999", "0x1f", "1_000", "NaN", "inf", "9" * 25,
    "9" * 5000, "x" * 300, "true", "null", "~", "..", "../..", "/", "//", "\\", "%", "%zz", "%00", "{", "}", "[", "]",
    "[[", "{{", "{{ x }}", "${x}", "$(x)", "`x`", "'", '"', "::", "a:b", "a=b", "@", "#", "##vso[x]", "<", "<script>",
    "k:{}", 'k:{"a":1}', "v:", "f:", "i:0", ".", "sha256:", "sha256:" + "a" * 64, "sha256:" + "A" * 64, "a" * 40,
    "0" * 40, "refs/heads/x", "refs/heads/-x", "http://", "http://[", "http://[::1]:x/", "https://a:99999/", "file:///",
    "2026-01-01T00:00:00", "2026-01-01T00:00:00Z", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-01-01", "1h", "1h1", "-1s", "9" * 400 + "s", "1Gi", "1e400", "1E", "1m1",
    "* * * * *", "*/0 * * * *", "@every 1s", "(?P<", "(a+)+$", "[[:alpha:]", "\\Q", "self.x", "Bearer", "ref:",
)  # fmt: skip
SPECIAL_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 0.5, -0.0, 1e308, 1e-320, [], {}, [[]], [{}], [None],
    {"": ""}, {"a": None}, [1, "a", None], {"a": {"b": {"c": []}}}, "",
)  # fmt: skip
_SPECIAL_BYTES = (
    b"", b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n", b"\n", b"\n\n", b"\r\n\r\n",
    b" ", b"\t", b":", b"::", b"-", b"=", b"{", b"}", b"[", b"]", b'"', b"'", b"\\", b"\\u", b"\\ud800", b"/", b"%",
    b"0", b"9" * 20, b"f" * 20, b"1e999", b"NaN", b"\x1b[", b"\xe2\x80\xa8", b"\xe2\x80\xae", b"&a", b"*a", b"<<: *a",
    b"!!python/object:os.system", b"---\n", b"...", b"? ", b"| ", b"> ", b"#", b"A" * 2000, b"[" * 300, b"{\"a\":" * 300,
)  # fmt: skip


def mutate_document(rng: random.Random, document: Any, others: tuple[Any, ...] = ()) -> Any:
    """A copy of a JSON document with one to four parts broken; parts of `others` may stand in their place."""
    copy = json.loads(json.dumps(document))
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        places = _places(copy)
        if not places:
            return _value(rng, copy, others)
        parent, key = places[rng.randrange(len(places))]
        _edit(rng, parent, key, copy, others)
    return copy


def mutate_text(rng: random.Random, text: str, others: tuple[str, ...] = ()) -> str:
    """A text with one to four parts broken."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        at, to = _range(rng, len(text))
        match rng.randrange(8):
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:at] + rng.choice(SPECIAL_TEXTS) + text[to:]
            case 2:
                text = text[:at] + rng.choice(SPECIAL_TEXTS) + text[at:]
            case 3:
                text = text[:to] + text[at:to] * rng.choice((1, 1, 2, 20)) + text[to:]
            case 4:
                text = (
                    text[:at] + chr(rng.choice((rng.randrange(0x80), rng.randrange(0x3000), 0x1F600))) + text[at + 1 :]
                )
            case 5:
                other = rng.choice(others) if others else text
                begin, end = _range(rng, len(other))
                text = text[:at] + other[begin:end] + text[to:]
            case 6:
                text = text[:at]
            case _:
                text = text[:at] + text[at:to].swapcase() + text[to:]
    return text


def mutate_bytes(rng: random.Random, data: bytes, others: tuple[bytes, ...] = ()) -> bytes:
    """Bytes with one to four parts broken."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        at, to = _range(rng, len(data))
        match rng.randrange(7):
            case 0:
                data = data[:at] + data[to:]
            case 1:
                data = data[:at] + rng.choice(_SPECIAL_BYTES) + data[to:]
            case 2:
                data = data[:at] + rng.choice(_SPECIAL_BYTES) + data[at:]
            case 3:
                data = data[:to] + data[at:to] * rng.choice((1, 1, 2, 20)) + data[to:]
            case 4:
                data = data[:at] + bytes((rng.randrange(256),)) + data[at + 1 :]
            case 5:
                other = rng.choice(others) if others else data
                begin, end = _range(rng, len(other))
                data = data[:at] + other[begin:end] + data[to:]
            case _:
                data = data[:at]
    return data


def document_bytes(document: Any) -> bytes:
    """JSON as servers send it; lone surrogates as escapes."""
    try:
        return json.dumps(document, separators=(",", ":")).encode()
    except RecursionError:  # nested several times over
        return b'{"a":[' * 1500


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every member of every map and list: its parent and key."""
    found: list[tuple[Any, Any]] = []
    left = [document]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            found += [(node, key) for key in node]
            left += node.values()
        elif isinstance(node, list):
            found += [(node, index) for index in range(len(node))]
            left += node
    return found


def _edit(rng: random.Random, parent: Any, key: Any, whole: Any, others: tuple[Any, ...]) -> None:
    value = parent[key]
    match rng.randrange(10):
        case 0:
            del parent[key]
        case 1 | 2 | 3:
            parent[key] = _value(rng, whole, others)
        case 4 if isinstance(value, str):
            parent[key] = mutate_text(rng, value)
        case 4 if isinstance(value, int | float):
            parent[key] = rng.choice(
                (-value, value + 1, value * 2**40, str(value), int(value) // 3 + 0.5 if abs(value) < 1e300 else 1)
            )
        case 5 if isinstance(parent, dict):
            parent[mutate_text(rng, key)] = parent.pop(key)
        case 5:
            parent.insert(rng.randrange(len(parent) + 1), json.loads(json.dumps(value)))
        case 6:
            parent[key] = [value]
        case 7:
            parent[key] = {rng.choice(("a", "name", "items", "")): value}
        case 8 if isinstance(parent, dict):
            parent[rng.choice(SPECIAL_TEXTS)] = _value(rng, whole, others)
        case 8:
            parent.extend([value] * rng.choice((1, 2, 30)))
        case _:
            deep = value
            for _ in range(rng.choice((1, 2, 20, 210))):
                deep = [deep] if rng.random() < 0.5 else {"a": deep}
            parent[key] = deep


def _value(rng: random.Random, whole: Any, others: tuple[Any, ...]) -> Any:
    choice = rng.randrange(4)
    if choice == 0:
        return rng.choice(SPECIAL_TEXTS)
    if choice == 1 and (places := _places(rng.choice(others) if others and rng.random() < 0.5 else whole)):
        parent, key = rng.choice(places)
        return json.loads(json.dumps(parent[key]))
    return json.loads(json.dumps(rng.choice(SPECIAL_VALUES)))


def _range(rng: random.Random, size: int) -> tuple[int, int]:
    at = rng.randrange(size + 1)
    return at, min(size, at + rng.choice((1, 1, 2, 4, 16, 64)))
