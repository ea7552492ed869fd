"""The second line of defence: finds secret values in text that is about to leave, whatever brought them there.

The first line is that values are sealed by type and that nothing formats them; this one is for the words of servers,
libraries and defects. `GUARD` is the one redactor of the process: whoever comes to hold a secret's bytes tells it, and
every sink passes its text through it. Owns how a value is looked for; knows no sink and no source.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from planner.redaction_index import Bucket

MASK: Final = "(secret)"
SHORTEST: Final = 8  # characters: below it a value is an ordinary word too often to be searched for
_WINDOW = 8
_HEAD = 12  # bytes of a value that decide the first window of each of its forms; more where it is not ASCII
_WORD = re.compile(r"[A-Za-z]{1,15}|[-+0-9.,:/]{1,11}|\W+")  # one word of letters, a number, an address with a port
_KINDS = 4  # different characters that a value must have


class Redactor:
    """Masks what was learned. Threads may share it.

    A value is looked for when it has at least SHORTEST characters, at least four different ones, is not one word of up
    to 15 letters nor a short number, and does not stand in a name that is public anyway (`publish`): `true`, `a`,
    `postgres` or a namespace are left in the text, for without them no output could be read. It is found raw and in
    the encodings of planner.redaction_forms, also where the text breaks off in it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[bytes] = set()
        self._new: list[bytes] = []
        self._public = ""
        self._unread: list[Iterable[str]] = []
        self._windows: dict[str, list[bytes]] = {}  # how a form begins -> the values that have such a form
        self._buckets: dict[str, Bucket] = {}

    def learn(self, value: bytes) -> None:
        """Remember a secret. Cheap: its forms are made when there is text to look at."""
        if value in self._values or len(value) < SHORTEST:
            return
        with self._lock:
            self._values.add(value)
            self._new.append(value)

    def publish(self, words: Iterable[str]) -> None:
        """Names that are shown in any case: of resources, nodes, lanes. A value that stands in one is not masked. Read
        when there is a secret and text to look at; takes effect for values that are made ready after that."""
        with self._lock:
            self._unread.append(words)

    def clean(self, text: str) -> str:
        """`text` with every form of every secret replaced by MASK. Linear in the text, whatever was learned."""
        windows = self._ready()
        if not windows:
            return text
        spans = [
            (start, start + length)
            for start in range(len(text) - _WINDOW + 1)
            if text[start : start + _WINDOW] in windows and (length := self._longest(text, start))
        ]
        return _masked(text, spans) if spans else text

    def _longest(self, text: str, start: int) -> int:
        from planner.redaction_index import Bucket

        window = text[start : start + _WINDOW]
        with self._lock:
            values = self._windows[window]
            bucket = self._buckets.get(window)
            if bucket is None or bucket.size != len(values):
                bucket = self._buckets[window] = Bucket(window, values)
        return bucket.longest(text, start)

    def _ready(self) -> dict[str, list[bytes]]:
        with self._lock:
            if not self._new:
                return self._windows
            from planner.redaction_forms import parts  # not before there is a secret

            for words in self._unread:
                self._public += "".join(f"{word}\n" for word in set(words))
            self._unread.clear()
            fresh, self._new = self._new, []
            for value in fresh:
                for part in parts(value):
                    if self._is_telling(part):
                        self._index(part)
            return self._windows

    def _is_telling(self, value: bytes) -> bool:
        text = value.decode("utf-8", "replace").strip()
        if len(text) < SHORTEST or len(set(text)) < _KINDS or _WORD.fullmatch(text):
            return False
        return text not in self._public

    def _index(self, value: bytes) -> None:
        from planner.redaction_forms import forms

        head = value[: _HEAD if value[:_HEAD].isascii() else 3 * _HEAD]
        for window in {form[:_WINDOW] for form in forms(head)}:
            if len(window) == _WINDOW:
                self._windows.setdefault(window, []).append(value)

    def __repr__(self) -> str:
        return "Redactor(…)"


GUARD: Final = Redactor()


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    out: list[str] = []
    position = 0
    for first, last in sorted(spans):
        if first >= position:
            escaped = first and text[first - 1] == "\\"  # of JSON, cut in two by chance: its letter has to stay
            out += [text[position : first + bool(escaped)], MASK]
        position = max(position, last)
    return "".join([*out, text[position:]])
