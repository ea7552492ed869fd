"""The hidden mark by which a comment or an issue of ours is found again (P15, P16). Pure.

The mark is the last line of a body, and only there it counts: text that others wrote may stand above it, in a quotation
for example, and may hold any mark. Who wrote the comment is checked as well, because everybody can write a mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

_MOST = 65_536  # characters of a body that GitHub takes


class CommentOrIssue(Protocol):
    """A comment or an issue of GitHub: its author and its body."""

    @property
    def author(self) -> str:
        """Who wrote it."""
        ...

    @property
    def body(self) -> str:
        """What it says."""
        ...


_T = TypeVar("_T", bound=CommentOrIssue)


def marker_line(marker: str) -> str:
    """The hidden marker as it stands in a body: an HTML comment, the last line."""
    return f"<!-- hwplan:{marker} -->"


def body_with_marker(body: str, marker: str) -> str:
    """The body of a comment or issue with its hidden marker added, as it is written. Raises ValueError when GitHub
    would not take it."""
    whole = f"{body.rstrip()}\n\n{marker_line(marker)}"
    if len(whole) > _MOST:
        raise ValueError(f"the text is longer than {_MOST} characters")
    return whole


def with_unix_line_ends(body: str) -> str:
    """The text with LF line ends, as bodies are compared: GitHub's own editor writes CR LF."""
    return body.replace("\r\n", "\n").rstrip()


def has_marker(body: str, marker: str) -> bool:
    """Whether a body has this hidden marker, which is its last line."""
    return with_unix_line_ends(body).rpartition("\n")[2].strip() == marker_line(marker)


def find_texts_with_marker(texts: Iterable[_T], marker: str, author: str) -> Sequence[_T]:
    """Find the comments or issues with the marker that `author` wrote, in the order given. Names of GitHub accounts
    ignore case."""
    ours = author.lower()
    return [one for one in texts if one.author.lower() == ours and has_marker(one.body, marker)]
