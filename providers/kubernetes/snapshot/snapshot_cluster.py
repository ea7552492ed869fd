"""`Cluster` answered by a snapshot: the merge rules of server-side apply over a folder that a person can read and edit.

Owns versions, uids and generations, and the order of checks. Plays no webhook and runs no pod: see
snapshot_admission.py and simulated_controllers.py for what is refused and what is made ready at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from planner.plan import ClusterIdentity
from planner.values import JsonObject
from providers.cluster_interface import (
    FIELD_MANAGER,
    OPERATOR_MANAGER,
    EndedCommand,
    Keep,
    KubernetesListScope,
    Listing,
    ServedKubernetesKind,
)
from providers.kubernetes.errors import AlreadyExists, CommandNotStarted, NotFound, NotServed
from providers.kubernetes.snapshot import simulated_controllers, snapshot_admission
from providers.kubernetes.snapshot.folder_layout import ObjectIdentity, api_group_of, identity_of_document
from providers.kubernetes.snapshot.json_patch import apply_json_patch
from providers.kubernetes.snapshot.secret_fingerprint_forms import (
    secret_fingerprints_to_base64,
    secret_fingerprints_to_text,
)
from providers.kubernetes.snapshot.served_kinds import ServedKinds, served_kinds_of_crds
from providers.kubernetes.snapshot.service_addresses import with_service_addresses
from providers.kubernetes.snapshot.snapshot_objects import SnapshotObjects
from providers.kubernetes.snapshot.snapshot_store import SnapshotStore, open_snapshot_store
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.server_warnings import server_warnings
from providers.kubernetes.thread_warnings import ThreadWarnings

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


def current_managed_fields_time() -> str:
    """The present time as managedFields holds it: RFC 3339 UTC, seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def open_snapshot(path: Path, *, now: Callable[[], str] = current_managed_fields_time) -> SnapshotCluster:
    """The snapshot at `path` (see snapshot_store.open_snapshot_store). Raises PermanentError when there is none."""
    return SnapshotCluster(open_snapshot_store(path), now=now)


