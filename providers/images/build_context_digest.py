"""What a build depends on, as one digest: every file of the context, the Dockerfile, the arguments, the platform.

Times, owners and the order of directories do not count; names, bytes, the executable bit and the targets of symbolic
links do. A .dockerignore is a file like any other: an ignored file that changes costs a build, never a stale image.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from planner.errors import PermanentError
from planner.values import Json, JsonObject, document_digest

_MOST_FILES = 100_000
_MOST_BYTES = 8 << 30


def build_context_folder(base: Path, context: str, dockerfile: str) -> Path:
    """The context below `base`. Raises PermanentError when it, or the Dockerfile, is not there or leads outside."""
    root = base.resolve()
    folder = (root / context).resolve()
    file = (folder / dockerfile).resolve()
    if not folder.is_relative_to(root) or not file.is_relative_to(folder):
        raise PermanentError("the build leads outside of the configuration folder", where=context)
    if not folder.is_dir():
        raise PermanentError("there is no such build context", where=context, remedy="create it, or correct spec.build")
    if not file.is_file():
        remedy = "create it, or correct spec.build.dockerfile, which is relative to the context"
        raise PermanentError("there is no such Dockerfile", where=f"{context}/{dockerfile}", remedy=remedy)
    return folder


def digest_of_build_inputs(folder: Path, build: JsonObject, platform: str) -> str:
    """`sha256:<hex>` over all that the build depends on. Raises PermanentError for sockets, pipes, unreadable files."""
    files = sorted(_entries(folder))
    return document_digest({"files": files, "build": {**build, "context": ""}, "platform": platform})


def _entries(folder: Path) -> Iterator[list[Json]]:
    count = size = 0
    for where, folders, names in os.walk(folder, onerror=_unreadable):
        links = [name for name in folders if Path(where, name).is_symlink()]
        for each in [*names, *links]:
            path = Path(where, each)
            name = path.relative_to(folder).as_posix()
            kind, reported, length = _entry(path, name)
            count, size = count + 1, size + length
            if count > _MOST_FILES or size > _MOST_BYTES:
                raise PermanentError(
                    "the build context is too large", where=folder.name, remedy="name a smaller folder"
                )
            yield [name, kind, reported]
        if not names and not folders:
            yield [Path(where).relative_to(folder).as_posix(), "folder", ""]


def _entry(path: Path, name: str) -> tuple[str, str, int]:
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return "link", str(path.readlink()), 0
        if stat.S_ISREG(status.st_mode):
            with path.open("rb") as handle:
                reported = hashlib.file_digest(handle, "sha256").hexdigest()
            return "program" if status.st_mode & 0o111 else "file", reported, status.st_size
    except OSError:
        raise PermanentError("a file of the build context cannot be read", where=name) from None
    raise PermanentError("the build context holds a socket, a pipe or a device", where=name)


def _unreadable(error: OSError) -> None:
    raise PermanentError(
        "a folder of the build context cannot be read", where=Path(error.filename or "").name
    ) from None
