"""The bounded YAML loader: bytes in, plain values out, every problem with file, line and column.

It builds values from the event stream of the C parser, without recursion, so that size, depth, node, document and alias
limits hold *while* reading. Duplicate keys, merge keys, foreign tags and scalars that two readers understand
differently are problems (planner.loading.scalars). Only `!ref` and `!sub` are tags. Positions cost nothing: the events
carry them, and they are looked at only where something is wrong and at the start of a document.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from planner.errors import ConfigError, Problem
from planner.loading.problems import Problems, line_of
from planner.loading.scalars import Ambiguous, Plain, resolve_plain
from planner.source import SourceRef
from planner.values import MARK, Json, Ref, Sub, parse_ref

VERSION: Final = "1"  # of the values that come out; part of the key of the parse cache


@dataclass(frozen=True, slots=True)
class Limits:
    """What one input may be. `alias_nodes` is how many nodes aliases may add; 0 refuses anchors and aliases."""

    size: int
    depth: int
    nodes: int
    documents: int
    alias_nodes: int = 0


CONFIG: Final = Limits(size=1 << 20, depth=64, nodes=200_000, documents=100)
TEMPLATE: Final = Limits(size=4 << 20, depth=100, nodes=500_000, documents=2_000)
MANIFEST: Final = Limits(size=64 << 20, depth=200, nodes=5_000_000, documents=100_000, alias_nodes=10_000)


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its value, the line of its first content (from 1), and whether `!ref` or `!sub` stand in it."""

    value: Json
    line: int
    tagged: bool = False
    nulls: bool = False


_BAD_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_TURNING: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SUB_PART: Final = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_FIXED_PHRASE: Final = re.compile(r"[a-z][a-zA-Z0-9 <>'\"?!,:.()\[\]{}-]{3,120}")
_MOST_PROBLEMS: Final = 200  # of one input; a file with more is not read to its end
_STR_TAG: Final = "tag:yaml.org,2002:str"


def load_documents(data: bytes, file: str, limits: Limits) -> tuple[Document, ...]:
    """All documents of `data`, empty ones included (value None). Raises ConfigError with every problem of the file."""
    text = decode_text(data, file, limits)
    builder = _Builder(text, file, limits)
    documents = builder.run()
    builder.problems.raise_any()
    return documents


