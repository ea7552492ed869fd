"""`Cluster` answered by a snapshot: the merge rules of server-side apply over a folder that a person can read and edit.

Owns versions, uids and generations, and the order of checks. Plays no webhook and runs no pod: see admission.py and
controllers.py for what is refused and what is made ready at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from planner.plan import ClusterIdentity
from planner.values import JsonObject
from providers.kubernetes.cluster import FIELD_MANAGER, OPERATOR_MANAGER, Executed, KindInfo, Listing, Place
from providers.kubernetes.errors import AlreadyExists, CommandNotStarted, NotFound, NotServed
from providers.kubernetes.snapshot import admission, controllers
from providers.kubernetes.snapshot.jsonpatch import patched
from providers.kubernetes.snapshot.kinds import builtin_kinds, custom_kinds
from providers.kubernetes.snapshot.layout import Identity, group, identity_of
from providers.kubernetes.snapshot.store import Store, open_store
from providers.kubernetes.snapshot.veil import to_base64, to_text
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.schema import TypeTable

_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


def utc_now() -> str:
    """The time as managedFields holds it: RFC 3339 UTC, seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def open_snapshot(path: Path, *, now: Callable[[], str] = utc_now) -> SnapshotCluster:
    """The snapshot at `path` (see store.open_store). Raises PermanentError when there is none."""
    return SnapshotCluster(open_store(path), now=now)


