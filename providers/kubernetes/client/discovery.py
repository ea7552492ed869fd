"""Which kinds a server serves. Aggregated discovery (two requests), or the old way, group by group, where it must.

Keeps the table for the life of the process. Knows nothing of objects; a CRD can be determined to it (`learn`), because
discovery lags behind a CRD that was applied a moment ago while its objects can be applied at once.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from planner.dataclass import dataclass
from planner.values import Json, JsonObject
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.answer_shape import parse_answer_document, raise_unrecognized_server_answer
from providers.kubernetes.client.api_exchange import ApiRequest
from providers.kubernetes.client.transport import Transport
from providers.kubernetes.errors import ServerBusy

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
class DiscoveredKinds:
    """What one reading of discovery found. `stale` are group versions whose server did not answer."""

    kinds: tuple[ServedKubernetesKind, ...]
    stale: frozenset[str] = frozenset()


class Discovery:
    """Reads which kinds one API server serves, when first asked for, and keeps them."""

    def __init__(self, transport: Transport, parallel: Callable[..., list[DiscoveredKinds]]) -> None:
        self._transport = transport
        self._parallel = parallel
        self._lock = threading.Lock()
        self._table: DiscoveredKinds | None = None
        self._known: dict[_Key, ServedKubernetesKind] = {}
        self._learnt: dict[_Key, tuple[ServedKubernetesKind, float]] = {}
        self._forgotten = False

    def kind(self, api_version: str, kind: str) -> ServedKubernetesKind | None:
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

    def kinds(self) -> Sequence[ServedKubernetesKind]:
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

    def is_young(self, info: ServedKubernetesKind) -> bool:
        """Whether the kind's CRD was applied so recently that the server may still answer "not found" for it."""
        _, since = self._learnt.get((info.api_version, info.kind), (None, -_YOUNG_SECONDS))
        return time.monotonic() - since < _YOUNG_SECONDS

    def _find(self, key: _Key) -> ServedKubernetesKind | None:
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


def kinds_of_crd(crd: JsonObject) -> tuple[ServedKubernetesKind, ...]:
    """The kinds that a CustomResourceDefinition (apiextensions.k8s.io/v1) makes the server serve."""
    spec = _map(crd, "spec")
    names, group = _map(spec, "names"), str(spec.get("group", ""))
    return tuple(
        ServedKubernetesKind(
            f"{group}/{version.get('name')}", str(names.get("kind")), str(names.get("plural")), scoped, _CRD_VERBS
        )
        for version in _maps(spec, "versions")
        for scoped in [spec.get("scope") == "Namespaced"]
        if version.get("served")
    )


# --- reading -------------------------------------------------------------------------------------------------------


def _fetch(transport: Transport, parallel: Callable[..., list[DiscoveredKinds]]) -> DiscoveredKinds:
    core, groups = parallel(lambda path: _root(transport, path, parallel), ("/api", "/apis"))
    return DiscoveredKinds(core.kinds + groups.kinds, core.stale | groups.stale)


def _root(transport: Transport, path: str, parallel: Callable[..., list[DiscoveredKinds]]) -> DiscoveredKinds:
    document = _get(transport, path)
    if document.get("kind") == "APIGroupDiscoveryList":
        return parse_aggregated_discovery(document)
    versions = [f"{path}/{version}" for version in _versions(document, path)]
    tables = parallel(lambda one: _group_version(transport, one), versions)
    return DiscoveredKinds(tuple(k for t in tables for k in t.kinds), frozenset().union(*(t.stale for t in tables)))


def _get(transport: Transport, path: str) -> JsonObject:
    answer = transport.send(ApiRequest("GET", path, accept=ACCEPT, where="discovery"))
    return parse_answer_document(answer.body, "discovery")


