"""The end of a command's output as lines for people: without secrets that we know, without what a terminal obeys. Pure.

What the command itself may print is not ours to know: only values of this run's vault are masked, each as it is, line
by line, in base64 and quoted for a URL.
"""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Iterator

from planner.values import Vault

_MOST_LINES = 20
_MOST_CHARACTERS = 200  # of one line
_SHORTEST_SECRET = 4  # bytes: masking shorter ones would garble everything and hide nothing
_SHORTEST_LINE = 8  # bytes of one line of a secret of many
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?")  # ECMA-48
MASK = b"(secret)"


def lines_of(output: bytes, vault: Vault, *, cut: int = 0, whole: bool = True) -> tuple[str, ...]:
    """The last lines. `cut` bytes are missing in front; not `whole` says that the end is missing too. A line of which
    a part is missing is left out: what is left of a secret in it could not be told."""
    masked = _masked(output, vault)
    if cut:
        masked = masked.partition(b"\n")[2]
    if not whole:
        masked = masked[: masked.rfind(b"\n") + 1]
    shown = [line for line in map(_plain, masked.decode(errors="replace").splitlines()) if line]
    return tuple(shown[-_MOST_LINES:])


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
    text = _CONTROL.sub("", line).replace("\t", " ").rstrip()
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "..."
