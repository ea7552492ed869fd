"""The second line of defence: finds secret values in text that is about to leave, whatever brought them there.

The first line is that values are sealed by type and that nothing formats them; this one is for the words of servers,
commands, libraries and defects. `GUARD` is the one redactor of the process: whoever comes to hold a secret's bytes
calls `learn`, and every sink passes its text through `clean`. Owns what is looked for and what is public; knows no sink
and no source.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from planner.redaction.window_index import (
    KINDS,
    WINDOW,
    WindowIndex,
    four_character_groups_of_text,
    may_contain_secret_fragment,
)

if TYPE_CHECKING:
    from planner.redaction.secret_form_index import SecretFormBucket
    from planner.redaction.secret_fragments import SecretFragmentFinder

MASK: Final = "(secret)"
SHORTEST: Final = 8  # characters: below it a value is an ordinary word too often to be searched for in any text
SHORTEST_WORD: Final = 4  # the same for a word that stands alone in what a command prints
_HEAD = 12  # bytes of a value that decide the first window of each of its forms; more where it is not ASCII
_WORD = re.compile(r"[A-Za-z]{1,15}|[-+0-9.,:/]{1,11}|\W+")  # one word of letters, a number, an address with a port
_BETWEEN: Final = "\x80"  # between texts that are looked at together: no form of a readable secret has it
_TOGETHER = 1 << 16  # characters of texts that are looked at together
_MOST_LEFT = 1 << 17  # texts that are known to hold nothing
_SAYS_NOTHING = frozenset({"true", "false", "null", "none"})


class Redactor:
    """Masks what was learned. Threads may share it.

    A value is looked for when it has at least SHORTEST characters, at least four different ones, is not one word of up
    to 15 letters nor a short number, and is not public (`publish`): `true`, `a`, `admin` or a namespace are left in
    the text, for without them no output could be read. It is found raw and in the encodings of
    planner.redaction.secret_forms, also where the text breaks off in it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: set[bytes] = set()
        self._new: list[bytes] = []
        self._short: set[str] = set()
        self._public = ""
        self._public_groups: set[str] = set()  # of `_public`, so that not all of it is searched for each secret
        self._public_words: set[str] = set()
        self._unread: list[Iterable[str]] = []
        self._windows: WindowIndex[bytes] = WindowIndex()  # how a form begins -> the values that have such a form
        self._buckets: dict[str, SecretFormBucket] = {}
        self._fragments: SecretFragmentFinder | None = None
        self._left: set[str] = set()  # texts that `clean_foreign` leaves as they are, whatever is known by now

    def learn(self, value: bytes) -> None:
        """Remember a secret. Cheap: its forms are made when there is text to look at."""
        if value in self._values:
            return
        if len(value) < SHORTEST:
            self._learn_short(value)
            return
        with self._lock:
            self._values.add(value)
            self._new.append(value)

    def publish(self, words: Iterable[str]) -> None:
        """Names that are shown in any case: of resources, nodes, lanes. A value that stands in one, or that is put
        together of some (a host name of a Service), is not masked from then on. Read when there is a secret and text
        to look at."""
        with self._lock:
            self._unread.append(words)

    def prepare(self) -> None:
        """Make the forms of what was learned, which the first text to look at would wait for."""
        self._ready()

    def clean(self, text: str) -> str:
        """`text` with every form of every secret replaced by MASK. Linear in the text, whatever was learned."""
        spans = self._spans(text)
        return _masked(text, spans) if spans else text

    def clean_foreign(self, text: str) -> str:
        """The same for words from outside, where a secret may be cut, broken into lines or quoted by whoever wrote
        them: also parts that are long enough to be telling."""
        whole = self.clean(text)
        spans = self._spans_of_parts(whole)
        return _masked(whole, spans) if spans else whole

    def leaves(self, texts: Iterable[str]) -> bool:
        """Whether `clean` leaves each of `texts` as it is: many are looked at together, at the price of one. No may
        also mean that one begins where another ends as a secret reads; `clean` decides."""
        return not any(self._spans(text) for text in _together(self._new_texts(texts)))

    def leaves_foreign(self, texts: Iterable[str]) -> bool:
        """The same of `clean_foreign`. What it leaves is not looked at again until another secret is learned."""
        new = self._new_texts(texts)
        left = self._left  # before the look: a secret that is learned meanwhile begins another set
        if any(self._spans(text) or self._spans_of_parts(text) for text in _together(new)):
            return False
        if len(left) + len(new) <= _MOST_LEFT:
            left.update(new)
        return True

    def clean_output(self, text: str) -> str:
        """The same for what a command prints: also secrets of SHORTEST_WORD characters, where one stands alone."""
        masked = self.clean_foreign(text)
        words = sorted((word for word in self._short if word in masked and not self._is_public(word)), key=len)
        for word in reversed(words):
            masked = re.sub(rf"(?<![\w-]){re.escape(word)}(?![\w-])", MASK, masked)
        return masked

    def _new_texts(self, texts: Iterable[str]) -> list[str]:
        """Those of `texts` that may hold something and were not looked at with all secrets of now."""
        self._ready()
        left = self._left
        return [text for text in texts if len(text) >= WINDOW and text not in left]

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where forms of secrets stand in a text, as first and last position."""
        if len(text) < WINDOW:
            return []
        starts = self._ready().starts(text)
        return [(start, start + length) for start in starts if (length := self._longest(text, start))]

    def _spans_of_parts(self, text: str) -> list[tuple[int, int]]:
        """Where parts of secrets stand in a text."""
        if len(text) < WINDOW or self._fragments is None:
            return []
        with self._lock:
            return self._fragments.spans(text, self._is_public)

    def _learn_short(self, value: bytes) -> None:
        text = value.decode("utf-8", "replace").strip()
        if len(text) >= SHORTEST_WORD and text.lower() not in _SAYS_NOTHING:
            with self._lock:
                self._short.add(text)

    def _longest(self, text: str, start: int) -> int:
        from planner.redaction.secret_form_index import SecretFormBucket

        window = text[start : start + WINDOW]
        with self._lock:
            values = self._windows.of(window)
            bucket = self._buckets.get(window)
            if bucket is None or bucket.size != len(values):
                bucket = self._buckets[window] = SecretFormBucket(window, values)
        return bucket.longest(text, start)

    def _ready(self) -> WindowIndex[bytes]:
        with self._lock:
            if self._unread and (self._values or self._short):
                self._read_public()
            if not self._new:
                return self._windows
            from planner.redaction.secret_forms import secret_parts_of_value  # not before there is a secret
            from planner.redaction.secret_fragments import SecretFragmentFinder

            self._fragments = self._fragments or SecretFragmentFinder()
            fresh, self._new, self._left = self._new, [], set()
            for value in fresh:
                for part in dict.fromkeys(secret_parts_of_value(value)):
                    if self._is_telling(part):
                        self._index(part)
                        self._fragments.add(part)
            return self._windows

    def _read_public(self) -> None:
        """Take over what was published; what was made ready before is looked at again."""
        for words in self._unread:
            found = set(words)
            self._public += "".join(f"{word}\n" for word in found)
            self._public_words.update(piece for word in found for piece in _SEPARATORS.split(word))
        self._unread.clear()
        self._public_groups = four_character_groups_of_text(self._public)
        self._new = list(self._values)
        self._windows, self._buckets, self._fragments = WindowIndex(), {}, None

    def _is_telling(self, value: bytes) -> bool:
        text = value.decode("utf-8", "replace").strip()
        if len(text) < SHORTEST or len(set(text)) < KINDS or _WORD.fullmatch(text):
            return False
        return not self._is_public(text)

    def _is_public(self, text: str) -> bool:
        """Whether a text stands in a public name, or is made of nothing but such: `http://api.shop.svc:8080`."""
        if may_contain_secret_fragment(self._public_groups, text) and text in self._public:
            return True
        pieces = [piece for piece in _SEPARATORS.split(text) if piece]
        named = [piece for piece in pieces if piece in self._public_words]
        rest = [piece for piece in pieces if piece not in self._public_words and piece not in _OF_ADDRESSES]
        return bool(named) and len(pieces) <= _MOST_PIECES and all(one.isdigit() and len(one) <= 5 for one in rest)

    def _index(self, value: bytes) -> None:
        from planner.redaction.secret_forms import encoded_forms_of_secret

        head = value[: _HEAD if value[:_HEAD].isascii() else 3 * _HEAD]
        for window in {form[:WINDOW] for form in encoded_forms_of_secret(head)}:
            if len(window) == WINDOW:
                self._windows.add(window, value)

    def __repr__(self) -> str:
        return "Redactor(…)"


_SEPARATORS = re.compile(r"[./:]+")
_OF_ADDRESSES = frozenset({"http", "https", "ssh", "git", "svc", "cluster", "local"})
_MOST_PIECES = 16
REDACTOR: Final = Redactor()


def _together(texts: Iterable[str]) -> Iterator[str]:
    """Texts joined."""
    joined: list[str] = []
    length = 0
    for text in texts:
        joined.append(text)
        length += len(text)
        if length >= _TOGETHER:
            yield _BETWEEN.join(joined)
            joined, length = [], 0
    if joined:
        yield _BETWEEN.join(joined)


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    out: list[str] = []
    position = 0
    for first, last in sorted(spans):
        if first >= position:
            escaped = first and text[first - 1] == "\\"  # of JSON, cut in two by chance: its letter has to stay
            out += [text[position : first + bool(escaped)], MASK]
        position = max(position, last)
    return "".join([*out, text[position:]])