class SnapshotCluster:
    """A saved or made-up cluster. Safe for many threads, and for other processes that write the same folder."""

    simulated = True

    def __init__(self, store: SnapshotStore, *, now: Callable[[], str] = current_managed_fields_time) -> None:
        self._store = store
        self.now = now
        self._lock = RLock()
        self._served: ServedKinds | None = None
        self._warnings = ThreadWarnings()

    def identity(self) -> ClusterIdentity:
        return ClusterIdentity(self._store.about.uid, self._store.about.server, simulated=True)

    def kind(self, api_version: str, kind: str) -> ServedKubernetesKind | None:
        with self._lock:
            return self._serving(self._store.known()).kind(api_version, kind)

    def kinds(self) -> Sequence[ServedKubernetesKind]:
        with self._lock:
            return self._serving(self._store.known()).kinds

    def list(self, places: Sequence[KubernetesListScope], keep: Keep | None = None) -> Listing:
        out: dict[KubernetesListScope, tuple[JsonObject, ...]] = {}
        with self._lock:
            objects = self._store.objects()
            for place in places:
                found = objects.of_kind(api_group_of(place.kind.api_version), place.kind.kind)
                here = (one for one in found if _stands_in(one, place.namespace) and (keep is None or keep(one)))
                out[place] = tuple(_as_version(one, place.kind) for one in here)
        return out

    def get(self, kind: ServedKubernetesKind, namespace: str, name: str) -> JsonObject | None:
        with self._lock:
            identity = _identity(kind, namespace, name)
            found = self._store.known(identity).get(identity)
        return None if found is None else _as_version(found, kind)

    def apply(
        self, kind: ServedKubernetesKind, body: JsonObject, *, force: bool = False, dry_run: bool = False
    ) -> JsonObject:
        identity = snapshot_admission.identity_of_request_body(kind, body)
        if dry_run:
            with self._lock:
                return self._warned(identity, *self._applied(identity, kind, body, self._known(identity), force))
        with self._writing():
            objects = self._known(identity)
            live, after = self._applied(identity, kind, body, objects, force)
            self._warned(identity, live, after)
            return after if after == live else self._stored(live, after, objects)

    def predict(self, kind: ServedKubernetesKind, body: JsonObject, *, manager: str) -> JsonObject:
        identity = snapshot_admission.identity_of_request_body(kind, body)
        with self._lock:
            return self._warned(identity, *self._applied(identity, kind, body, self._known(identity), True, manager))

    def _warned(self, identity: ObjectIdentity, live: JsonObject | None, after: JsonObject) -> JsonObject:
        """The object after a write, its warnings noted."""
        texts = server_warnings(after, live, self._serving(self._store.known()).types)
        self._warnings.add(tuple((str(identity), text) for text in texts))
        return after

    def patch(
        self,
        kind: ServedKubernetesKind,
        namespace: str,
        name: str,
        patch: Sequence[JsonObject],
        *,
        dry_run: bool = False,
    ) -> JsonObject:
        identity = _identity(kind, namespace, name)

        def change(live: JsonObject, types: MergeTypeTable) -> JsonObject:
            new = apply_json_patch(live, patch)
            snapshot_admission.check_preconditions(identity, live, new)
            owners = [entry for entry in new["metadata"].get("managedFields", ()) if entry]  # [{}] takes all away
            base = {**live, "metadata": {**live["metadata"], "managedFields": owners}}
            new = {**new, "metadata": {**new["metadata"], "managedFields": owners}}
            after = merge.merge_plain_update(base, new, manager=OPERATOR_MANAGER, types=types, now=self.now())
            return self._warned(identity, live, after)

        return self.change(identity, change, dry_run=dry_run)

    def delete(
        self,
        kind: ServedKubernetesKind,
        namespace: str,
        name: str,
        *,
        uid: str,
        resource_version: str,
        foreground: bool = False,
    ) -> None:
        self.drop(_identity(kind, namespace, name), uid=uid, resource_version=resource_version)

    def logs(self, namespace: str, pod: str, container: str, *, lines: int, most: int) -> bytes:
        """Nothing: no container ever runs here."""
        return b""

    def exec(self, namespace: str, pod: str, container: str, command: Sequence[str], *, seconds: float) -> EndedCommand:
        """Always raises CommandNotStarted."""
        raise CommandNotStarted("nothing runs in a snapshot", where=f"Pod/{namespace}/{pod}")

    def server_time(self) -> datetime:
        """The time by the clock that writes the objects of this cluster: the one of this machine."""
        return datetime.fromisoformat(self.now())

    def forget(self) -> None:
        """Nothing is remembered: custom kinds are those of the CRDs inside."""

    def drain_warnings(self, about: str = "") -> tuple[str, ...]:
        """What a server would have warned of in calls of this thread."""
        return self._warnings.drain_about(about)

    # --- what only a snapshot can do -----------------------------------------------------------------------------

    def change(
        self,
        identity: ObjectIdentity,
        change: Callable[[JsonObject, MergeTypeTable], JsonObject],
        *,
        dry_run: bool = False,
    ) -> JsonObject:
        """Write an object as some other manager: `change` gets it and the types. Raises NotFound, Invalid."""
        with self._writing():
            objects = self._known(identity)
            live = objects.get(identity)
            if live is None:
                raise NotFound("it does not exist", where=str(identity))
            types = self._serving(objects).types
            after = secret_fingerprints_to_text(change(secret_fingerprints_to_base64(live), types))
            snapshot_admission.check_immutable_fields(identity, live, after, types)
            snapshot_admission.check_mutually_exclusive_fields(identity, after)
            return after if dry_run or after == live else self._stored(live, after, objects)

    def apply_as(self, kind: ServedKubernetesKind, body: JsonObject, *, manager: str) -> JsonObject:
        """Server-side apply as another manager, who takes what it wants. Raises as `apply` does."""
        identity = snapshot_admission.identity_of_request_body(kind, body)
        with self._writing():
            objects = self._known(identity)
            live, after = self._applied(identity, kind, body, objects, True, manager)
            return after if after == live else self._stored(live, after, objects)

    def set_status(self, identity: ObjectIdentity, fields: JsonObject) -> None:
        """Set fields of a status, as the controller of the kind would. Raises NotFound."""

        def change(live: JsonObject, types: MergeTypeTable) -> JsonObject:
            after = {**live, "status": {**(live.get("status") or {}), **fields}}
            return merge.merge_plain_update(
                live, after, manager=simulated_controllers.SIMULATED, types=types, now=self.now(), subresource="status"
            )

        self.change(identity, change)

    def holds(self, identity: ObjectIdentity) -> bool:
        """Whether the object exists."""
        with self._lock:
            return identity in self._store.known(identity)

    def add(self, document: JsonObject, *, manager: str) -> JsonObject:
        """Create an object as some other manager, as a plain POST would. Raises Invalid, NamespaceMissing."""
        identity = identity_of_document(document)
        with self._writing():
            objects = self._known(identity)
            if identity in objects:
                raise AlreadyExists("it exists already", where=str(identity))
            types = self._serving(objects).types
            snapshot_admission.check_namespace_exists(identity, objects)
            snapshot_admission.check_field_types(identity, secret_fingerprints_to_base64(document), types)
            made = merge.merge_plain_update(
                None, secret_fingerprints_to_base64(document), manager=manager, types=types, now=self.now()
            )
            snapshot_admission.validate_object_to_store(identity, made, types, None)
            made = with_service_addresses(made, objects.of_kind("", "Service"))
            return self._stored(None, secret_fingerprints_to_text(made), objects)

    def drop(self, identity: ObjectIdentity, *, uid: str = "", resource_version: str = "") -> None:
        """Delete an object and what depends on it. An object that is gone already is no error."""
        with self._writing():
            objects = self._known(identity)
            if live := objects.get(identity):
                snapshot_admission.check_delete_allowed(identity, live, uid, resource_version)
                self._cascade(
                    identity,
                    self._store.objects() if simulated_controllers.is_namespace_or_crd(identity) else objects,
                    set(),
                )

    def _cascade(self, identity: ObjectIdentity, objects: SnapshotObjects, to_delete: set[ObjectIdentity]) -> None:
        """Content first, the object itself last: a kill in between leaves what a deletion under way looks like."""
        to_delete.add(identity)
        for other in sorted(simulated_controllers.objects_deleted_along_with(identity, objects, to_delete)):
            if other not in to_delete:
                self._cascade(other, objects, to_delete)
        self._store.drop(identity)

    def _applied(
        self,
        identity: ObjectIdentity,
        kind: ServedKubernetesKind,
        body: JsonObject,
        objects: SnapshotObjects,
        force: bool,
        manager: str = FIELD_MANAGER,
    ) -> tuple[JsonObject | None, JsonObject]:
        """The object before and after an apply, all checks passed; nothing is stored."""
        served = self._serving(objects)
        types = served.types
        if served.kind(kind.api_version, kind.kind) != kind:
            raise NotServed("the cluster does not serve this kind", where=str(identity), remedy="install its CRD first")
        found = objects.get(identity)
        live = None if found is None else _as_version(found, kind)
        snapshot_admission.check_preconditions(identity, live, body)
        snapshot_admission.check_namespace_exists(identity, objects)
        metadata = {k: v for k, v in body["metadata"].items() if k not in ("uid", "resourceVersion")}
        desired = secret_fingerprints_to_base64({**body, "metadata": metadata})
        snapshot_admission.check_field_types(identity, desired, types)
        before = None if live is None else secret_fingerprints_to_base64(live)
        merged = merge.merge_server_side_apply(
            before, desired, manager=manager, types=types, force=force, now=self.now()
        )
        snapshot_admission.check_apply_conflicts(identity, merged, force)
        snapshot_admission.validate_object_to_store(identity, merged.object, types, before)
        after = secret_fingerprints_to_text(merged.object)
        if live is None:
            return None, with_service_addresses(after, objects.of_kind("", "Service"))  # in a dry run too
        snapshot_admission.check_immutable_fields(identity, live, after, types)
        snapshot_admission.check_mutually_exclusive_fields(identity, after)
        return live, after

    def _stored(self, live: JsonObject | None, after: JsonObject, objects: SnapshotObjects) -> JsonObject:
        """Count versions, let the controllers do their part, and store the object in one step."""
        now = self.now()
        old: JsonObject = live["metadata"] if live else {"uid": str(uuid.uuid4()), "creationTimestamp": now}
        metadata = {
            **after["metadata"],
            "uid": old["uid"],
            "creationTimestamp": old.get("creationTimestamp", now),
            "resourceVersion": self._store.next_version(),
        }
        document = {**after, "metadata": metadata}
        if "spec" in document:
            moved = live is not None and _intent(live) != _intent(after)
            metadata["generation"] = int(old.get("generation", 1 if live else 0)) + (live is None or moved)
        status = simulated_controllers.simulated_status(document, now)
        if status is not None and status != document.get("status"):
            types = self._serving(objects).types
            document = merge.merge_plain_update(
                document,
                {**document, "status": status},
                manager=simulated_controllers.SIMULATED,
                types=types,
                now=now,
                subresource="status",
            )
        if (left := simulated_controllers.without_finished_operation(document)) != document:
            types = self._serving(objects).types
            document = merge.merge_plain_update(
                document, left, manager=simulated_controllers.SIMULATED, types=types, now=now
            )
        self._store.put(document)
        return document

    def _known(self, identity: ObjectIdentity) -> SnapshotObjects:
        """All objects, of which this one and its namespace are fresh."""
        return self._store.known(identity, ObjectIdentity("", "Namespace", "", identity.namespace))

    def _serving(self, objects: SnapshotObjects) -> ServedKinds:
        self._served = served_kinds_of_crds(objects.of_kind(*_CRD), self._served)
        return self._served

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, self._store.writing():
            yield


def _identity(kind: ServedKubernetesKind, namespace: str, name: str) -> ObjectIdentity:
    return ObjectIdentity(api_group_of(kind.api_version), kind.kind, namespace if kind.namespaced else "", name)


def _stands_in(document: JsonObject, namespace: str) -> bool:
    return not namespace or document["metadata"].get("namespace") == namespace


def _as_version(document: JsonObject, kind: ServedKubernetesKind) -> JsonObject:
    """The object in the version that was asked for. Only the name of the version is converted."""
    if document.get("apiVersion") == kind.api_version:
        return document
    return {**document, "apiVersion": kind.api_version}


def _intent(document: JsonObject) -> JsonObject:
    """What a change of which makes a new generation."""
    return {key: value for key, value in document.items() if key not in ("metadata", "status")}
