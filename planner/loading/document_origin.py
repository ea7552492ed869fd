"""Where a document came from: finding the line of a path in it, but only once something is wrong there.

Owns the slow, position-keeping pass. The happy path never gets here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, TypeAlias

from planner.dataclass import dataclass
from planner.loading.problems import Problems, source_line_unless_secret
from planner.loading.template_lines import TemplateLineMap
from planner.loading.yaml.event_parser import Parse, retry_after_parser_error, yaml_events
from planner.loading.yaml.json_stream import split_json_stream
from planner.loading.yaml.load_documents import decode_by_byte_order_mark
from planner.source_line_ref import SourceRef

Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]  # line and column, from 1


@dataclass(slots=True)
class DocumentText:
    """One text that documents were read from: a file, or what a template was rendered to.

    It is given as text or as bytes. For a rendered text `template` is the text of the template: its lines are shown.
    """

    name: str
    given: str = field(default="", repr=False)
    data: bytes | None = field(default=None, repr=False)
    template: str = field(default="", repr=False)
    _lines: TemplateLineMap | None = field(default=None, repr=False)
    _places: tuple[Mapping[Path, Place], ...] | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """The whole text; decoded only now when it was given as bytes (that were decoded before without problems)."""
        return self.given if self.data is None else decode_by_byte_order_mark(self.data)

    def places(self, document: int) -> Mapping[Path, Place]:
        """Every path of a document (counted from 0) with the place of its key or item."""
        if self._places is None:
            self._places = tuple(
                found for piece in split_json_stream(self.text) for found in _readable_places(piece.yaml, piece.line)
            )
        return self._places[document] if document < len(self._places) else {}

    def start(self, line: int) -> SourceRef:
        """The place of a document that starts on a line of this text. Cheap."""
        return SourceRef(self.name, self._mapped().document_line(line) if self.template else line)

    def source(self, line: int, column: int = 0) -> SourceRef:
        """The place that a person should look at for a line of this text."""
        if not self.template:
            return SourceRef(self.name, line, column)
        return SourceRef(self.name, self._mapped().line(line))

    def line_text(self, source: SourceRef) -> str:
        """The line to show for a place, empty where a secret may stand in it."""
        return source_line_unless_secret(self.template or self.text, source.line)

    def _mapped(self) -> TemplateLineMap:
        if self._lines is None:
            self._lines = TemplateLineMap(self.text, self.template)
        return self._lines


@dataclass(frozen=True, slots=True)
class DocumentOrigin:
    """One document of an input. `line` is where it starts, `prefix` the path to it when it is an item of a List."""

    input: DocumentText
    index: int
    line: int
    prefix: Path = ()

    @property
    def source(self) -> SourceRef:
        """Where the document starts."""
        return self.input.start(self.line)

    def at(self, path: Path) -> SourceRef:
        """The place of a path of the document, or of the nearest part of it that exists."""
        places = self.input.places(self.index)
        whole = (*self.prefix, *path)
        while whole and whole not in places:
            whole = whole[:-1]
        line, column = places.get(whole, (self.line, 0))
        return self.input.source(line, column)

    def problem(self, problems: Problems, path: Path, message: str, suggestion: str = "") -> None:
        """Note a problem at a path of this document."""
        source = self.at(path)
        problems.add(source, message, suggestion, self.input.line_text(source))


@dataclass(slots=True)
class _Open:
    path: Path
    is_map: bool
    key: str | None = None
    index: int = 0


def _readable_places(text: str, first_line: int) -> list[dict[Path, Place]]:
    """Places of all documents of a text that was read before without problems and begins on a line (from 0)."""
    from yaml import YAMLError

    parse: Parse = yaml_events
    while True:
        try:
            return _places(parse(text), first_line)
        except YAMLError as error:
            again = retry_after_parser_error(error, text, api=True)
            if again is None:
                return []
            parse, text = again


def _places(get_event: Callable[[], Any], first_line: int) -> list[dict[Path, Place]]:
    from yaml import events as ev

    documents: list[dict[Path, Place]] = []
    stack: list[_Open] = []
    while True:
        event = get_event()
        match event:
            case ev.StreamEndEvent():
                return documents
            case ev.DocumentStartEvent():
                documents.append({})
            case ev.MappingEndEvent() | ev.SequenceEndEvent():
                stack.pop()
            case ev.ScalarEvent() | ev.AliasEvent() | ev.MappingStartEvent() | ev.SequenceStartEvent():
                path = _enter(event, stack, documents[-1], isinstance(event, ev.ScalarEvent), first_line)
                if path is not None and isinstance(event, ev.MappingStartEvent | ev.SequenceStartEvent):
                    stack.append(_Open(path, isinstance(event, ev.MappingStartEvent)))


def _enter(event: Any, stack: list[_Open], places: dict[Path, Place], scalar: bool, first_line: int) -> Path | None:
    """The path of the value that begins here; None for a key."""
    place = (first_line + event.start_mark.line + 1, event.start_mark.column + 1)
    if not stack:
        places[()] = place
        return ()
    frame = stack[-1]
    if not frame.is_map:
        path = (*frame.path, frame.index)
        frame.index += 1
        places[path] = place
        return path
    if frame.key is None:
        frame.key = str(event.value) if scalar else "?"
        places[(*frame.path, frame.key)] = place
        return None
    path = (*frame.path, frame.key)
    frame.key = None
    return path
