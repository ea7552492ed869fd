"""Notes as files in a folder, each replaced as a whole under a lock on the folder. Knows nothing of hwplan's plans."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from planner.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on a note. `signature` is what it was signed with, as its fingerprint."""

    text: str
    color: str
    signature: str = field(default="", repr=False)

    @property
    def digest(self) -> str:
        """The token of this very version."""
        return "sha256:" + hashlib.sha256(json.dumps([self.text, self.color, self.signature]).encode()).hexdigest()


def look(path: Path) -> Sheet | None:
    """The note, None when there is none. Raises PermanentError when it cannot be read."""
    try:
        held = json.loads(path.read_bytes())
        return Sheet(str(held["text"]), str(held["color"]), str(held["fingerprint"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PermanentError(f"the shelf cannot be read: {error.strerror}", where=path.name) from None
    except (ValueError, LookupError, TypeError):
        raise PermanentError("this is no note", where=path.name, remedy="remove it by hand") from None


def put(path: Path, sheet: Sheet, key: bytes) -> None:
    """Write a note signed with `key`, whole or not at all. Call it under the lock."""
    mac = hashlib.blake2b(json.dumps([sheet.text, sheet.color]).encode(), key=key[:64]).hexdigest() if key else ""
    held = {"text": sheet.text, "color": sheet.color, "fingerprint": sheet.signature, "mac": mac}
    partial = path.with_name(f".{path.name}")
    partial.write_text(json.dumps(held))
    partial.replace(path)


@contextmanager
def locked(shelf: Path) -> Iterator[None]:
    """Nobody else changes the shelf meanwhile. Raises PermanentError when it cannot be used."""
    try:
        shelf.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(shelf, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise PermanentError(f"the shelf cannot be used: {error.strerror}", where=shelf.name) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
