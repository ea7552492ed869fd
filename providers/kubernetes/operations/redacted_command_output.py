"""The end of a command's output as lines for people: without secrets that we know, without what a terminal obeys. Pure.

Masked is what the redactor knows, also cut, folded and quoted, and values of this run's vault wherever they stand, each
as it is, line by line, in base64 and quoted for a URL. What else a command may print is not ours to know.
"""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Iterator

from planner.redaction.redactor import REDACTOR
from planner.values import Vault

_MOST_LINES = 20
_MOST_CHARACTERS = 200  # of one line
_SHORTEST_SECRET = 4  # bytes: masking shorter ones would garble everything and hide nothing
_SHORTEST_LINE = 8  # bytes of one line of a secret of many
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?")  # ECMA-48
MASK = b"(secret)"


def redacted_output_tail_lines(
    output: bytes, vault: Vault, *, cut_bytes: int = 0, complete: bool = True, max_lines: int = _MOST_LINES
) -> tuple[str, ...]:
    """The last `max_lines` lines of a command's output, secrets masked. `cut_bytes` are missing in front; not
    `complete` says that the end is missing too. A line of which a part is missing is left out: what is left of a secret
    in it could not be determined."""
    masked = _masked(output, vault)
    if cut_bytes:
        masked = masked.partition(b"\n")[2]
    if not complete:
        masked = masked[: masked.rfind(b"\n") + 1]
    text = REDACTOR.clean_output(_CONTROL.sub("", masked.decode(errors="replace")))
    shown = [line for line in map(_plain, text.splitlines()) if line]
    return tuple(shown[-max_lines:])


def _masked(output: bytes, vault: Vault) -> bytes:
    for form in sorted({form for value in vault.values() for form in _forms(value.reveal())}, key=len, reverse=True):
        output = output.replace(form, MASK)
    return output


def _forms(secret: bytes) -> Iterator[bytes]:
    """How a secret may stand in an output."""
    if len(secret.strip()) >= _SHORTEST_SECRET:
        yield secret.strip()
        yield base64.b64encode(secret)
        yield urllib.parse.quote_from_bytes(secret.strip(), safe="").encode()
    yield from (line for line in map(bytes.strip, secret.splitlines()) if len(line) >= _SHORTEST_LINE)


def _plain(line: str) -> str:
    """A line without control sequences, cut to size."""
    text = line.replace("\t", " ").rstrip()
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "..."
