"""A text stream whose every word passes the redactor: what standard output and standard error are made of."""

from __future__ import annotations

import sys
from typing import Any, TextIO, cast

from planner.redaction.redactor import REDACTOR


class RedactedStream:
    """Writes to `inner` what the redactor leaves; in everything else it is `inner`."""

    def __init__(self, inner: TextIO) -> None:
        self.inner = inner

    def write(self, text: str) -> int:
        """Write one piece. A value that is cut in two by its writer is found only as far as a piece holds it."""
        self.inner.write(REDACTOR.clean(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write pieces one by one."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def redact_standard_streams() -> None:
    """Pass both standard streams of this process through the redactor, once."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, RedactedStream):
            setattr(sys, name, cast(TextIO, RedactedStream(stream)))
