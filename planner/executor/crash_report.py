"""Tracebacks of errors that nobody expected, in a private file. Frames and types only: a message may quote a secret."""

from __future__ import annotations

import os
import traceback
from pathlib import Path


def describe_traceback(error: BaseException) -> str:
    """The stack of `error` and of what caused it: files, lines, functions and error types, no message and no value."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        lines.append(f"{type(seen).__module__}.{type(seen).__qualname__}")
        frames = traceback.extract_tb(seen.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(lines) + "\n"


def write_crash_report(error: BaseException, folder: Path, name: str) -> str:
    """Write the description to a new file with mode 0600; its path, or "" when it cannot be written."""
    safe_name = "".join(letter if letter.isalnum() else "-" for letter in name)
    path = folder / f"hwplan-crash-{os.getpid()}-{safe_name}.txt"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(describe_traceback(error))
    except OSError:
        return ""
    return str(path)
