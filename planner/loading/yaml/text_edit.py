"""One value of a YAML text changed or added, every other byte as it was. Knows no configuration.

The text is edited where the parser says that the value stands; what the edited text means is checked by whoever writes
it (a form that is not understood here comes out wrong, never silently: the caller compares the documents).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
_STEP = 2  # columns of indentation of what is added


class NotEditableText(Exception):
    """The value cannot be written here by an edit of this kind; the message says why."""


def edit_yaml_value(text: str, document: int, path: Path, value: Any) -> str:
    """The text with `value` at `path` of a document (counted from 0). What lies on the way is added where it is
    missing, at the end of the mapping that is there. Raises NotEditableText."""
    roots = _roots(text)
    if document >= len(roots) or roots[document] is None:
        raise NotEditableText("no such document")
    node, indent, rest = _deepest(roots[document], path)
    if not rest:
        return _replaced(text, node, value)
    if any(isinstance(part, int) for part in rest):
        raise NotEditableText("a list is not taken apart")
    return _added(text, node, indent, tuple(map(str, rest)), value)


@lru_cache(maxsize=8)
def _roots(text: str) -> tuple[Any, ...]:
    """The nodes of a text; nobody changes them. Several values of one file are tried one after the other."""
    import yaml

    try:
        return tuple(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        raise NotEditableText("the file is not understood by the editor") from None


def _deepest(node: Any, path: Path) -> tuple[Any, int, Path]:
    """The node where a path ends, or the last one that is there; the column of its key; what is left of the path."""
    from yaml import MappingNode, SequenceNode

    column = -_STEP
    for depth, part in enumerate(path):
        below = None
        if isinstance(node, MappingNode):
            below = next(((key, value) for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            below = (node.value[part], node.value[part])
        if below is None:
            return node, column, path[depth:]
        column, node = below[0].start_mark.column, below[1]
    return node, column, ()


def _replaced(text: str, node: Any, value: Any) -> str:
    start, end = node.start_mark.index, _end(text, node)
    old = text[start:end]
    if getattr(node, "style", None) in ("|", ">") or (old[:1] not in ("[", "{") and "\n" in old):
        raise NotEditableText("a value over several lines is not edited")
    new = _flow(value, quote=old[:1])
    if start == end:  # nothing stood behind the colon
        new = f" {new}"
    return text[:start] + new + text[end:]


def _added(text: str, node: Any, indent: int, path: tuple[str, ...], value: Any) -> str:
    from yaml import MappingNode, ScalarNode

    if isinstance(node, ScalarNode) and node.tag.endswith(":null"):
        if node.start_mark.index != node.end_mark.index:
            return _replaced(text, node, _nested(path, value))
        return _below(text, node.end_mark.index, indent + _STEP, path, value)
    if not isinstance(node, MappingNode):
        raise NotEditableText("what stands there is no mapping")
    if node.flow_style:
        end = node.end_mark.index - 1
        entry = f"{_scalar(path[0])}: {_flow(_nested(path[1:], value))}"
        return text[:end].rstrip() + (", " if node.value else "") + entry + text[end:]
    return _below(text, _end(text, node), node.value[0][0].start_mark.column, path, value)


def _below(text: str, end: int, indent: int, path: tuple[str, ...], value: Any) -> str:
    """New lines after the one that `end` is in: the rest of that line may be a comment, and stays."""
    line_end = text.find("\n", end)
    at = len(text) if line_end < 0 else line_end
    lines = [f"{' ' * (indent + _STEP * depth)}{_scalar(key)}:" for depth, key in enumerate(path)]
    return text[:at] + "\n" + "\n".join(lines) + f" {_flow(value)}" + text[at:]


def _end(text: str, node: Any) -> int:
    """Where the text of a node ends: the parser puts the end of a block behind the blank lines that follow it."""
    from yaml import MappingNode, ScalarNode

    if isinstance(node, ScalarNode) or node.flow_style or not node.value:
        end: int = node.end_mark.index
        block = isinstance(node, ScalarNode) and node.style in ("|", ">")
        return len(text[:end].rstrip()) if block else end
    last = node.value[-1]
    return _end(text, last[1] if isinstance(node, MappingNode) else last)


def _nested(path: tuple[str, ...], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


def _flow(value: Any, quote: str = "") -> str:
    """A value in one line, in the quotes that stood there where they can hold it."""
    match value:
        case dict():
            return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(_flow(item) for item in value) + "]"
        case str():
            return _scalar(value, quote)
        case _:
            return json.dumps(value)


def _scalar(text: str, quote: str = "") -> str:
    if quote == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return text if quote != '"' and _is_plain(text) else json.dumps(text, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """Whether every YAML reads these characters as this text, in a flow collection as well: a word, or an address."""
    address = re.fullmatch(r"[0-9]+(\.[0-9]+){2,}([:/][A-Za-z0-9_./:-]*[A-Za-z0-9])?", text)
    word = re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z_/.][A-Za-z0-9_./@+-]*(:[A-Za-z0-9_./@+-]+)*", text)
    reserved = text.lower() in ("y", "n", "yes", "no", "on", "off", "true", "false", "null", ".nan", ".inf")
    return bool(address or word) and not reserved
