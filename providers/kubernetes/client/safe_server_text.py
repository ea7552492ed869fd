"""The words of a server, made fit to be passed on: reasons, short lines without long values, field paths. Pure."""

from __future__ import annotations

import re
from operator import itemgetter

from planner.field_path import Element, FieldPath, ListItemPathElement, SetMemberPathElement, render_path
from planner.whole_number import parse_whole_number
from providers.json_answer import parse_json_answer

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_WORD = re.compile(r"^[A-Za-z]{1,64}$")
# Maps whose keys may hold dots and slashes: everything up to the next bracket is one key.
_FREE_KEYS = re.compile(
    r"^(?:annotations|labels|matchLabels|nodeSelector|data|binaryData|stringData|selector|limits|requests|hard)$"
)


def safe_reason_word(text: str) -> str:
    """A reason as the API defines it: one word of letters. Anything else is dropped."""
    return text if _WORD.match(text) else ""


_MOST = 1 << 14  # characters: an API server's words are shorter; who shows them may shorten them further


def safe_server_line(text: str) -> str:
    """One line without long quoted values, whole but for what no server has to say."""
    line = " ".join(_QUOTED.sub(lambda quote: quote[0] if len(quote[0]) <= 66 else '"…"', text[: 4 * _MOST]).split())
    return line if len(line) <= _MOST else f"{line[:_MOST]}… +{len(line) - _MOST} characters"


def unquote_server_text(text: str) -> str:
    """A text that a server wrote in quotes, without them; its JSON escapes are resolved where it is JSON."""
    try:
        return str(parse_json_answer(text.encode()))
    except ValueError:
        return text.strip('"')


def server_field_path_text(text: str) -> str:
    """The path of a field as the server writes it (`.spec.containers[name="a"].image`), in the text form of
    planner.field_path."""
    return render_path(_field_path(text))


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
    if (index := parse_whole_number(inner)) is not None:
        return index
    if inner.startswith("="):
        return SetMemberPathElement(unquote_server_text(inner[1:]))
    pairs = re.findall(r'([A-Za-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^,]*)', inner)
    if pairs:
        return ListItemPathElement(
            tuple(sorted({key: _key_value(value) for key, value in pairs}.items(), key=itemgetter(0)))
        )
    return inner


def _key_value(text: str) -> str | int:
    number = parse_whole_number(text)
    return unquote_server_text(text) if number is None else number
