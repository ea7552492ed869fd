"""The forms of all values that begin alike, so that a text is compared with all of them at once. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from planner.redaction.secret_forms import encoded_forms_of_secret

FRAGMENT = 40  # characters of a form that give it away where the rest is missing
_CUT = 12  # the same, where the text says that something was cut ("…")


class SecretFormBucket:
    """Forms with one beginning, by length, and by their first FRAGMENT characters. `size` is the number of values."""

    __slots__ = ("_fragments", "_whole", "size")

    def __init__(self, beginning: str, values: Sequence[bytes]) -> None:
        self.size = len(values)
        self._whole: dict[int, set[str]] = {}
        self._fragments: dict[str, list[str]] = {}
        for value in values:
            for form in encoded_forms_of_secret(value):
                if form.startswith(beginning):
                    self._whole.setdefault(len(form), set()).add(form)
                    if len(form) > FRAGMENT:
                        self._fragments.setdefault(form[:FRAGMENT], []).append(form)

    def longest(self, text: str, start: int) -> int:
        """How many characters of `text` from `start` on are a form, or enough of one; 0 when none is there."""
        whole = [length for length, known in self._whole.items() if text[start : start + length] in known]
        if whole:
            return max(whole)
        head, cut, _ = text[start : start + FRAGMENT].partition("…")
        if not cut:
            return max((_common(text, start, form) for form in self._fragments.get(head, ())), default=0)
        begun = len(head) >= _CUT and any(form.startswith(head) for known in self._whole.values() for form in known)
        return len(head) if begun else 0


def _common(text: str, start: int, form: str) -> int:
    length = min(len(form), len(text) - start)
    return next((at for at in range(FRAGMENT, length) if text[start + at] != form[at]), length)