def parse_aggregated_discovery(document: JsonObject) -> DiscoveredKinds:
    """The kinds of an APIGroupDiscoveryList (v2 or v2beta1). Raises UnrecognizedServerAnswer where it is none."""
    kinds: list[ServedKubernetesKind] = []
    stale: set[str] = set()
    _check_there(document, "items")
    for group in _maps(document, "items"):
        name = str(_map(group, "metadata").get("name") or "")
        for version in _maps(group, "versions"):
            api_version = f"{name}/{version.get('version')}" if name else str(version.get("version"))
            kinds += _resources(api_version, _maps(version, "resources"))
            if version.get("freshness") == "Stale":
                stale.add(api_version)
    return DiscoveredKinds(tuple(kinds), frozenset(stale))


def _resources(api_version: str, resources: Sequence[JsonObject]) -> Iterator[ServedKubernetesKind]:
    for resource in resources:
        if kind := _map(resource, "responseKind").get("kind"):
            namespaced = resource.get("scope") == "Namespaced"
            yield _kind_info(api_version, kind, resource.get("resource"), namespaced, resource.get("verbs"))


def _versions(document: JsonObject, path: str) -> list[str]:
    """Group versions of an APIVersions (`/api`) or APIGroupList (`/apis`), preferred versions first."""
    if path == "/api":
        _check_there(document, "versions")
        versions = document["versions"]
        found = [str(version) for version in versions] if isinstance(versions, list) else ["/"]
    else:
        found = []
        _check_there(document, "groups")
        for group in _maps(document, "groups"):
            _check_there(group, "versions")
            preferred = str(_map(group, "preferredVersion").get("groupVersion") or "")
            others = [str(version.get("groupVersion")) for version in _maps(group, "versions")]
            found += [preferred] * bool(preferred) + [version for version in others if version != preferred]
    if len(found) > _MOST_VERSIONS or not all(_API_VERSION.fullmatch(one) for one in found):
        raise_unrecognized_server_answer("group versions that are none, or too many", "discovery")
    return found


def _group_version(transport: Transport, path: str) -> DiscoveredKinds:
    api_version = path.removeprefix("/apis/").removeprefix("/api/")
    try:
        document = _get(transport, path)
    except ServerBusy:
        return DiscoveredKinds((), frozenset({api_version}))
    _check_there(document, "resources")
    found = (item for item in _maps(document, "resources") if "/" not in str(item.get("name")))
    return DiscoveredKinds(tuple(_served(api_version, item) for item in found))


def _served(api_version: str, item: JsonObject) -> ServedKubernetesKind:
    namespaced = item.get("namespaced") is True
    return _kind_info(api_version, item.get("kind"), item.get("name"), namespaced, item.get("verbs"))


def _kind_info(api_version: str, kind: Json, plural: Json, namespaced: bool, verbs: Json) -> ServedKubernetesKind:
    """Names become parts of paths: one that is none is refused."""
    given = ((_API_VERSION, api_version), (_KIND, kind), (_PLURAL, plural))
    verbs = [] if verbs is None else verbs
    if not all(isinstance(text, str) and pattern.fullmatch(text) for pattern, text in given):
        raise_unrecognized_server_answer("a kind without a proper name", "discovery")
    if not isinstance(verbs, list) or not all(isinstance(verb, str) for verb in verbs):
        raise_unrecognized_server_answer("a kind whose verbs are no list of texts", "discovery")
    return ServedKubernetesKind(api_version, kind, plural, namespaced, frozenset(verbs))


def _check_there(document: JsonObject, key: str) -> None:
    """A server always writes these lists, empty ones as `[]`: without one nothing is known about what it serves."""
    if document.get(key) is None:
        raise_unrecognized_server_answer(f"a discovery document without {key}", "discovery")


def _maps(document: JsonObject, key: str) -> list[JsonObject]:
    found = document.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise_unrecognized_server_answer(f"{key} that are no list of maps", "discovery")
    return found


def _map(document: JsonObject, key: str) -> JsonObject:
    found = document.get(key)
    if found is not None and not isinstance(found, dict):
        raise_unrecognized_server_answer(f"{key} that is no map", "discovery")
    return found or {}


_MOST_VERSIONS = 2000
_API_VERSION = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]{0,252}")
_PLURAL = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
