"""Where a snapshot's objects are retained: a folder that can be written, or one file that cannot. Knows no merge rules.

A folder is read through a cache beside it (`.cache.jsonl`, one line for each object last read or written), so that
only files that somebody edited are parsed again. The cache may be deleted at any time; a torn last line is ignored.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonObject
from providers.kubernetes.snapshot.folder_layout import (
    CLUSTER_FILE,
    CLUSTER_FOLDER,
    ObjectIdentity,
    identity_of_document,
    object_file,
    object_yaml,
    parse_object_yaml,
    read_object_yaml,
    write_atomic,
)
from providers.kubernetes.snapshot.snapshot_objects import SnapshotObjects

SCHEMA_VERSION = 1
SYSTEMS_FILE = "systems.json"  # beside the folder of objects; in a single file it is the key `systems`
_CACHE = ".cache.jsonl"
_LOCK = ".lock"
_SOON = 1.0  # seconds after which files are looked at again although nobody asked for them
_BLOCK = 100  # versions reserved at once: a killed run skips some, and never uses one twice


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """What a snapshot is of. `uid` is that of the kube-system namespace, `kubernetes` the version it plays."""

    uid: str
    server: str
    kubernetes: str = "v1.36.3"

    @classmethod
    def read(cls, document: JsonObject, where: str) -> SnapshotHeader:
        """From `cluster.yaml`, or the `cluster` part of a single file. Raises PermanentError when it is not one."""
        uid, server = document.get("uid"), document.get("server")
        if not isinstance(uid, str) or not isinstance(server, str) or not uid:
            raise PermanentError("a snapshot says its uid and server", where=where, remedy="make it anew")
        return cls(uid, server, str(document.get("kubernetes") or "v1.36.3"))


class SnapshotStore(Protocol):
    """Objects by identity. Documents are shared: nobody changes them in place."""

    about: SnapshotHeader

    def objects(self) -> SnapshotObjects:
        """All objects as they are now. The mapping changes with later calls."""
        ...

    def known(self, *fresh: ObjectIdentity) -> SnapshotObjects:
        """All objects as last seen, of which `fresh` are as they are now. What else somebody edited shows up soon."""
        ...

    def next_version(self) -> str:
        """A resourceVersion that was never given before. Call it inside `writing`."""
        ...

    def put(self, document: JsonObject) -> None:
        """Store one object, whole or not at all. Call it inside `writing`."""
        ...

    def drop(self, identity: ObjectIdentity) -> None:
        """Forget one object. Call it inside `writing`."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """A context manager: the only writer among all processes while it is open."""
        ...


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
        name = self._paths.get(identity) or str(object_file(identity))
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
            write_atomic(path, object_yaml({**document, "resourceVersion": self._limit}))
        self._next += 1
        return str(self._next)

    def put(self, document: JsonObject) -> None:
        identity = identity_of_document(document)
        name = self._paths.get(identity) or str(object_file(identity))
        path = self._folder / name
        write_atomic(path, object_yaml(document))
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


class FileSnapshotStore:
    """A snapshot in one JSON or YAML file: `{"schemaVersion": 1, "cluster": {...}, "objects": [...]}`. Read-only."""

    def __init__(self, path: Path) -> None:
        document = _parsed(path.read_text(encoding="utf-8"), str(path))
        if document.get("schemaVersion") != SCHEMA_VERSION or not isinstance(document.get("objects"), list):
            raise PermanentError("this is no snapshot of a cluster", where=str(path), remedy="see `hwplan snapshot`")
        cluster = document.get("cluster")
        self.about = SnapshotHeader.read(cluster if isinstance(cluster, dict) else {}, str(path))
        self._objects = SnapshotObjects()
        for number, item in enumerate(document["objects"]):
            try:
                identity = identity_of_document(item)
            except (ValueError, AttributeError):
                raise PermanentError("an object needs kind and name", where=f"{path} objects[{number}]") from None
            self._objects.put(identity, with_uid_and_version(item, identity, self.about))

    def objects(self) -> SnapshotObjects:
        return self._objects

    def known(self, *fresh: ObjectIdentity) -> SnapshotObjects:
        return self._objects

    def next_version(self) -> str:
        raise _read_only()

    def put(self, document: JsonObject) -> None:
        raise _read_only()

    def drop(self, identity: ObjectIdentity) -> None:
        raise _read_only()

    def writing(self) -> AbstractContextManager[None]:
        raise _read_only()


def open_snapshot_store(path: Path) -> SnapshotStore:
    """The store at `path`: a folder with `cluster.yaml` (or `cluster/cluster.yaml`) in it, or a single file.

    Raises PermanentError when neither is there.
    """
    for folder in (path / CLUSTER_FOLDER, path):
        if (folder / CLUSTER_FILE).is_file():
            return FolderSnapshotStore(folder)
    if path.is_file():
        return FileSnapshotStore(path)
    raise PermanentError("no snapshot of a cluster is here", where=str(path), remedy="see `hwplan sandbox create`")


def saved_records_of_systems(path: Path) -> JsonObject | None:
    """What `hwplan snapshot` retained of other systems and of secret sources, None where it retained nothing.

    Raises PermanentError when it is damaged. Its meaning is that of planner/app/snapshot_records.py.
    """
    where = path if path.is_file() else path / SYSTEMS_FILE
    if not where.is_file():
        return None
    document = _parsed(where.read_text(encoding="utf-8"), str(where))
    found = document.get("systems") if path.is_file() else document
    if found is not None and not isinstance(found, dict):
        raise PermanentError("the records of the snapshot are damaged", where=str(where), remedy="save it again")
    return found


def with_uid_and_version(document: JsonObject, identity: ObjectIdentity, about: SnapshotHeader) -> JsonObject:
    """The document with a uid and a version, made from its identity where they are missing."""
    metadata = document["metadata"]
    if metadata.get("uid") and metadata.get("resourceVersion"):
        return document
    import uuid

    made = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{about.uid}/{identity}"))
    return {**document, "metadata": {"uid": made, "resourceVersion": "2", **metadata}}


def _parsed(text: str, where: str) -> JsonObject:
    if text.lstrip().startswith("{"):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            return document
    return parse_object_yaml(text, where)


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


def _read_only() -> PermanentError:
    return PermanentError(
        "a snapshot in a single file cannot be changed", remedy="use a folder (`hwplan sandbox create`)"
    )
