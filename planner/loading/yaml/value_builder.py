"""Values from parser events, in one pass and without recursion, so that every limit holds *while* reading.

Duplicate keys are problems. In the strict reading (our own configuration) merge keys, anchors, foreign tags and scalars
that two readers understand differently are problems as well; in the API's reading (`Limits.api`, manifests and rendered
templates) they have the value that kubectl gives them, and a document of hwplan's own kinds is judged strictly at its
end. Positions cost nothing: the events carry them, and they are looked at only where something is wrong.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Final

from planner.address import is_hwplan_kind
from planner.dataclass import dataclass
from planner.loading.yaml.api_scalars import key_has_other_typed_spellings
from planner.loading.yaml.document_limits import YamlDocument, YamlLimits
from planner.loading.yaml.event_parser import (
    Parse,
    pure_yaml_events,
    retry_after_parser_error,
    yaml_events,
    yaml_syntax_problem,
)
from planner.loading.yaml.scalar_reader import ScalarReader
from planner.loading.yaml.yaml_problems import YamlProblems, YamlReadingStopped
from planner.values import Json, JsonValue, document_digest, encode_special_leaves

_TWICE: Final = "the same key twice in one mapping"
_KEEP_ONE: Final = "keep one of them"


class _Pending(str):
    """A key whose value needs a second look: a merge key, or (with `event`) a key again whose value was `old`."""

    __slots__ = ("event", "old")
    event: Any
    old: Json


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an anchor stands for. `nodes` is -1 while it is still being read."""

    value: Json = None
    nodes: int = -1
    height: int = 0


@dataclass(slots=True)
class _Frame:
    """An open container, the key that waits for its value, and what was counted before it. `height` is how many levels
    of containers it holds so far, `merged` the keys that came by a merge key."""

    value: Any
    parent: _Frame | None
    is_map: bool = False
    key: str | None = None
    depth: int = 0
    anchor: str | None = None
    nodes_before: int = 0
    height: int = 1
    merged: set[str] | None = None
    entry: _Anchored | None = None


