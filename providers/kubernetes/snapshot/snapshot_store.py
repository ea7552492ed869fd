"""Where a snapshot's objects are retained: a folder that can be written, or one file that cannot. Knows no merge
rules."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from planner.errors import PermanentError
from planner.values import JsonObject
from providers.kubernetes.snapshot.folder_layout import (
    CLUSTER_FILE,
    CLUSTER_FOLDER,
    ObjectIdentity,
    identity_of_document,
    parse_object_yaml,
)
from providers.kubernetes.snapshot.folder_snapshot_store import FolderSnapshotStore
from providers.kubernetes.snapshot.snapshot_header import SnapshotHeader, with_uid_and_version
from providers.kubernetes.snapshot.snapshot_objects import SnapshotObjects

SCHEMA_VERSION = 1
SYSTEMS_FILE = "systems.json"  # beside the folder of objects; in a single file it is the key `systems`


class SnapshotStore(Protocol):
    """Stores the objects of a snapshot by identity. Documents are shared: nobody changes them in place."""

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


def _parsed(text: str, where: str) -> JsonObject:
    if text.lstrip().startswith("{"):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            return document
    return parse_object_yaml(text, where)


def _read_only() -> PermanentError:
    return PermanentError(
        "a snapshot in a single file cannot be changed", remedy="use a folder (`hwplan sandbox create`)"
    )
