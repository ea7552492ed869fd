"""The reason in a field error of the API server (`Type: value: detail`), with the value cut out. Pure.

Source of the form: apimachinery `util/validation/field`. The value is printed as a Go string, a number, JSON, or (where
JSON fails) Go syntax, so its end is found by its own syntax; where that is uncertain nothing of the message is used.
"""

from __future__ import annotations

import re

from providers.kubernetes.client.safe_server_text import safe_server_line, unquote_server_text

_TYPE = re.compile(
    r"(?P<type>Required value|Forbidden|Too long|Too many|Internal error|Not found"
    r"|(?:Invalid|Unsupported|Duplicate) value)(?=:|$)"
)
_NO_VALUE = ("Required value", "Forbidden", "Too long", "Internal error")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`', re.DOTALL)
_WORD = re.compile(r"[^\s:\"`{}\[\]()]+(?=: |$)")  # a number, a boolean, null, a duration
_NESTED = re.compile(r"[A-Za-z0-9_.*&]*[{\[(]")  # `{"a": 1}`, `v1.LabelSelector{...}`, `[]string{...}`
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|[{}\[\]()]', re.DOTALL)
_PLAIN = 12  # letters: the most of a word that may be part of another one
_SHOWN = 80
_TELLING = 4  # characters; a shorter value that the detail repeats is left in it
_CLOSES = {"}": "{", "]": "[", ")": "("}
# After these the server prints parts of the object: a difference of two pod specs, a Go value, a JSON document.
_VALUES_FOLLOW = re.compile(r"\n|\b[a-z][a-z0-9]*\.[A-Z]\w*\{|\bmap\[|[{\[]\s*\"|&\{|, got ")


def field_error_detail_without_value(message: str) -> str:
    """The detail of a field error without its value; empty where there is none or the value cannot be cut out."""
    kind = _TYPE.match(message)
    if kind is None:
        return ""
    end = _value_end(message, kind.end()) if kind["type"] not in _NO_VALUE else kind.end()
    if end is None or not message.startswith(": ", end):
        return ""
    words = _VALUES_FOLLOW.split(message[end + 2 :], maxsplit=1)[0]
    value = message[kind.end() + 2 : end].strip('"')
    return safe_server_line(_without(value, words) if len(value) >= _TELLING else words).rstrip(" :")


def field_error_value(message: str) -> str:
    """The value of a field error where it is a text, at most 80 characters of it; empty for any other."""
    kind = _TYPE.match(message)
    found = _STRING.match(message, kind.end() + 2) if kind and message.startswith(": ", kind.end()) else None
    if found is None or kind is None or kind["type"] in _NO_VALUE:
        return ""
    text = unquote_server_text(found[0]) if found[0][0] == '"' else found[0].strip("`")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… +{len(text) - _SHOWN} characters"


def _without(value: str, words: str) -> str:
    """A word of letters is cut out where it stands alone: `http` is no part of what is said about `https`."""
    if value.isascii() and value.isalpha() and len(value) <= _PLAIN:
        return re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", "…", words)
    return words.replace(value, "…")


def _value_end(message: str, start: int) -> int | None:
    """Where the value behind the type ends; None when that is not certain."""
    if not message.startswith(": ", start):
        return start
    begin = start + 2
    if found := _STRING.match(message, begin) or _WORD.match(message, begin):
        return _ended(message, found.end())
    if _NESTED.match(message, begin):
        return _nested_end(message, begin)
    return None


def _nested_end(message: str, begin: int) -> int | None:
    """The end of a value with brackets: where all of them are closed and the detail, or nothing, follows."""
    opened: list[str] = []
    for mark in _STRUCTURE.finditer(message, begin):
        text = mark[0]
        if text in "{[(":
            opened.append(text)
        elif text in _CLOSES and (not opened or opened.pop() != _CLOSES[text]):
            return None
        if not opened and (end := _ended(message, mark.end())) is not None:
            return end
    return None


def _ended(message: str, end: int) -> int | None:
    return end if end == len(message) or message.startswith(": ", end) else None
