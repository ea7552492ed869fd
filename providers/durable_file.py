"""One file on the disk: looking at it, and replacing it so that a crash leaves the old one or the new one.

Owns the version token (digest over mode and bytes). Links and all that is no regular file are refused, never followed
or replaced. Writers of one folder take turns by a lock on the folder, so that looking and replacing are one step
between commands of hwplan, and a temporary file that a crash left is used up by the next one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path

from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import PermanentError

SHOWN = 64 << 10  # bytes of a text that a plan shows
_PIECE = 1 << 18
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file as it is or shall be. `digest` is that of its bytes, `token` that of mode and bytes; `text` is its content
    when that is UTF-8 of at most 64 KiB, else None."""

    mode: str
    digest: str
    token: str
    text: str | None = field(repr=False)


def file_version_of_content(data: bytes, mode: str) -> FileVersion:
    """The version (digest, token, text) that a file with this content and mode (`0` and three octal digits) has."""
    return _version(iter((data,)), mode)


def read_file_version(path: Path, folder: int | None = None) -> FileVersion | None:
    """Read a file with its version token, None when it is not there. `path` is relative to the open `folder`, if given.

    Raises PermanentError when it cannot be read or is no regular file.
    """
    try:
        handle = os.open(path, _READ, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(path, error) from None
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise PermanentError("this is no regular file", where=str(path), remedy=_BY_HAND)
        return _version(iter(lambda: os.read(handle, _PIECE), b""), f"{stat.S_IMODE(info.st_mode):04o}")
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        os.close(handle)


def replace_file(path: Path, data: bytes, mode: str, allow: Callable[[FileVersion | None], bool]) -> bool:
    """Put `data` at `path`, durably, when `allow` says so of what stands there at that moment.

    Missing folders are made for the owner only. Gives what `allow` gave. Raises PermanentError when the disk refuses.
    """
    try:
        _make_folders(path.parent)
        with _locked(path.parent) as folder:
            if not allow(read_file_version(Path(path.name), folder)):
                return False
            _put(path.name, folder, data, int(mode, 8))
            return True
    except OSError as error:
        raise _refused(path, error) from None


_BY_HAND = "hwplan only replaces regular files: remove it by hand, or name another path"


def _put(name: str, folder: int, data: bytes, mode: int) -> None:
    temporary = ".hwplan-" + hashlib.sha256(os.fsencode(name)).hexdigest()[:24]
    with suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)  # left by a crash: whoever has the lock is its only writer
    try:
        with os.fdopen(os.open(temporary, _WRITE, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    folder = os.open(path, _FOLDER)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


def _make_folders(path: Path) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        above = os.open(folder.parent, _FOLDER)
        try:
            os.fsync(above)
        finally:
            os.close(above)


def _version(pieces: Iterator[bytes], mode: str) -> FileVersion:
    content, whole, head = hashlib.sha256(), hashlib.sha256(mode.encode() + b"\n"), b""
    for piece in pieces:
        content.update(piece)
        whole.update(piece)
        if len(head) <= SHOWN:
            head += piece
    return FileVersion(mode, f"sha256:{content.hexdigest()}", f"sha256:{whole.hexdigest()}", _text(head))


def _text(head: bytes) -> str | None:
    try:
        return head.decode() if len(head) <= SHOWN else None
    except UnicodeDecodeError:
        return None


def _refused(path: Path, error: OSError) -> PermanentError:
    link = path.is_symlink()
    reason = "this is a symbolic link" if link else f"the disk refuses: {disk_error_text(error, 'unknown reason')}"
    return PermanentError(reason, where=str(path), remedy=_BY_HAND if link else "")
