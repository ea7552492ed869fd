"""The objects of a snapshot by identity, with the indexes that reads and deletes need: by kind, namespace and owner.

Owns no file and no rule. Every look-up costs what it finds, whatever else the snapshot holds. Documents are shared:
nobody changes them in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from planner.values import JsonObject
from providers.kubernetes.snapshot.folder_layout import ObjectIdentity


class SnapshotObjects(Mapping[ObjectIdentity, JsonObject]):
    """All objects of a snapshot. Not for two threads at once."""

    def __init__(self, documents: Iterable[tuple[ObjectIdentity, JsonObject]] = ()) -> None:
        self._documents: dict[ObjectIdentity, JsonObject] = {}
        self._kinds: dict[tuple[str, str], dict[ObjectIdentity, None]] = {}
        self._namespaces: dict[str, dict[ObjectIdentity, None]] = {}
        self._owners: dict[str, dict[ObjectIdentity, None]] = {}  # by the uid of an owner
        self._uids: dict[str, ObjectIdentity] = {}
        self._listed: dict[tuple[str, str], tuple[JsonObject, ...]] = {}
        for identity, document in documents:
            self.put(identity, document)

    def __getitem__(self, identity: ObjectIdentity) -> JsonObject:
        return self._documents[identity]

    def __iter__(self) -> Iterator[ObjectIdentity]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)

    def of_kind(self, group: str, kind: str) -> tuple[JsonObject, ...]:
        """The objects of a kind; the very same tuple until one of them changes."""
        key = (group, kind)
        listed = self._listed.get(key)
        if listed is None:
            listed = self._listed[key] = tuple(self._documents[identity] for identity in self._kinds.get(key, ()))
        return listed

    def identities(self, group: str, kind: str) -> tuple[ObjectIdentity, ...]:
        """What `of_kind` gives, by identity."""
        return tuple(self._kinds.get((group, kind), ()))

    def in_namespace(self, namespace: str) -> tuple[ObjectIdentity, ...]:
        """What stands in a namespace."""
        return tuple(self._namespaces.get(namespace, ()))

    def owned_by(self, uid: str) -> tuple[ObjectIdentity, ...]:
        """What names this uid among its owners."""
        return tuple(self._owners.get(uid, ()))

    def with_uid(self, uid: str) -> ObjectIdentity | None:
        """The object of this uid, or None."""
        return self._uids.get(uid)

    def put(self, identity: ObjectIdentity, document: JsonObject) -> None:
        """Add an object, or replace it."""
        if (old := self._documents.get(identity)) is not None:
            self._unlink(identity, old)
        self._documents[identity] = document
        self._listed.pop(identity[:2], None)
        self._kinds.setdefault(identity[:2], {})[identity] = None
        if identity.namespace:
            self._namespaces.setdefault(identity.namespace, {})[identity] = None
        self._uids[str(document["metadata"].get("uid"))] = identity
        for uid in owner_uids(document):
            self._owners.setdefault(uid, {})[identity] = None

    def drop(self, identity: ObjectIdentity) -> None:
        """Forget an object. One that is not there is no error."""
        if (old := self._documents.pop(identity, None)) is not None:
            self._unlink(identity, old)
            self._listed.pop(identity[:2], None)
            self._kinds[identity[:2]].pop(identity, None)
            self._namespaces.get(identity.namespace, {}).pop(identity, None)

    def _unlink(self, identity: ObjectIdentity, old: JsonObject) -> None:
        """Take out what an older version of the object said of itself and of its owners."""
        self._uids.pop(str(old["metadata"].get("uid")), None)
        for uid in owner_uids(old):
            self._owners.get(uid, {}).pop(identity, None)


def owner_uids(document: JsonObject) -> tuple[str, ...]:
    """The uids of an object's owners."""
    return tuple(str(owner.get("uid")) for owner in document["metadata"].get("ownerReferences") or ())