def decode_text(data: bytes, file: str, limits: Limits) -> str:
    """`data` as text. Raises ConfigError when it is too large, not UTF-8, or holds control characters."""
    if len(data) > limits.size:
        raise ConfigError((Problem(SourceRef(file), f"larger than {limits.size >> 20} MiB"),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError((Problem(SourceRef(file, line), "not UTF-8", "save the file as UTF-8"),)) from None
    if not text.isprintable() and (bad := _BAD_CHARACTER.search(text)):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        code = f"U+{ord(bad[0]):04X}"
        raise ConfigError(
            (Problem(SourceRef(file, line, column), f"control character {code}", "write it as an escape"),)
        )
    return text


def parse_tag(tag: str, text: str) -> Ref | Sub:
    """The value of `!ref TEXT` or `!sub TEXT`. Raises ValueError saying what was expected."""
    if tag == "!ref":
        return parse_ref(text)
    parts: list[str | Ref] = []
    position = 0
    for match in _SUB_PART.finditer(text):
        parts.append(text[position : match.start()])
        parts.append("${" if match[1] is None else parse_ref(match[1]))
        position = match.end()
    parts.append(text[position:])
    return Sub(_joined(parts))


def _joined(parts: list[str | Ref]) -> tuple[str | Ref, ...]:
    out: list[str | Ref] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        elif part != "":
            out.append(part)
    return tuple(out)


class _Stop(Exception):
    """Reading cannot go on; the problem is noted."""


@dataclass(slots=True)
class _Frame:
    """An open container, the key that waits for its value, and what was counted before it."""

    value: Any
    parent: _Frame | None
    is_map: bool = False
    key: str | None = None
    depth: int = 0
    anchor: str | None = None
    nodes_before: int = 0


class _Builder:
    """One pass over the events of one input."""

    def __init__(self, text: str, file: str, limits: Limits) -> None:
        self.text, self.file, self.limits = text, file, limits
        self.problems = Problems()
        self.documents: list[Document] = []
        self.plain: dict[str, Plain] = {}
        self.keys: set[str] = set()
        self.nodes = self.alias_nodes = self.line = 0
        self.anchors: dict[str, tuple[Json, int]] = {}
        self.tagged = self.nulls = False

    def run(self) -> tuple[Document, ...]:
        """Read everything. A syntax error ends the pass, other problems do not."""
        from ruamel.yaml.error import YAMLError

        try:
            self._read(events(self.text))
        except _Stop:
            pass
        except (YAMLError, ValueError, OverflowError) as error:
            self._syntax(error)
        return tuple(self.documents)

    def _read(self, get_event: Callable[[], Any]) -> None:
        from ruamel.yaml import events as ev

        scalar, alias, stream_end = ev.ScalarEvent, ev.AliasEvent, ev.StreamEndEvent
        opens, closes = {ev.MappingStartEvent, ev.SequenceStartEvent}, {ev.MappingEndEvent, ev.SequenceEndEvent}
        plain, keys = self.plain, self.keys
        frame = _Frame([], None)  # a document's root is the one item of this list
        while True:
            event = get_event()
            kind = event.__class__
            self.nodes += 1
            if kind is scalar:
                value = event.value
                if event.implicit[0]:
                    value = plain[value] if value in plain else self._plain(event)
                if event.tag is not None or event.anchor is not None:
                    value = self._marked(event, value)
            elif kind in opens:
                frame = self._open(event, frame, kind is ev.MappingStartEvent)
                continue
            elif kind in closes:
                value, frame = self._close(frame)
            elif kind is alias:
                value = self._alias(event)
            elif kind is stream_end:
                return
            else:
                self._boundary(event, kind is ev.DocumentEndEvent, frame.value)
                continue
            if not frame.is_map:
                frame.value.append(value)
            elif frame.key is None:
                frame.key = value if value.__class__ is str and value in keys else self._key(event, value)
                if frame.key in frame.value:
                    self._problem(event, "the same key twice in one mapping", "keep one of them")
            else:
                if value is None:
                    self.nulls = True
                frame.value[frame.key] = value
                frame.key = None

    def _open(self, event: Any, frame: _Frame, is_map: bool) -> _Frame:
        if event.tag is not None:
            self._problem(event, "a tag on a mapping or a list", "only !ref and !sub are tags here")
        if event.anchor is not None:
            self._anchored(event)
        if frame.depth >= self.limits.depth:
            self._problem(event, f"nested deeper than {self.limits.depth}")
            raise _Stop
        if self.nodes > self.limits.nodes:
            self._problem(event, f"more than {self.limits.nodes} values")
            raise _Stop
        if frame.is_map and frame.key is None:
            self._problem(event, "a mapping or a list as a key", "a key is text")
            raise _Stop
        if not frame.depth:
            self.line = event.start_mark.line + 1
        return _Frame({} if is_map else [], frame, is_map, None, frame.depth + 1, event.anchor, self.nodes)

    def _close(self, frame: _Frame) -> tuple[Json, _Frame]:
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (frame.value, self.nodes - frame.nodes_before)
        assert frame.parent is not None
        return frame.value, frame.parent

    def _boundary(self, event: Any, ends: bool, roots: list[Json]) -> None:
        if ends:
            self.documents.append(Document(roots.pop() if roots else None, self.line, self.tagged, self.nulls))
            if len(self.documents) > self.limits.documents:
                self._problem(event, f"more than {self.limits.documents} documents")
                raise _Stop
            return
        self.line = event.start_mark.line + 1
        self.tagged = self.nulls = False
        self.anchors.clear()
        if getattr(event, "version", None) or getattr(event, "tags", None):
            self._problem(event, "a YAML directive", "take the line with % away")

    def _plain(self, event: Any) -> Plain:
        text: str = event.value
        if text == "<<":
            self._problem(event, "a merge key", "write the fields out, or use the overlays of the configuration")
            return text
        try:
            value = resolve_plain(text)
        except Ambiguous as why:
            self._problem(event, f"this unquoted value is {why}", "put it in quotes, or write what is meant")
            return text
        self.plain[text] = value
        return value

    def _key(self, event: Any, value: Json) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            self._problem(event, "a key that is not text", "put it in quotes")
            return "?"
        key = str(value)
        if key == MARK:
            self._problem(event, f"the key {MARK} is hwplan's own", "use another name")
        elif _TURNING.search(key):
            self._problem(event, "an invisible character in a key", "type the key anew")
        elif isinstance(value, str):
            self.keys.add(key)
        return key

    def _marked(self, event: Any, value: Json) -> Json:
        """A scalar with a tag or an anchor."""
        tag = None if event.tag is None else str(event.tag)
        if tag in ("!ref", "!sub"):
            try:
                value = parse_tag(tag, event.value)
                self.tagged = True
            except ValueError:
                self._problem(event, f"not a {tag}: expected Kind/name#output", "the output stands after #")
        elif tag is not None and tag != _STR_TAG:
            self._problem(event, "an unknown tag", "only !ref and !sub are tags here")
        if event.anchor is not None:
            self._anchored(event)
            self.anchors[str(event.anchor)] = (value, 1)
        return value

    def _anchored(self, event: Any) -> None:
        if not self.limits.alias_nodes:
            self._problem(
                event, "an anchor", "write the value out where it is needed; templates and overlays repeat things"
            )

    def _alias(self, event: Any) -> Json:
        if not self.limits.alias_nodes:
            return None  # the anchor was reported
        value, nodes = self.anchors.get(str(event.anchor), (None, -1))
        if nodes < 0:
            self._problem(event, "an alias to nothing, or to something that is not finished")
            return None
        self.nodes += nodes
        self.alias_nodes += nodes
        if self.alias_nodes > self.limits.alias_nodes:
            self._problem(event, f"aliases repeat more than {self.limits.alias_nodes} values", "write the values out")
            raise _Stop
        return copy.deepcopy(value)

    def _problem(self, event: Any, message: str, suggestion: str = "") -> None:
        mark = event.start_mark
        self._at(mark.line + 1, mark.column + 1, message, suggestion)

    def _at(self, line: int, column: int, message: str, suggestion: str = "") -> None:
        self.problems.add(SourceRef(self.file, line, column), message, suggestion, line_of(self.text, line))
        if len(self.problems.found) >= _MOST_PROBLEMS:
            raise _Stop

    def _syntax(self, error: Exception) -> None:
        """A problem from the parser's own error. Its text is a fixed phrase of the parser, never input."""
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        phrase = str(getattr(error, "problem", None) or "cannot be read")
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 0)
        message = "not YAML: " + (phrase if _FIXED_PHRASE.fullmatch(phrase) else "cannot be read")
        self.problems.add(SourceRef(self.file, line, column), message, _remedy(phrase), line_of(self.text, line))


def events(text: str) -> Callable[[], Any]:
    """A function that gives the next event: of the C parser where it is installed, else of the pure one."""
    try:
        from _ruamel_yaml import CParser  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from ruamel.yaml import YAML

        pure: Callable[[], Any] = YAML(typ="safe", pure=True).parse(text).__next__
        return pure
    get: Callable[[], Any] = CParser(text).get_event
    return get


def _remedy(phrase: str) -> str:
    if "mapping values" in phrase:
        return "a value with `: ` in it has to stand in quotes"
    if "tab" in phrase or "cannot start any token" in phrase:
        return "no tabs for indentation; text that starts with @ ` % has to stand in quotes"
    if "expected <block end>" in phrase or "did not find expected key" in phrase:
        return "check the indentation of this line and the ones before"
    return ""
