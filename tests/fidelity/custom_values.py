"""Random values for the schema of a CRD: mostly what it asks for, sometimes with one thing wrong."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from providers.kubernetes.ssa.re2_pattern_matching import matches_re2

TEXTS = (
    "", "a", "abc", "A", "1", "a b", "a-", "-a", "a.b", "/x", "/", "*.a.b", "10.0.0.1", "fe80::1", "10.0.0.0/8", "1Gi",
    "100m", "10s", "1h2m", "http://x/y", "é", "a" * 64, "a" * 254, "a ", "a/b", "a_b", "a:b", "Aa0", "True", "GET",
    "2024-01-02", "2024-01-02T03:04:05Z", "aGVsbG8=", "a@b.c", "8d8ac610-566d-4ef0-9c22-186b2a5ed793", "200", "a,b",
    "X-Header", "example.com", "HTTP", "HTTPS", "Exact", "*", "a\n", "0", "-1",
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, -1, 5, 10, 80, 100, 400, 404, 65535, 65536, 2147483647, 2147483648, 1.5, 0.5)
JUNK: tuple[Any, ...] = (None, "", "x", 0, -1, 1.5, True, [], {}, [1], {"a": "b"}, ["a", "a"], 99999999999, "a\n")


def drawn(schema: dict[str, Any], dice: random.Random, depth: int = 0) -> Any:
    """A value for a schema."""
    if "enum" in schema and dice.random() < 0.95:
        return dice.choice(schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return dice.choice([dice.choice(NUMBERS), _text(schema, dice)])
    match schema.get("type"):
        case "object":
            return _map(schema, dice, depth)
        case "array":
            return _list(schema, dice, depth)
        case "string":
            return _text(schema, dice)
        case "boolean":
            return dice.random() < 0.5
        case "integer" | "number":
            return _number(schema, dice)
    return dice.choice([{}, {"a": 1}, "x", 3])


def _map(schema: dict[str, Any], dice: random.Random, depth: int) -> dict[str, Any]:
    fields, required = schema.get("properties") or {}, schema.get("required", ())
    out: dict[str, Any] = {}
    for name, member in fields.items():
        if name in required or dice.random() < max(0.08, 0.5 - 0.12 * depth):
            out[name] = drawn(member, dice, depth + 1)
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        out |= {dice.choice(TEXTS) or "k": drawn(extra, dice, depth + 1) for _ in range(dice.randint(0, 2))}
    return out


def _list(schema: dict[str, Any], dice: random.Random, depth: int) -> list[Any]:
    low = schema.get("minItems", 0)
    return [drawn(schema.get("items") or {}, dice, depth + 1) for _ in range(dice.randint(low, max(low, 2)))]


def _text(schema: dict[str, Any], dice: random.Random) -> str:
    pool = [text for text in TEXTS if _suits(schema, text)] if dice.random() < 0.9 else []
    return dice.choice(pool or TEXTS)


def _suits(schema: dict[str, Any], text: str) -> bool:
    lengths = schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 10**6)
    return lengths and matches_re2(str(schema.get("pattern", "")), text)


def _number(schema: dict[str, Any], dice: random.Random) -> float:
    low, high = schema.get("minimum", -(10**9)), schema.get("maximum", 10**9)
    whole = schema.get("type") == "integer"
    pool = [n for n in NUMBERS if low <= n <= high and (isinstance(n, int) or not whole)]
    return dice.choice(pool if pool and dice.random() < 0.9 else NUMBERS)


def changed(value: Any, dice: random.Random) -> Any:
    """A copy with one thing replaced, removed or added somewhere."""
    out = copy.deepcopy(value)
    parents = list(_parents(out))
    node = dice.choice(parents)
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    if not keys or dice.random() < 0.1:
        if isinstance(node, dict):
            node[dice.choice(["extra", "name", "a.b"])] = dice.choice(JUNK)
        else:
            node.append(dice.choice(JUNK))
        return out
    key = dice.choice(keys)
    if dice.random() < 0.25:
        del node[key]
    else:
        node[key] = dice.choice((*JUNK, *TEXTS, *NUMBERS))
    return out


def _parents(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list)):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _parents(item)