class SnapshotCluster:
    """A saved or made-up cluster. Safe for many threads, and for other processes that write the same folder."""

    simulated = True

    def __init__(self, store: Store, *, now: Callable[[], str] = utc_now) -> None:
        self._store = store
        self.now = now
        self._lock = RLock()
        self._custom: tuple[tuple[JsonObject, ...], tuple[KindInfo, ...], TypeTable] | None = None

    def identity(self) -> ClusterIdentity:
        return ClusterIdentity(self._store.about.uid, self._store.about.server, simulated=True)

    def kind(self, api_version: str, kind: str) -> KindInfo | None:
        return next((info for info in self.kinds() if (info.api_version, info.kind) == (api_version, kind)), None)

    def kinds(self) -> Sequence[KindInfo]:
        with self._lock:
            custom, _ = self._custom_types(self._store.known())
        return (*builtin_kinds(), *custom)

    def list(self, places: Sequence[Place]) -> Listing:
        by_kind: dict[tuple[str, str], list[tuple[str, JsonObject]]] = {}
        with self._lock:
            for identity, document in self._store.objects().items():
                by_kind.setdefault(identity[:2], []).append((identity.namespace, document))
        out: dict[Place, tuple[JsonObject, ...]] = {}
        for place in places:
            found = by_kind.get((group(place.kind.api_version), place.kind.kind), ())
            wanted = (doc for namespace, doc in found if not place.namespace or namespace == place.namespace)
            out[place] = tuple(_as_version(document, place.kind) for document in wanted)
        return out

    def get(self, kind: KindInfo, namespace: str, name: str) -> JsonObject | None:
        with self._lock:
            identity = _identity(kind, namespace, name)
            found = self._store.known(identity).get(identity)
        return None if found is None else _as_version(found, kind)

    def apply(self, kind: KindInfo, body: JsonObject, *, force: bool = False, dry_run: bool = False) -> JsonObject:
        identity = admission.identify(kind, body)
        if dry_run:
            with self._lock:
                return self._applied(identity, kind, body, self._known(identity), force)[1]
        with self._writing():
            objects = self._known(identity)
            live, after = self._applied(identity, kind, body, objects, force)
            return after if after == live else self._stored(live, after, objects)

    def patch(self, kind: KindInfo, namespace: str, name: str, patch: Sequence[JsonObject]) -> JsonObject:
        identity = _identity(kind, namespace, name)

        def change(live: JsonObject, types: TypeTable) -> JsonObject:
            new = patched(live, patch)
            admission.check_preconditions(identity, live, new)
            base = {**live, "metadata": {**live["metadata"], "managedFields": new["metadata"].get("managedFields", [])}}
            return merge.update(base, new, manager=OPERATOR_MANAGER, types=types, now=self.now())

        return self.change(identity, change)

    def delete(self, kind: KindInfo, namespace: str, name: str, *, uid: str, resource_version: str) -> None:
        self.drop(_identity(kind, namespace, name), uid=uid, resource_version=resource_version)

    def exec(self, namespace: str, pod: str, container: str, command: Sequence[str], *, seconds: float) -> Executed:
        """Always raises CommandNotStarted."""
        raise CommandNotStarted("nothing runs in a snapshot", where=f"Pod/{namespace}/{pod}")

    def forget(self) -> None:
        """Nothing is remembered: custom kinds are those of the CRDs inside."""

    # --- what only a snapshot can do -----------------------------------------------------------------------------

    def change(self, identity: Identity, change: Callable[[JsonObject, TypeTable], JsonObject]) -> JsonObject:
        """Write an object as some other manager: `change` gets it and the types. Raises NotFound, Invalid."""
        with self._writing():
            objects = self._known(identity)
            live = objects.get(identity)
            if live is None:
                raise NotFound("it does not exist", where=str(identity))
            _, types = self._custom_types(objects)
            after = to_text(change(to_base64(live), types))
            admission.check_immutable(identity, live, after, types)
            return after if after == live else self._stored(live, after, objects)

    def holds(self, identity: Identity) -> bool:
        """Whether the object exists."""
        with self._lock:
            return identity in self._store.objects()

    def add(self, document: JsonObject, *, manager: str) -> JsonObject:
        """Create an object as some other manager, as a plain POST would. Raises Invalid, NamespaceMissing."""
        identity = identity_of(document)
        with self._writing():
            objects = self._known(identity)
            if identity in objects:
                raise AlreadyExists("it exists already", where=str(identity))
            _, types = self._custom_types(objects)
            admission.check_namespace(identity, objects)
            admission.check_document(identity, to_base64(document), types)
            made = merge.update(None, to_base64(document), manager=manager, types=types, now=self.now())
            return self._stored(None, to_text(made), objects)

    def drop(self, identity: Identity, *, uid: str = "", resource_version: str = "") -> None:
        """Delete an object and what depends on it. An object that is gone already is no error."""
        with self._writing():
            objects = dict(self._store.objects())
            if live := objects.get(identity):
                admission.check_delete(identity, live, uid, resource_version)
                self._cascade(identity, objects)

    def _cascade(self, identity: Identity, objects: dict[Identity, JsonObject]) -> None:
        """Content first, the object itself last: a kill in between leaves what a deletion under way looks like."""
        document = objects.pop(identity)
        for other in sorted(controllers.dependants(identity, document, objects)):
            if other in objects:
                self._cascade(other, objects)
        self._store.drop(identity)

    def _applied(
        self, identity: Identity, kind: KindInfo, body: JsonObject, objects: Mapping[Identity, JsonObject], force: bool
    ) -> tuple[JsonObject | None, JsonObject]:
        """The object before and after an apply, all checks passed; nothing is stored."""
        custom, types = self._custom_types(objects)
        if kind not in custom and kind not in builtin_kinds():
            raise NotServed("the cluster does not serve this kind", where=str(identity), remedy="install its CRD first")
        found = objects.get(identity)
        live = None if found is None else _as_version(found, kind)
        admission.check_preconditions(identity, live, body)
        admission.check_namespace(identity, objects)
        metadata = {k: v for k, v in body["metadata"].items() if k not in ("uid", "resourceVersion")}
        desired = to_base64({**body, "metadata": metadata})
        admission.check_document(identity, desired, types)
        before = None if live is None else to_base64(live)
        merged = merge.apply(before, desired, manager=FIELD_MANAGER, types=types, force=force, now=self.now())
        admission.check_conflicts(identity, merged, force)
        after = to_text(merged.object)
        if live is not None:
            admission.check_immutable(identity, live, after, types)
        return live, after

    def _stored(self, live: JsonObject | None, after: JsonObject, objects: Mapping[Identity, JsonObject]) -> JsonObject:
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
        if live is None:
            document = controllers.allocated(document)
        status = controllers.status_of(document, now)
        if status is not None and status != document.get("status"):
            _, types = self._custom_types(objects)
            document = merge.update(
                document,
                {**document, "status": status},
                manager=controllers.SIMULATED,
                types=types,
                now=now,
                subresource="status",
            )
        self._store.put(document)
        return document

    def _known(self, identity: Identity) -> Mapping[Identity, JsonObject]:
        """All objects, of which this one and its namespace are fresh."""
        return self._store.known(identity, Identity("", "Namespace", "", identity.namespace))

    def _custom_types(self, objects: Mapping[Identity, JsonObject]) -> tuple[tuple[KindInfo, ...], TypeTable]:
        crds = tuple(document for identity, document in objects.items() if identity[:2] == _CRD)
        known = self._custom
        if known is None or len(known[0]) != len(crds) or any(a is not b for a, b in zip(known[0], crds, strict=True)):
            builtin = TypeTable.builtin()
            known = (crds, custom_kinds(crds), builtin.with_crds(crds) if crds else builtin)
            self._custom = known
        return known[1], known[2]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, self._store.writing():
            yield


def _identity(kind: KindInfo, namespace: str, name: str) -> Identity:
    return Identity(group(kind.api_version), kind.kind, namespace if kind.namespaced else "", name)


def _as_version(document: JsonObject, kind: KindInfo) -> JsonObject:
    """The object in the version that was asked for. Only the name of the version is converted."""
    if document.get("apiVersion") == kind.api_version:
        return document
    return {**document, "apiVersion": kind.api_version}


def _intent(document: JsonObject) -> JsonObject:
    """What a change of which makes a new generation."""
    return {key: value for key, value in document.items() if key not in ("metadata", "status")}
