"""Makes outside text safe to show: what a terminal, a CI log or a Markdown page could obey becomes visible instead.

Owns the two escapes (plain text and Markdown) and nothing else. Everything that does not stem from hwplan's own
source code goes through one of them: names, values, messages of servers, field managers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Letters and marks that show nothing: Hangul fillers, the Braille blank, combining joiners, variation selectors.
_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BLANK = re.compile(f"[{_INVISIBLE}]")

# Words that a CI system obeys on standard output: GitHub and Azure look for theirs anywhere in a line or after spaces.
_COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#\[|#vso\[)|s(?=ection_(?:start|end):)")

_PLAIN_CODE = re.compile(r"[^`|\\ ](?:[^`|\\]*[^`|\\ ])?\Z")
_PUNCTUATION = {ord(char): f"&#{ord(char)};" for char in "&<>\"'`*_~[]()#@!\\|$:/.{}=+-^"}


def safe_text(text: str) -> str:
    """`text` with everything invisible or obeyed made visible, on one line.

    Control sequences, C0 and C1, line separators, bidirectional and zero-width characters, tags, private use, lone
    surrogates and odd spaces become `\\n`, `\\x1b`, `\\u202e` (rule R20); commands to a CI system lose their first
    character to an escape (rule R21).
    """
    if not text.isprintable() or (not text.isascii() and _BLANK.search(text)):
        text = "".join(char if _shows(char) else _escaped(char) for char in text)
    return _COMMAND.sub(_disarmed, text) if ":" in text or "##" in text else text


def _shows(char: str) -> bool:
    return char.isprintable() and (char.isascii() or not _BLANK.match(char))


def _escaped(char: str) -> str:
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _disarmed(match: re.Match[str]) -> str:
    found = match[0]
    return found[:-1] + f"\\x{ord(found[-1]):02x}"


def html_safe(text: str) -> str:
    """`text` for the inside of an HTML element: `safe_text`, then each mark of HTML or Markdown as a character
    reference."""
    return safe_text(text).translate(_PUNCTUATION)


def markdown_safe(text: str) -> str:
    """`text` as inline code for a Markdown line or table cell: no mention, link, HTML, image or fence can come of it.

    Code is the one context where GitHub and GitLab expand nothing (rule R22). A code span where its marks allow, an
    element with character references otherwise. Empty text gives "(empty)".
    """
    shown = safe_text(text)
    if _PLAIN_CODE.match(shown):
        return f"`{shown}`"
    return f"<code>{shown.translate(_PUNCTUATION)}</code>" if shown else "(empty)"


def fenced_code_block(lines: Sequence[str], language: str = "") -> list[str]:
    """Lines as a fenced code block, its fence longer than any run of backticks inside; `language` is our own word."""
    shown = [safe_text(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, *shown, fence]
