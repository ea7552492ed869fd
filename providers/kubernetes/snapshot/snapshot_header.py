"""What a snapshot says of itself: which cluster it is of; and what its objects get from that where they lack it.
Pure."""

from __future__ import annotations

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.values import JsonObject
from providers.kubernetes.snapshot.folder_layout import ObjectIdentity


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


def with_uid_and_version(document: JsonObject, identity: ObjectIdentity, header: SnapshotHeader) -> JsonObject:
    """The document with a uid and a version, made from its identity where they are missing."""
    metadata = document["metadata"]
    if metadata.get("uid") and metadata.get("resourceVersion"):
        return document
    import uuid

    made = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{header.uid}/{identity}"))
    return {**document, "metadata": {"uid": made, "resourceVersion": "2", **metadata}}
