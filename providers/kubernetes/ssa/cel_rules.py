"""CEL rules of a CRD's schema (`x-kubernetes-validations`): which ones a value breaks, and which nobody here can judge.

Evaluated by cel-python (docs/adr/0029), with values typed as their schema says. What the library cannot evaluate
(optional values, the server's own types) is left open, never guessed: only the server can judge it. celpy is imported
on first use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import Any, NamedTuple

from planner.field_path import FieldPath
from planner.values import Json, JsonObject, JsonValue
from providers.kubernetes.ssa.merge_types import MergeType
from providers.kubernetes.ssa.typed_values import ABSENT, equal_json, list_item_element

KEY = "x-kubernetes-validations"
_OLD = re.compile(r"\boldSelf\b")
_WORDS = re.compile(
    "true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var"
    "|void|while"
)
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_META = frozenset(("name", "generateName"))
_LOCK = Lock()  # the parser is not for two threads


class CelFinding(NamedTuple):
    """A rule that a value breaks, or (`open`) that was not evaluated."""

    path: FieldPath
    message: str
    open: bool = False


def judge_cel_rules(kind: MergeType, value: JsonValue, old: JsonValue = ABSENT) -> tuple[CelFinding, ...]:
    """What a whole object finds itself judged by the rules of its kind. `old` is the object before the write.

    As on the server, a rule about `oldSelf` counts only where there is one, and any other only where the value changed.
    """
    return tuple(_judge(kind, (), value, old))


def _judge(kind: MergeType, path: FieldPath, value: JsonValue, old: JsonValue) -> Iterator[CelFinding]:
    for rule in kind.checks.get(KEY, ()):
        if value is None:
            continue
        holds = _holds(kind, rule, value, old)
        if holds is not True:
            yield CelFinding(path, str(rule.get("message") or f"failed rule: {rule['rule']}").strip(), holds is None)
    if isinstance(value, dict):
        for key, item in value.items():
            below = kind.child(key)
            if below is not None and isinstance(item, (dict, list)) | bool(below.checks):
                yield from _judge(below, (*path, key), item, old.get(key, ABSENT) if isinstance(old, dict) else ABSENT)
    elif isinstance(value, list) and kind.list_kind:
        yield from _judge_items(kind, path, value, old)


def _judge_items(kind: MergeType, path: FieldPath, value: list[Json], old: JsonValue) -> Iterator[CelFinding]:
    items, keyed = kind.items(), kind.list_kind == "map"
    before = {list_item_element(kind, item): item for item in old} if keyed and isinstance(old, list) else {}
    for index, item in enumerate(value):
        element = list_item_element(kind, item) if keyed else index
        yield from _judge(items, (*path, element), item, before.get(element, ABSENT))


def _holds(kind: MergeType, rule: JsonObject, value: JsonValue, old: JsonValue) -> bool | None:
    """True, False, or None for what cannot be evaluated here."""
    text = str(rule.get("rule", ""))
    transition = _OLD.search(text) is not None
    if transition and rule.get("optionalOldSelf"):
        return None
    if (transition and old is ABSENT) or (not transition and old is not ABSENT and equal_json(value, old)):
        return True
    if "".join(text.split()) in ("self==oldSelf", "oldSelf==self"):
        return equal_json(value, old)
    try:
        program = _program(text)
        found = program.evaluate(
            {"self": cel_value(kind, value), "oldSelf": None if old is ABSENT else cel_value(kind, old)}
        )
        return bool(found) if type(found).__name__ == "BoolType" or isinstance(found, bool) else None
    except Exception as error:  # of the library, or of a rule that it does not know: the server has the last word
        return False if _is_missing(error) else None


def _is_missing(error: Exception) -> bool:
    """Whether the rule asks for a member that the value does not have: then it does not hold."""
    from celpy.evaluation import CELEvalError

    if not isinstance(error, CELEvalError) or len(error.args) < 2:
        return False
    message, cause = str(error.args[0]), error.args[1]  # a function that it lacks is a KeyError as well
    return cause is IndexError or (cause is KeyError and message.startswith(("no such member", "no such key")))


def parse_cel_rule(text: str) -> Any | None:
    """The syntax tree of a CEL rule, None where the library cannot parse it."""
    import celpy
    from celpy.celparser import CELParseError

    with _LOCK:
        try:
            return celpy.Environment().compile(text)
        except CELParseError:
            return None


@lru_cache(maxsize=128)  # one takes a megabyte or two
def _program(text: str) -> Any:  # celpy has no types
    import celpy

    from providers.kubernetes.ssa.cel_evaluator import CelProgramRunner, cel_and, cel_or

    with _LOCK:
        environment = celpy.Environment(runner_class=CelProgramRunner)
        return environment.program(
            environment.compile(text), functions={**_functions(), "_||_": cel_or, "_&&_": cel_and}
        )


# --- values --------------------------------------------------------------------------------------------------------


def cel_value(kind: MergeType, value: JsonValue) -> Any:
    """A value as CEL sees it: typed by its schema, properties under their escaped names."""
    from celpy import celtypes

    if value is None or isinstance(value, bool):
        return value if value is None else celtypes.BoolType(value)
    if isinstance(value, dict):
        return celtypes.MapType({celtypes.StringType(key): item for key, item in _members(kind, value)})
    if isinstance(value, list):
        return celtypes.ListType([cel_value(kind.items(), item) for item in value])
    if isinstance(value, str):
        return _text(str(kind.checks.get("format", "")), value)
    return celtypes.DoubleType(value) if kind.scalar == "number" else celtypes.IntType(value)


def _members(kind: MergeType, value: JsonObject) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        below = kind.child(key)
        if below is None:
            continue
        if kind.names and key == "metadata" and "apiVersion" in kind.names and isinstance(item, dict):
            yield key, cel_value(below, {name: item[name] for name in item if name in _META})
        else:
            yield (cel_property_name(key) if key in kind.names else key), cel_value(below, item)


def _text(name: str, value: str) -> Any:
    from celpy import celtypes

    match name.replace("-", ""):
        case "date" | "datetime":
            return celtypes.TimestampType(value)
        case "duration":
            return celtypes.DurationType(value)
        case "byte":
            return celtypes.BytesType(value.encode())
    return celtypes.StringType(value)


def cel_property_name(name: str) -> str:
    """The name by which a rule addresses a property (Kubernetes, "CEL in Kubernetes", escaping)."""
    if _WORDS.fullmatch(name):
        return f"__{name}__"
    return re.sub(r"__|[./-]", lambda found: _ESCAPES[found[0]], name)


# --- functions that Kubernetes adds to CEL -------------------------------------------------------------------------


def _functions() -> dict[str, Callable[..., Any]]:
    from celpy import celtypes

    def text(change: Callable[..., str]) -> Callable[..., Any]:
        return lambda *given: celtypes.StringType(change(*given))

    def number(change: Callable[..., int]) -> Callable[..., Any]:
        return lambda *given: celtypes.IntType(change(*given))

    def texts(change: Callable[..., list[str]]) -> Callable[..., Any]:
        return lambda *given: celtypes.ListType([celtypes.StringType(item) for item in change(*given)])

    return {
        "indexOf": number(lambda value, wanted: value.find(wanted)),
        "join": text(lambda items, by="": str(by).join(items)),
        "lastIndexOf": number(lambda value, wanted: value.rfind(wanted)),
        "lowerAscii": text(lambda value: "".join(c.lower() if c.isascii() else c for c in value)),
        "replace": text(lambda value, old, new: str(value).replace(old, new)),
        "split": texts(lambda value, by: str(value).split(by) if by else list(value)),
        "substring": text(_part),
        "upperAscii": text(lambda value: "".join(c.upper() if c.isascii() else c for c in value)),
        "isSorted": lambda items: celtypes.BoolType(all(a <= b for a, b in pairwise(items))),
        "max": max,
        "min": min,
    }


def _part(value: str, begin: int, end: int | None = None) -> str:
    last = len(value) if end is None else end
    if not 0 <= begin <= last <= len(value):
        raise ValueError("index out of range")
    return value[begin:last]
