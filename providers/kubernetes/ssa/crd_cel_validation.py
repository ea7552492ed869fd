"""Whether the rules of a CRD's schema (`x-kubernetes-validations`) are rules at all: their form, that they can be
parsed, and that they ask `self` for fields that its schema has. Types of values and costs are left to the server. Pure.

Source: apiextensions 1.36 (`validation`, `schema/cel`). celpy is imported where there is a rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from planner.field_path import FieldPath
from planner.values import JsonObject, JsonValue
from providers.kubernetes.ssa import cel_rules
from providers.kubernetes.ssa.pod_validation_rules import Problem, maps_in_list

_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_OLD = re.compile(r"\boldSelf\b")
_NEWER = re.compile(r"[.]\s*[?]|\[\s*[?]|\{\s*[?]|\boptional\b|\bcel\.bind\b")  # what the library cannot parse
_FREE = ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string")
_KNOWN = ("self", "oldSelf", "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint")
_ROOT_FIELDS = frozenset(("apiVersion", "kind", "metadata"))


def cel_rule_definition_errors(
    schema: JsonObject, path: FieldPath, *, correlatable: bool, root: bool
) -> Iterator[Problem]:
    """What is wrong with the CEL rules that one schema of a CRD defines at `path`: the rules themselves, not an object.
    `correlatable`: values there have an old value to be compared with (they stand in no list without keys). `root`: it
    is the schema of the whole object."""
    for index, rule in enumerate(maps_in_list(schema, cel_rules.KEY)):
        here: FieldPath = (*path, cel_rules.KEY, index)
        form = [((*here, field), words) for field, words in _form_errors(rule)]
        yield from form
        if not form:
            text = str(rule["rule"]).strip()
            yield from (((*here, "rule"), words) for words in _text_errors(text, schema, root=root))
            uses_old = _OLD.search(text) is not None
            if uses_old and not correlatable:
                yield (*here, "rule"), "oldSelf cannot be used on the uncorrelatable portion of the schema"
            elif not uses_old and rule.get("optionalOldSelf") is not None:
                yield (*here, "optionalOldSelf"), "may not be set if oldSelf is not used in rule"


def _form_errors(rule: JsonObject) -> Iterator[tuple[str, str]]:
    text, message = str(rule.get("rule") or "").strip(), str(rule.get("message") or "")
    if not text:
        yield "rule", "Required value: rule is not specified"
    elif message and not message.strip():
        yield "message", "must be non-empty if specified"
    elif "\n" in message.strip():
        yield "message", "must not contain line breaks"
    elif "\n" in text and not message:
        yield "message", "Required value: message must be specified if rule contains line breaks"
    for field in ("messageExpression", "fieldPath"):
        given = str(rule.get(field) or "")
        if given and not given.strip():
            yield field, "must be non-empty if specified"
    if "\n" in str(rule.get("fieldPath") or ""):
        yield "fieldPath", "must not contain line breaks"
    if rule.get("reason") is not None and rule["reason"] not in _REASONS:
        yield "reason", f"Unsupported value: supported values: {', '.join(_REASONS)}"


def _text_errors(text: str, schema: JsonObject, *, root: bool) -> Iterator[str]:
    chains = _fields_of_self(text)
    if chains is None:
        if not _NEWER.search(text):
            yield "compilation failed: syntax error"
        return
    for chain in chains:
        if name := _undefined(chain, schema, root=root):
            yield f"compilation failed: undefined field '{name}'"
    yield from (f"compilation failed: undeclared reference to '{name}'" for name in _undeclared(text))


@lru_cache(maxsize=4096)
def _fields_of_self(text: str) -> tuple[tuple[str, ...], ...] | None:
    """The fields that a rule asks `self` for, each with those below it; None where the text cannot be parsed."""
    tree = cel_rules.parse_cel_rule(text)
    if tree is None:
        return None
    found = {tuple(_chain(node)) for node in tree.iter_subtrees() if node.data == "member_dot"}
    return tuple(sorted(chain for chain in found if chain))


@lru_cache(maxsize=4096)
def _undeclared(text: str) -> tuple[str, ...]:
    """Names that stand alone and that nothing declares: neither CEL, nor a macro (any argument that is only a name)."""
    tree = cel_rules.parse_cel_rule(text)
    if tree is None:
        return ()
    known, named = set(_KNOWN), set()
    for node in tree.iter_subtrees():
        if node.data == "exprlist":
            known |= {name for part in node.children if (name := _name(part))}
        elif node.data in ("member_dot", "member_dot_arg"):
            known.add(_name(node.children[0]))  # a namespace, as in optional.of()
        elif node.data == "ident":
            named.add(str(node.children[0]))
    return tuple(sorted(named - known))


def _name(node: Any) -> str:
    """What is only a name; "" for anything else."""
    while getattr(node, "data", "") not in ("", "ident") and len(node.children) == 1:
        node = node.children[0]
    return str(node.children[0]) if getattr(node, "data", "") == "ident" else ""


def _chain(node: Any) -> list[str]:
    """`self.a.b` as its fields; empty for what begins with anything else."""
    while getattr(node, "data", "") in ("member", "primary") and len(node.children) == 1:
        node = node.children[0]
    if getattr(node, "data", "") == "ident" and node.children[0] == "self":
        return [""]
    if getattr(node, "data", "") != "member_dot":
        return []
    above = _chain(node.children[0])
    return [*above, str(node.children[1])] if above else []


def _undefined(chain: tuple[str, ...], schema: JsonObject, *, root: bool) -> str:
    """The first field of a chain that no schema declares; "" where each is declared, or may be."""
    here: JsonValue = schema
    for depth, name in enumerate(chain[1:]):
        if not isinstance(here, dict) or any(here.get(word) for word in _FREE):
            return ""
        fields = here.get("properties")
        if here.get("type") != "object" or not isinstance(fields, dict) or here.get("additionalProperties"):
            return ""
        known = {cel_rules.cel_property_name(key): item for key, item in fields.items()}
        if root and not depth and name in _ROOT_FIELDS:
            return ""
        if name not in known:
            return name
        here = known[name]
    return ""
