"""Bytes that can be made again, retained between commands: one file per key, bounded in number and size.

A file is 0600 in a folder of 0700, is written atomically and carries its own digest; whatever goes wrong with one is
the same as not having it. Owns the files, and knows nothing of what is in them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from planner.dataclass import dataclass
from planner.whole_file import write_whole_file


@dataclass(frozen=True, slots=True)
class SealedCache:
    """A folder of at most `most_files` files with `most_bytes` together; the oldest make room for new ones."""

    folder: Path
    most_files: int
    most_bytes: int

    def read(self, key: str) -> bytes | None:
        """What was written by this key; None when it is not there, not as it was written, or not ours: with the home of
        another user (`sudo -E`) nothing that this one can write is read, for it may be code."""
        try:
            with (self.folder / key).open("rb") as file:
                about = os.fstat(file.fileno())
                if about.st_uid != os.geteuid() or about.st_mode & 0o022:
                    return None
                seal, _, payload = file.read().partition(b"\n")
        except OSError:
            return None
        return payload if hashlib.sha256(payload).hexdigest().encode() == seal else None

    def write(self, key: str, payload: bytes) -> None:
        """Retain `payload`, or do nothing where that is not possible."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room()
            sealed = hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload
            write_whole_file(self.folder / key, sealed, mode=0o600)

    def _make_room(self) -> None:
        """Delete the oldest files until there is room for one more."""
        found = sorted((entry.stat().st_mtime, entry.stat().st_size, entry.name) for entry in self.folder.iterdir())
        total = sum(size for _, size, _ in found)
        while found and (len(found) >= self.most_files or total > self.most_bytes):
            _, size, name = found.pop(0)
            total -= size
            with contextlib.suppress(OSError):
                (self.folder / name).unlink()
