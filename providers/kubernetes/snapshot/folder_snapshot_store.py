"""A snapshot in a folder that people and processes may write at the same time: a file for each object.

A folder is read through a cache beside it (`.cache.jsonl`, one line for each object last read or written), so that
only files that somebody edited are parsed again. The cache may be deleted at any time; a torn last line is ignored.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from planner.errors import PermanentError
from planner.values import JsonObject
from providers.kubernetes.snapshot.folder_layout import (
    CLUSTER_FILE,
    ObjectIdentity,
    identity_of_document,
    object_file_path,
    read_object_yaml,
    render_object_yaml,
    write_atomic,
)
from providers.kubernetes.snapshot.snapshot_header import SnapshotHeader, with_uid_and_version
from providers.kubernetes.snapshot.snapshot_objects import SnapshotObjects

_CACHE = ".cache.jsonl"
_LOCK = ".lock"
_SOON = 1.0  # seconds after which files are looked at again although nobody asked for them
_BLOCK = 100  # versions reserved at once: a killed run skips some, and never uses one twice


class _Entry(NamedTuple):
    mtime: int
    size: int
    document: JsonObject


class FolderSnapshotStore:
    """A snapshot in a folder. `folder` holds `cluster.yaml`. Not for two threads at once; for many processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[str, _Entry] = {}  # by path relative to the folder
        self._paths: dict[ObjectIdentity, str] = {}
        self._documents = SnapshotObjects()
        self._size = 0  # bytes of all files that were read
        self._looked = -_SOON
        self._next = self._limit = 0
        self.about = SnapshotHeader.read(read_object_yaml(folder / CLUSTER_FILE), str(folder / CLUSTER_FILE))
        self._load_cache()

    def objects(self) -> SnapshotObjects:
        """All objects as they are now, hand edits included. Raises PermanentError that names a file nobody can read."""
        self._looked = time.monotonic()
        seen = dict(_files(self._folder))
        gone = self._entries.keys() - seen.keys()
        changed = [name for name, state in seen.items() if self._state(name) != state]
        for name in gone:
            del self._entries[name]
        for name in sorted(changed):
            document = read_object_yaml(self._folder / name)
            self._entries[name] = _Entry(*seen[name], self._completed(name, document))
        if gone or changed or len(self._paths) != len(self._entries):
            self._index()
            self._save_cache(changed)
        return self._documents

    def known(self, *fresh: ObjectIdentity) -> SnapshotObjects:
        if time.monotonic() - self._looked > _SOON or any(self._has_moved(identity) for identity in fresh):
            return self.objects()
        return self._documents

    def _has_moved(self, identity: ObjectIdentity) -> bool:
        """Whether the file of an object is not the one that was read; looks at that file only."""
        name = self._paths.get(identity) or str(object_file_path(identity))
        try:
            stat = (self._folder / name).stat()
        except OSError:
            return name in self._entries
        return self._state(name) != (stat.st_mtime_ns, stat.st_size)

    def next_version(self) -> str:
        if self._next >= self._limit:
            path = self._folder / CLUSTER_FILE
            document = read_object_yaml(path)
            self._next = max(int(document.get("resourceVersion") or 0), _BLOCK)
            self._limit = self._next + _BLOCK
            write_atomic(path, render_object_yaml({**document, "resourceVersion": self._limit}))
        self._next += 1
        return str(self._next)

    def put(self, document: JsonObject) -> None:
        identity = identity_of_document(document)
        name = self._paths.get(identity) or str(object_file_path(identity))
        path = self._folder / name
        write_atomic(path, render_object_yaml(document))
        stat = path.stat()
        self._size += stat.st_size - (self._entries[name].size if name in self._entries else 0)
        self._entries[name] = _Entry(stat.st_mtime_ns, stat.st_size, document)
        self._paths[identity] = name
        self._documents.put(identity, document)
        self._save_cache([name])

    def drop(self, identity: ObjectIdentity) -> None:
        self._documents.drop(identity)
        if name := self._paths.pop(identity, None):
            self._size -= self._entries.pop(name).size
            (self._folder / name).unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with (self._folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _state(self, name: str) -> tuple[int, int] | None:
        entry = self._entries.get(name)
        return (entry.mtime, entry.size) if entry else None

    def _completed(self, name: str, document: JsonObject) -> JsonObject:
        """What a person need not write by hand: a uid that stays the same, and a first version."""
        try:
            identity = identity_of_document(document)
        except ValueError as error:
            raise PermanentError(str(error), where=name, remedy="correct the file or delete it") from None
        return with_uid_and_version(document, identity, self.about)

    def _index(self) -> None:
        self._paths = {}
        for name in sorted(self._entries):
            identity = identity_of_document(self._entries[name].document)
            if other := self._paths.get(identity):
                raise PermanentError(
                    f"{identity} is in two files", where=f"{other}, {name}", remedy="delete one of them"
                )
            self._paths[identity] = name
        self._documents = SnapshotObjects(
            (identity, self._entries[name].document) for identity, name in self._paths.items()
        )
        self._size = sum(entry.size for entry in self._entries.values())

    def _load_cache(self) -> None:
        try:
            lines = (self._folder / _CACHE).read_bytes().splitlines()
        except OSError:
            return
        for line in lines:
            try:
                name, mtime, size, document = json.loads(line)
                identity_of_document(document)
            except (ValueError, TypeError, AttributeError):
                continue  # torn or foreign: the file itself will be read
            self._entries[name] = _Entry(mtime, size, document)

    def _save_cache(self, names: list[str]) -> None:
        """Add lines, or write the cache anew when most of its lines are old. It is a cache: failures are fine."""
        path = self._folder / _CACHE
        try:
            size = path.stat().st_size if path.exists() else 0
            if size > 4 * self._size + 65536:
                write_atomic(path, "".join(self._cache_line(name) for name in self._entries))
            else:
                with path.open("a", encoding="utf-8") as file:
                    file.write("".join(self._cache_line(name) for name in names))
        except OSError:
            return

    def _cache_line(self, name: str) -> str:
        entry = self._entries[name]
        return json.dumps([name, entry.mtime, entry.size, entry.document], separators=(",", ":")) + "\n"


def _files(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Every object file two folders down, with its time and size."""
    for first in _folders(str(folder)):
        for second in _folders(first.path):
            with os.scandir(second.path) as entries:
                for entry in entries:
                    if entry.name.endswith((".yaml", ".yml")) and not entry.name.startswith("."):
                        stat = entry.stat()
                        yield f"{first.name}/{second.name}/{entry.name}", (stat.st_mtime_ns, stat.st_size)


def _folders(path: str) -> list[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        return [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
