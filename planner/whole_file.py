"""A file that is written whole or not at all: a full disk or a kill leaves neither half a file nor the wrong one.

The one write-then-rename of hwplan, but for providers/durable_file.py, which also holds a lock and follows no links.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def temporary_path_beside(path: Path) -> Path:
    """A name beside `path` that nobody else uses, for what becomes `path` by a rename."""
    return path.with_name(f".{path.name[:40]}.{os.urandom(6).hex()}.partial")


def write_whole_file(
    path: Path, data: bytes | Iterable[bytes], *, mode: int | None = None, durable: bool = False
) -> None:
    """Write `data` (bytes, or pieces of them) to `path` by way of a temporary file beside it, with a name of its own.

    `mode` is that of the file whatever the umask says; None leaves it to the umask. With `durable` the bytes are on the
    disk when the name is. Raises OSError, or what `data` raises; then the file at `path` is what it was, and the
    temporary file is gone.
    """
    partial = temporary_path_beside(path)
    handle = os.open(partial, _NEW, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in (data,) if isinstance(data, bytes) else data:
                file.write(piece)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