class YamlValueBuilder:
    """One pass over the events of one text. `first_line` is the line of the file (from 0) that it begins on,
    `parse` the parser. After `run`, `again` is another parser and the text to give it, where that would do better."""

    def __init__(
        self, text: str, file: str, limits: YamlLimits, first_line: int = 0, parse: Parse | None = None
    ) -> None:
        self.parse = parse or yaml_events
        self.text, self.file, self.limits, self.first_line = text, file, limits, first_line
        self.notes = YamlProblems(text, file, first_line, strict=not limits.api)
        self.scalars = ScalarReader(self.notes, api=limits.api)
        self.documents: list[YamlDocument] = []
        self.nodes = self.alias_nodes = self.line = 0
        self.anchors: dict[str, _Anchored] = {}
        self.nulls = False
        self.again: tuple[Parse, str] | None = None

    def run(self) -> tuple[YamlDocument, ...]:
        """Read everything. A syntax error ends the pass, other problems do not."""
        from yaml import YAMLError

        try:
            self._read(self.parse(self.text))
        except YamlReadingStopped:
            pass
        except (YAMLError, ValueError, OverflowError) as error:
            self.again = (
                retry_after_parser_error(error, self.text, api=self.limits.api)
                if self.parse is not pure_yaml_events
                else None
            )
            self.notes.problems.extend([yaml_syntax_problem(error, self.file, self.text, self.first_line)])
        return tuple(self.documents)

    def _read(self, get_event: Callable[[], Any]) -> None:
        from yaml import events as ev

        scalar, alias, stream_end = ev.ScalarEvent, ev.AliasEvent, ev.StreamEndEvent
        opens, closes = {ev.MappingStartEvent, ev.SequenceStartEvent}, {ev.MappingEndEvent, ev.SequenceEndEvent}
        scalars, plain, keys = self.scalars, self.scalars.plain, self.scalars.keys
        frame = _Frame([], None)  # a document's root is the one item of this list
        while True:
            event = get_event()
            kind = event.__class__
            self.nodes += 1
            if kind is scalar:
                value = event.value
                if event.implicit[0]:
                    value = plain[value] if value in plain else scalars.resolve(event)
                if event.tag is not None or event.anchor is not None:
                    value = self._marked(event, value)
            elif kind in opens:
                frame = self._open(event, frame, kind is ev.MappingStartEvent)
                continue
            elif kind in closes:
                value, frame = self._close(frame)
            elif kind is alias:
                value = self._alias(event, frame)
            elif kind is stream_end:
                return
            else:
                self._boundary(event, kind is ev.DocumentEndEvent, frame.value)
                continue
            if not frame.is_map:
                frame.value.append(value)
            elif frame.key is None:
                frame.key = keys.get(value) if value.__class__ is str else None
                if frame.key is None:
                    frame.key = self._key(event, value)
                if frame.key in frame.value:
                    self._seen_before(event, frame, frame.key)
            elif frame.key.__class__ is not str:
                self._settle(event, frame, frame.key, value)
            else:
                if value is None:
                    self.nulls = True
                frame.value[frame.key] = value
                frame.key = None

    def _open(self, event: Any, frame: _Frame, is_map: bool) -> _Frame:
        if event.tag is not None and not self.scalars.is_standard(event.tag):
            self.notes.problem(event, "a tag on a mapping or a list", "only !ref and !sub are tags here")
        if event.anchor is not None:
            self._anchored(event)
        if frame.depth >= self.limits.depth:
            self.notes.problem(event, f"nested deeper than {self.limits.depth}")
            raise YamlReadingStopped
        if self.nodes > self.limits.nodes:
            self.notes.problem(event, f"more than {self.limits.nodes} values")
            raise YamlReadingStopped
        if frame.is_map and frame.key is None:
            self.notes.problem(event, "a mapping or a list as a key", "a key is text")
            raise YamlReadingStopped
        if not frame.depth:
            self.line = self.first_line + event.start_mark.line + 1
        opened = _Frame({} if is_map else [], frame, is_map, None, frame.depth + 1, event.anchor, self.nodes)
        if event.anchor is not None:  # it is open, and the name may come to stand for something inside of it
            self.anchors[event.anchor] = opened.entry = _Anchored()
        return opened

    def _close(self, frame: _Frame) -> tuple[Json, _Frame]:
        parent = frame.parent
        assert parent is not None
        if frame.height >= parent.height:
            parent.height = frame.height + 1
        if frame.anchor is not None and self.anchors[frame.anchor] is frame.entry:
            self.anchors[frame.anchor] = _Anchored(frame.value, self.nodes - frame.nodes_before, frame.height)
        return frame.value, parent

    def _boundary(self, event: Any, ends: bool, roots: list[Json]) -> None:
        if ends:
            value = roots.pop() if roots else None
            self.notes.end_document(own=_is_own(value))
            self.documents.append(YamlDocument(value, self.line, self.scalars.tagged, self.nulls))
            if len(self.documents) > self.limits.documents:
                self.notes.problem(event, f"more than {self.limits.documents} documents")
                raise YamlReadingStopped
            return
        self.line = self.first_line + event.start_mark.line + 1
        self.scalars.tagged = self.nulls = False
        self.anchors.clear()
        if getattr(event, "version", None) or getattr(event, "tags", None):
            self.notes.problem(event, "a YAML directive", "take the line with % away")

    def _key(self, event: Any, value: JsonValue) -> str:
        return _Pending("<<") if self.scalars.is_merge(event) else self.scalars.key(event, value)

    def _seen_before(self, event: Any, frame: _Frame, key: str) -> None:
        """A key that the mapping has already. kubectl takes the last value in silence: here it has to be an equal one,
        or the key came by a merge key. `1` and `1.0` are two keys until JSON makes them one, and which of their values
        kubectl takes then differs from call to call; so such a key has to have an equal value also after a merge."""
        if key.__class__ is _Pending:
            return
        if frame.merged is not None and key in frame.merged:
            frame.merged.discard(key)
            if not key_has_other_typed_spellings(key):
                return
        again = frame.key = _Pending(key)
        again.event, again.old = event, frame.value[key]

    def _settle(self, event: Any, frame: _Frame, key: Any, value: JsonValue) -> None:
        """The value of a merge key, or of a key that the mapping has already."""
        frame.key = None
        if not hasattr(key, "event"):
            self._merge(event, frame, value)
            return
        note = self.notes.doubt if _are_equal(key.old, value) else self.notes.problem
        note(key.event, _TWICE, _KEEP_ONE)

    def _merge(self, event: Any, frame: _Frame, value: JsonValue) -> None:
        """Take a mapping, or those of a list, into the open one. As in go-yaml v2, what comes later in the text counts,
        and of a list what stands first."""
        is_list = isinstance(value, list) and not hasattr(event, "anchor")  # and no alias to one
        sources: Any = list(reversed(value)) if is_list and isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self.notes.problem(event, "a merge key without a mapping", "expected a mapping, or a list of mappings")
        else:
            frame.merged = frame.merged or set()
            for source in sources:
                same = frame.value.keys() & source.keys()
                if any(
                    key_has_other_typed_spellings(key) and not _are_equal(frame.value[key], source[key]) for key in same
                ):
                    self.notes.problem(event, _TWICE, _KEEP_ONE)
                frame.merged |= source.keys()
                frame.value.update(source)

    def _marked(self, event: Any, value: JsonValue) -> Json:
        """The value of a scalar with a tag or an anchor."""
        if event.tag is not None:
            value = self.scalars.resolve_tagged(event, value)
        if event.anchor is not None:
            self._anchored(event)
            self.anchors[str(event.anchor)] = _Anchored(value, 1)
        return value

    def _anchored(self, event: Any) -> None:
        if not self.limits.alias_nodes:
            self.notes.problem(
                event, "an anchor", "write the value out where it is needed; templates and overlays repeat things"
            )

    def _alias(self, event: Any, frame: _Frame) -> Json:
        if not self.limits.alias_nodes:
            return None  # the anchor was reported
        found = self.anchors.get(str(event.anchor), _Anchored())
        if found.nodes < 0:
            self.notes.problem(event, "an alias to nothing, or to something that is not finished")
            return None
        self.nodes += found.nodes
        self.alias_nodes += found.nodes
        if self.alias_nodes > self.limits.alias_nodes:
            self.notes.problem(
                event, f"aliases repeat more than {self.limits.alias_nodes} values", "write the values out"
            )
            raise YamlReadingStopped
        if frame.depth + found.height > self.limits.depth:
            self.notes.problem(event, f"nested deeper than {self.limits.depth}")
            raise YamlReadingStopped
        frame.height = max(frame.height, found.height + 1)
        return copy.deepcopy(found.value)


def _are_equal(one: JsonValue, other: JsonValue) -> bool:
    return document_digest(encode_special_leaves(one)) == document_digest(encode_special_leaves(other))


def _is_own(value: JsonValue) -> bool:
    """Whether a document is of hwplan's own kinds, or a List with one of them."""
    if not isinstance(value, dict):
        return False
    items = value.get("items")
    api_version = value.get("apiVersion")
    own = isinstance(api_version, str) and is_hwplan_kind(api_version)
    return own or (isinstance(items, list) and any(_is_own(item) for item in items))
