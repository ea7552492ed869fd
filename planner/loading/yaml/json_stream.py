"""JSON among manifests: a text is cut into the values of a JSON stream, as kubectl's decoder does.

A document that begins with `{` is JSON if it is good JSON, and more values may follow without a marker. JSON has what
YAML has not: surrogate pairs. A value with something wrong in it is left to the YAML loader, which knows positions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from planner.dataclass import dataclass
from planner.loading.yaml.api_scalars import json_roundtrip_value
from planner.loading.yaml.document_limits import INVISIBLE, YamlDocument, YamlLimits
from planner.values import MARK, Json, JsonValue

_MARKER: Final = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_MARKER_LINE: Final = re.compile(r"---[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_OPENS: Final = re.compile(r"(?:\A|^---[ \t]*(?:#[^\n]*)?\r?\n)[ \t\r\n]*\{", re.MULTILINE)
_ESCAPE: Final = re.compile(r"\\(?:u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL)
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_LONE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class JsonStreamPiece:
    """A part of a text that is read by itself, and the line (from 0) that it begins on. `value` is that of a JSON
    piece (`json`), where it is `clean`; `nulls` says whether a null stands in it, `problem` why JSON cannot hold it."""

    text: str
    line: int = 0
    json: bool = False
    value: Json = None
    clean: bool = False
    nulls: bool = False
    problem: str = ""

    @property
    def yaml(self) -> str:
        """The text for a YAML parser, which has no surrogate pairs: other letters stand there, as many."""
        if not (self.json and _SURROGATE_ESCAPE.search(self.text)):
            return self.text
        return _ESCAPE.sub(lambda match: "x" * len(match[0]) if len(match[0]) == 6 else match[0], self.text)

    def document(self, limits: YamlLimits) -> YamlDocument | None:
        """The document of a clean JSON piece; None where YAML has to look at it."""
        return (
            YamlDocument(self.value, self.line + 1, nulls=self.nulls)
            if self.clean and _fits(self.value, limits)
            else None
        )


def split_json_stream(text: str) -> Iterator[JsonStreamPiece]:
    """The text as it is where no document begins with `{`, else cut at its markers and into the values of JSON."""
    if not _OPENS.search(text):
        yield JsonStreamPiece(text)
        return
    starts = [match.start() for match in _MARKER.finditer(text)]
    line = 0
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        section = text[start:end]
        if section:
            yield from _section(section, line)
        line += section.count("\n")


def _section(section: str, line: int) -> Iterator[JsonStreamPiece]:
    """The JSON values of one section, and what follows them, or the section as it is."""
    marker = _MARKER_LINE.match(section)
    position = _BLANK.match(section, marker.end() if marker else 0).end()  # type: ignore[union-attr]
    done = 0
    while section.startswith("{", position):
        reader = _Reader()
        try:
            piece, end = reader.piece(section, position, line + section.count("\n", 0, position))
        except (ValueError, RecursionError):
            break
        yield piece
        done = end
        position = _BLANK.match(section, end).end()  # type: ignore[union-attr]
    if not done or position < len(section):
        yield JsonStreamPiece(section[done:], line + section.count("\n", 0, done))


class _Unclean(ValueError):
    """Something that the YAML loader has to report; the text is a reason for which JSON itself cannot hold it."""


class _Reader:
    """Decodes one JSON value, and notices what needs a second look."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.nulls = False

    def piece(self, text: str, start: int, line: int) -> tuple[JsonStreamPiece, int]:
        """The piece of the value that begins at `start`, and its end. Raises ValueError where there is no JSON."""
        decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=_float, parse_int=_integer, parse_constant=_constant
        )
        try:
            value, end = decoder.raw_decode(text, start)
        except _Unclean as why:
            _, end = json.JSONDecoder().raw_decode(text, start)
            return JsonStreamPiece(text[start:end], line, json=True, problem=str(why)), end
        whole = text[start:end]
        if _SURROGATE_ESCAPE.search(whole):
            value = _without_lone(value)
        return JsonStreamPiece(whole, line, True, value, clean=True, nulls=self.nulls), end

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise _Unclean
        for key, value in pairs:
            if key not in self.known:
                if key == MARK or INVISIBLE.search(key):
                    raise _Unclean
                self.known.add(key)
            if value is None:
                self.nulls = True
        return found


def _integer(text: str) -> Any:
    return json_roundtrip_value(int(text)) if len(text) < 20 else _float(text)


def _float(text: str) -> Any:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Unclean("a number that is too large")
    return json_roundtrip_value(number)


def _constant(text: str) -> Any:
    raise json.JSONDecodeError("not JSON", text, 0)


def _without_lone(value: Any) -> Any:
    """Half of a surrogate pair is no character: it is read as U+FFFD, as Go reads it."""
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_lone(item) for item in value]
    if isinstance(value, dict):
        return {_LONE.sub("\ufffd", key): _without_lone(item) for key, item in value.items()}
    return value


def _fits(value: JsonValue, limits: YamlLimits) -> bool:
    """Whether a value is within the limits of depth and number."""
    count, level, depth = 0, [value], 0
    while level:
        count += len(level)
        depth += 1
        below: list[Json] = []
        for one in level:
            if isinstance(one, dict):
                below += one.values()
                count += len(one)
            elif isinstance(one, list):
                below += one
        level = below
    return depth - 1 <= limits.depth and count <= limits.nodes
