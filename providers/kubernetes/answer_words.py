"""The words of a server, made fit to be passed on: reasons, short lines without long values, field paths. Pure."""

from __future__ import annotations

import json
import re

from planner.path import Element, FieldPath, Item, Member, render

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_WORD = re.compile(r"^[A-Za-z]{1,64}$")
# Maps whose keys may hold dots and slashes: everything up to the next bracket is one key.
_FREE_KEYS = re.compile(
    r"^(?:annotations|labels|matchLabels|nodeSelector|data|binaryData|stringData|selector|limits|requests|hard)$"
)


def word(text: str) -> str:
    """A reason as the API defines it: one word of letters. Anything else is dropped."""
    return text if _WORD.match(text) else ""


def safe(text: str) -> str:
    """One line of at most 300 characters without long quoted values."""
    line = " ".join(_QUOTED.sub(lambda quote: quote[0] if len(quote[0]) <= 66 else '"…"', text).split())
    return line if len(line) <= 300 else line[:299] + "…"


def unquote(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return text.strip('"')


def field_text(text: str) -> str:
    """The server's path (`.spec.containers[name="a"].image`) in the text form of planner.path."""
    return render(_field_path(text))


def _field_path(text: str) -> FieldPath:
    out: list[Element] = []
    position = 0
    while position < len(text):
        rest = text[position:]
        if rest[0] == "[":
            end = _bracket_end(rest)
            if inner := rest[1 : end - 1]:
                out.append(_element(inner))
        elif out and isinstance(out[-1], str) and _FREE_KEYS.match(out[-1]) and rest[0] == ".":
            end = len(rest)
            out.append(rest[1:])
        else:
            plain = rest.lstrip(".")
            name = re.split(r"[.\[]", plain, maxsplit=1)[0]
            end = len(rest) - len(plain) + len(name)
            if name:
                out.append(name)
        position += max(end, 1)
    return tuple(out)


def _bracket_end(text: str) -> int:
    match = re.match(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]', text)
    return match.end() if match else len(text) + 1


def _element(inner: str) -> Element:
    if inner.isdigit():
        return int(inner)
    if inner.startswith("="):
        return Member(unquote(inner[1:]))
    pairs = re.findall(r'([A-Za-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^,]*)', inner)
    if pairs:
        return Item(tuple(sorted((key, int(value) if value.isdigit() else unquote(value)) for key, value in pairs)))
    return inner
