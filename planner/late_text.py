"""A text that is made when it is first asked for: the digest of an object that most plans never look at."""

from __future__ import annotations

from collections.abc import Callable


class LateText:
    """Stands for the text that `make` gives, which is called at most once for each thread that asks first.

    It equals that text; `str` gives it.
    """

    __slots__ = ("_make", "_text")

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._text: str | None = None

    def __str__(self) -> str:
        if self._text is None:
            self._text = self._make()
        return self._text

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, str | LateText) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return repr(str(self))
