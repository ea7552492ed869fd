"""The pure parser of PyYAML, made to read what libyaml reads: tabs between tokens, colons inside of plain scalars.

Used where there is no C library. Owns the differences between the two and nothing else; the tests compare both.
"""

from __future__ import annotations

from typing import Any, Final

from yaml import SafeLoader, ScalarEvent, ScalarToken
from yaml.scanner import ScannerError

_BREAKS: Final = "\r\n\x85\u2028\u2029"
_BLANKS: Final = " \t"
_ENDS: Final = "\0" + _BREAKS
_FLOW: Final = ",?[]{}"


class LibyamlCompatibleLoader(SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """PyYAML's own loader with the scanner of whitespace and plain scalars that libyaml has."""

    allow_simple_key: bool

    def get_event(self) -> Any:
        """The next event. Raises yaml.YAMLError."""
        event = super().get_event()
        if isinstance(event, ScalarEvent) and any("\ud800" <= letter <= "\udfff" for letter in event.value):
            problem = "found invalid Unicode character escape code"
            raise ScannerError("while parsing a quoted scalar", event.start_mark, problem, event.start_mark)
        return event

    def scan_to_next_token(self) -> None:
        """Pass over blanks, comments and line breaks. A tab must not stand where indentation counts."""
        while True:
            if self.column == 0 and self.peek() == "\ufeff":
                self.forward()
            while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
                self.forward()
            self._pass_comment()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> None:
        """Pass over what may follow the header of a block scalar on its line."""
        while self.peek() in _BLANKS:
            self.forward()
        self._pass_comment()
        if self.peek() not in _ENDS:
            problem = "did not find expected comment or line break"
            raise ScannerError("while scanning a block scalar", start_mark, problem, self.get_mark())
        self.scan_line_break()

    def scan_plain(self) -> Any:
        """A plain scalar: words, and the blanks and folded line breaks between them."""
        start = end = self.get_mark()
        indent = self.indent + 1
        parts: list[str] = []
        gap = ""
        while not self._at_marker() and self.peek() != "#" and (word := self._word()):
            self.allow_simple_key = False
            parts += [gap, word]
            end = self.get_mark()
            gap = self._gap(indent, start)
            if not gap or (not self.flow_level and self.column < indent):
                break
        return ScalarToken("".join(parts), True, start, end)

    def _word(self) -> str:
        length = 0
        while (letter := self.peek(length)) not in _ENDS + _BLANKS:
            if letter == ":" and self.peek(length + 1) in _ENDS + _BLANKS:
                break
            if self.flow_level and letter in _FLOW:
                break
            length += 1
        word: str = self.prefix(length)
        self.forward(length)
        return word

    def _gap(self, indent: int, start: Any) -> str:
        """What stands between two words: the blanks, or the line breaks as they are folded."""
        blanks = ""
        while self.peek() in _BLANKS:
            blanks += self.peek()
            self.forward()
        if self.peek() not in _BREAKS:
            return blanks
        first, more = self.scan_line_break(), ""
        self.allow_simple_key = True
        while self.peek() in _BLANKS + _BREAKS:
            if self.peek() == "\t" and self.column < indent:
                problem = "found a tab character that violates indentation"
                raise ScannerError("while scanning a plain scalar", start, problem, self.get_mark())
            if self.peek() in _BLANKS:
                self.forward()
            else:
                more += self.scan_line_break()
        return first + more if first != "\n" else more or " "

    def _at_marker(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _ENDS + _BLANKS

    def _pass_comment(self) -> None:
        if self.peek() == "#":
            while self.peek() not in _ENDS:
                self.forward()
