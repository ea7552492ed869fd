"""Which kinds a server serves. Aggregated discovery (two requests), or the old way, group by group, where it must.

Keeps the table for the life of the process. Knows nothing of objects; a CRD can be told to it (`learn`), because
discovery lags behind a CRD that was applied a moment ago while its objects can be applied at once.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from planner.values import JsonObject
from providers.kubernetes.cluster import KindInfo
from providers.kubernetes.errors import ServerBusy, ServerFault
from providers.kubernetes.transport import Transport
from providers.kubernetes.wire import Request

ACCEPT = ",".join(
    [
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        "application/json",
    ]
)
_YOUNG_SECONDS = 30.0
_CRD_VERBS = frozenset({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"})
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """What one reading of discovery found. `stale` are group versions whose server did not answer."""

    kinds: tuple[KindInfo, ...]
    stale: frozenset[str] = frozenset()


class Discovery:
    """The kinds of one server, read when first asked for."""

    def __init__(self, transport: Transport, parallel: Callable[..., list[Table]]) -> None:
        self._transport = transport
        self._parallel = parallel
        self._lock = threading.Lock()
        self._table: Table | None = None
        self._known: dict[_Key, KindInfo] = {}
        self._learnt: dict[_Key, tuple[KindInfo, float]] = {}
        self._forgotten = False

    def kind(self, api_version: str, kind: str) -> KindInfo | None:
        """The served kind, or None. An unknown kind makes it read again, at most once after each `forget`.

        Raises ServerBusy when the group is served by an aggregated server that does not answer: it may be served.
        """
        key = (api_version, kind)
        with self._lock:
            self._read(again=False)
            found = self._find(key)
            if found is None and self._forgotten:
                self._read(again=True)
                found = self._find(key)
            stale = self._table is not None and api_version in self._table.stale
        if found is None and stale:
            raise ServerBusy(f"the server of the API group {api_version} does not answer", where=kind)
        return found

    def kinds(self) -> Sequence[KindInfo]:
        """Every served kind, preferred versions first, then what was learnt."""
        with self._lock:
            self._read(again=self._forgotten)
            assert self._table is not None
            return (
                *self._table.kinds,
                *(info for key, (info, _) in sorted(self._learnt.items()) if key not in self._known),
            )

    def forget(self) -> None:
        """Read again when an unknown kind is asked for."""
        with self._lock:
            self._forgotten = True

    def learn(self, crd: JsonObject) -> None:
        """Take the kinds of a CustomResourceDefinition that was just applied."""
        now = time.monotonic()
        with self._lock:
            for info in kinds_of_crd(crd):
                self._learnt[info.api_version, info.kind] = (info, now)

    def unlearn(self, crd_name: str) -> None:
        """Drop the kinds of a CustomResourceDefinition (`plural.group`) that is being deleted."""
        with self._lock:
            for table in (self._learnt, self._known):
                for key in [key for key in table if f"{self._plural(key)}.{key[0].partition('/')[0]}" == crd_name]:
                    del table[key]
            self._forgotten = True

    def _plural(self, key: _Key) -> str:
        found = self._find(key)
        return found.plural if found else ""

    def is_young(self, info: KindInfo) -> bool:
        """Whether the kind's CRD was applied so recently that the server may still answer "not found" for it."""
        _, since = self._learnt.get((info.api_version, info.kind), (None, -_YOUNG_SECONDS))
        return time.monotonic() - since < _YOUNG_SECONDS

    def _find(self, key: _Key) -> KindInfo | None:
        learnt = self._learnt.get(key)
        return self._known.get(key) or (learnt[0] if learnt else None)

    def _read(self, *, again: bool) -> None:
        if self._table is not None and not again:
            return
        self._table = _fetch(self._transport, self._parallel)
        self._forgotten = False
        self._known = {}
        for info in self._table.kinds:
            self._known.setdefault((info.api_version, info.kind), info)


def kinds_of_crd(crd: JsonObject) -> tuple[KindInfo, ...]:
    """The kinds that a CustomResourceDefinition (apiextensions.k8s.io/v1) makes the server serve."""
    spec = crd.get("spec") or {}
    names, group = spec.get("names") or {}, str(spec.get("group", ""))
    return tuple(
        KindInfo(f"{group}/{version.get('name')}", str(names.get("kind")), str(names.get("plural")), scoped, _CRD_VERBS)
        for version in spec.get("versions") or ()
        for scoped in [spec.get("scope") == "Namespaced"]
        if version.get("served")
    )


# --- reading -------------------------------------------------------------------------------------------------------


def _fetch(transport: Transport, parallel: Callable[..., list[Table]]) -> Table:
    core, groups = parallel(lambda path: _root(transport, path, parallel), ("/api", "/apis"))
    return Table(core.kinds + groups.kinds, core.stale | groups.stale)


def _root(transport: Transport, path: str, parallel: Callable[..., list[Table]]) -> Table:
    document = _get(transport, path)
    if document.get("kind") == "APIGroupDiscoveryList":
        return read_aggregated(document)
    versions = [f"{path}/{version}" for version in _versions(document)]
    tables = parallel(lambda one: _group_version(transport, one), versions)
    return Table(tuple(k for t in tables for k in t.kinds), frozenset().union(*(t.stale for t in tables)))


def _get(transport: Transport, path: str) -> JsonObject:
    answer = transport.send(Request("GET", path, accept=ACCEPT, where="discovery"))
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ServerFault("this does not answer like a Kubernetes API server", where="discovery")
    return document


def read_aggregated(document: JsonObject) -> Table:
    """The kinds of an APIGroupDiscoveryList (v2 or v2beta1)."""
    kinds: list[KindInfo] = []
    stale: set[str] = set()
    for group in document.get("items") or ():
        name = str((group.get("metadata") or {}).get("name") or "")
        for version in group.get("versions") or ():
            api_version = f"{name}/{version.get('version')}" if name else str(version.get("version"))
            kinds += _resources(api_version, version.get("resources") or ())
            if version.get("freshness") == "Stale":
                stale.add(api_version)
    return Table(tuple(kinds), frozenset(stale))


def _resources(api_version: str, resources: Sequence[JsonObject]) -> Iterator[KindInfo]:
    for resource in resources:
        kind = str((resource.get("responseKind") or {}).get("kind") or "")
        if kind:
            verbs = frozenset(resource.get("verbs") or ())
            yield KindInfo(api_version, kind, str(resource["resource"]), resource.get("scope") == "Namespaced", verbs)


def _versions(document: Mapping[str, object]) -> list[str]:
    """Group versions of an APIVersions (`/api`) or APIGroupList (`/apis`), preferred versions first."""
    if isinstance(document.get("versions"), list):
        return [str(version) for version in document["versions"]]  # type: ignore[attr-defined]
    found: list[str] = []
    for group in document.get("groups") or ():  # type: ignore[attr-defined]
        preferred = str((group.get("preferredVersion") or {}).get("groupVersion") or "")
        others = [str(version.get("groupVersion")) for version in group.get("versions") or ()]
        found += [preferred] * bool(preferred) + [version for version in others if version != preferred]
    return found


def _group_version(transport: Transport, path: str) -> Table:
    api_version = path.removeprefix("/apis/").removeprefix("/api/")
    try:
        document = _get(transport, path)
    except ServerBusy:
        return Table((), frozenset({api_version}))
    return Table(
        tuple(
            KindInfo(
                api_version,
                str(item["kind"]),
                str(item["name"]),
                item.get("namespaced") is True,
                frozenset(item["verbs"]),
            )
            for item in document.get("resources") or ()
            if "/" not in str(item.get("name"))
        )
    )
