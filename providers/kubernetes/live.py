"""A cluster answered by a real API server: the `Cluster` protocol over one transport.

Owns paths, queries and documents of the Kubernetes API: paging, server-side apply, preconditions, discovery. Keeps no
copy of any object. Every failure is an error of providers.kubernetes.errors; nothing here prints or decides.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Sequence
from typing import Final, TypeAlias

from planner.address import Address, group_of
from planner.errors import ProviderError
from planner.plan import ClusterIdentity
from planner.values import JsonObject
from providers.kubernetes.cluster import FIELD_MANAGER, OPERATOR_MANAGER, Executed, KindInfo, Listing, Place
from providers.kubernetes.discovery import Discovery
from providers.kubernetes.errors import (
    BadRequest,
    ContinueExpired,
    Invalid,
    NotFound,
    NotServed,
    ResourceVersionConflict,
    ServerFault,
)
from providers.kubernetes.kubeconfig import Connection
from providers.kubernetes.parallel import Parallel
from providers.kubernetes.transport import Stats, Transport
from providers.kubernetes.wire import Request
from providers.kubernetes.wire_reading import Answer

PAGE: Final = 500
_RESTARTS = 3
_YOUNG_TRIES = 40
_YOUNG_PAUSE = 0.25
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
Objects: TypeAlias = list[JsonObject]
_POD = KindInfo("v1", "Pod", "pods", True)
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


class LiveCluster:
    """`Cluster` for a live API server. Methods may be called from many threads."""

    def __init__(self, connection: Connection, *, parallelism: int = 16, transport: Transport | None = None) -> None:
        self._connection = connection
        self._transport = transport or Transport(connection, parallelism=parallelism)
        self._parallel = Parallel(parallelism)
        self._discovery = Discovery(self._transport, self._parallel.map)
        self._identity: ClusterIdentity | None = None
        self._warnings = _Warnings()

    @property
    def simulated(self) -> bool:
        """False: what this cluster answers was verified by a server."""
        return False

    @property
    def stats(self) -> Stats:
        """Requests, retries, connections and bytes so far."""
        return self._transport.stats

    def identity(self) -> ClusterIdentity:
        """Uid of kube-system and `host:port` of the server. Read once."""
        if self._identity is None:
            found = self.get(KindInfo("v1", "Namespace", "namespaces", False), "", "kube-system")
            if found is None:
                raise ServerFault("it has no namespace kube-system: is this a cluster?", where=self._connection.host)
            self._identity = ClusterIdentity(uid=str(found["metadata"]["uid"]), server=self._connection.host)
        return self._identity

    # --- kinds -----------------------------------------------------------------------------------------------------

    def kind(self, api_version: str, kind: str) -> KindInfo | None:
        """The served kind, or None when the cluster does not serve it."""
        return self._discovery.kind(api_version, kind)

    def kinds(self) -> Sequence[KindInfo]:
        """Every served kind, preferred versions first."""
        return self._discovery.kinds()

    def forget(self) -> None:
        """Read discovery again when an unknown kind is asked for."""
        self._discovery.forget()

    def learn(self, crd: JsonObject) -> None:
        """Know the kinds of this CustomResourceDefinition at once. `apply` does it by itself for what it applies."""
        self._discovery.learn(crd)

    # --- reading ---------------------------------------------------------------------------------------------------

    def list(self, places: Sequence[Place]) -> Listing:
        """All objects of all places, in parallel, paged; apiVersion and kind are filled in on every item.

        A place that cannot be read whole maps to its error, never to a part of its objects.
        """
        unique = tuple(dict.fromkeys(places))
        results = self._parallel.map(self._list_or_error, unique)
        for _, warnings in results:
            self._warnings.add(warnings)
        return {place: found for place, (found, _) in zip(unique, results, strict=True)}

    def _list_or_error(self, place: Place) -> tuple[tuple[JsonObject, ...] | ProviderError, tuple[str, ...]]:
        try:
            for _ in range(_RESTARTS):
                try:
                    return self._list(place), self._warnings.drain()
                except ContinueExpired as error:
                    expired = error
            return expired, self._warnings.drain()
        except ProviderError as error:
            return error, self._warnings.drain()

    def _list(self, place: Place) -> tuple[JsonObject, ...]:
        """One place, all pages. Raises ContinueExpired when the list has to start again."""
        info, token = place.kind, ""
        found: Objects = []
        path, where = _collection(info, place.namespace), _where(info, place.namespace, "*")
        while True:
            query = f"?limit={PAGE}" + (f"&continue={urllib.parse.quote(token, safe='')}" if token else "")
            page = self._document(self._call(info, Request("GET", path + query, where=where)), where)
            items = page.get("items") or ()
            for item in items:
                item["apiVersion"], item["kind"] = info.api_version, info.kind
            found.extend(items)
            token = str((page.get("metadata") or {}).get("continue") or "")
            if not token:
                return tuple(found)

    def get(self, kind: KindInfo, namespace: str, name: str) -> JsonObject | None:
        """One object, or None when it does not exist. Raises NotServed when its kind does not."""
        where = _where(kind, namespace, name)
        try:
            answer = self._call(kind, Request("GET", _object(kind, namespace, name), where=where))
        except NotFound:
            return None
        return self._document(answer, where)

    # --- writing ---------------------------------------------------------------------------------------------------

    def apply(self, kind: KindInfo, body: JsonObject, *, force: bool = False, dry_run: bool = False) -> JsonObject:
        """Server-side apply as FIELD_MANAGER with strict field validation; the object as it stands afterwards.

        Sent again after a lost answer, because applying twice is applying once; when preconditions in the body then
        fail, the first one may have succeeded, and OutcomeUnknown says so. What a CRD serves is learnt from the answer.
        """
        metadata = body.get("metadata") or {}
        namespace, name = str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
        where = _where(kind, namespace, name)
        query = f"?fieldManager={FIELD_MANAGER}&fieldValidation=Strict"
        query += "&force=true" * force + "&dryRun=All" * dry_run
        request = Request(
            "PATCH",
            _object(kind, namespace, name) + query,
            _bytes(body, where),
            "application/apply-patch+yaml",
            where=where,
            effect=not dry_run,
        )
        found = self._document(self._call(kind, request), where)
        if (group_of(kind.api_version), kind.kind) == _CRD and not dry_run:
            self._discovery.learn(found)
        return found

    def patch(self, kind: KindInfo, namespace: str, name: str, patch: Sequence[JsonObject]) -> JsonObject:
        """A JSON patch as OPERATOR_MANAGER. A `test` that fails is a ResourceVersionConflict.

        Sent again after a lost answer only when it names the resourceVersion that it expects.
        """
        where = _where(kind, namespace, name)
        bound = any(step.get("path") == "/metadata/resourceVersion" for step in patch)
        request = Request(
            "PATCH",
            _object(kind, namespace, name) + f"?fieldManager={OPERATOR_MANAGER}&fieldValidation=Strict",
            _bytes(list(patch), where),
            "application/json-patch+json",
            where=where,
            effect=True,
            repeatable=bound,
        )
        try:
            return self._document(self._call(kind, request), where)
        except Invalid as error:
            if not error.causes and any(step.get("op") == "test" for step in patch):
                message = "it is not in the state that the patch expects"
                raise ResourceVersionConflict(message, where=where, remedy="plan again") from None
            raise

    def delete(self, kind: KindInfo, namespace: str, name: str, *, uid: str, resource_version: str) -> None:
        """Delete in the background with both preconditions (an empty one is left out). Gone already is no error."""
        where = _where(kind, namespace, name)
        wanted = {"uid": uid, "resourceVersion": resource_version}
        options: JsonObject = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {key: value for key, value in wanted.items() if value},
        }
        path = _object(kind, namespace, name)
        request = Request("DELETE", path, _bytes(options, where), where=where, effect=True, repeatable=bool(uid))
        with contextlib.suppress(NotFound, NotServed):
            self._call(kind, request)
        if (group_of(kind.api_version), kind.kind) == _CRD:
            self._discovery.unlearn(name)

    def exec(self, namespace: str, pod: str, container: str, command: Sequence[str], *, seconds: float) -> Executed:
        """Run a command in a container over a connection of its own; see Cluster. Never sent twice."""
        from providers.kubernetes import remote_command  # few runs have a command

        where = _where(_POD, namespace, pod)
        path = remote_command.path_of(_object(_POD, namespace, pod), container, command)
        request = Request("GET", path, where=where, effect=True, repeatable=False)
        return remote_command.run(self._transport, request, seconds)

    def drain_warnings(self) -> tuple[str, ...]:
        """Warnings that the server gave to calls of this thread since the last time, each once, sorted."""
        return tuple(sorted(set(self._warnings.drain())))

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    # --- one call --------------------------------------------------------------------------------------------------

    def _call(self, kind: KindInfo, request: Request) -> Answer:
        """Send; while the kind's CRD is seconds old, "not served" is only "not yet"."""
        for _ in range(_YOUNG_TRIES):
            try:
                answer = self._transport.send(request)
                break
            except NotServed:
                if not self._discovery.is_young(kind):
                    raise
                time.sleep(_YOUNG_PAUSE)
        else:
            answer = self._transport.send(request)
        if answer.warnings:
            texts = _WARNING.findall(",".join(answer.warnings))
            self._warnings.add(tuple(f"{request.where}: {text}" for text in texts))
        return answer

    def _document(self, answer: Answer, where: str) -> JsonObject:
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise ServerFault("the answer is not a JSON object", where=where)
        return document


class _Warnings(threading.local):
    """Warnings of this thread."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add(self, texts: tuple[str, ...]) -> None:
        self.texts.extend(texts)

    def drain(self) -> tuple[str, ...]:
        texts, self.texts = tuple(self.texts), []
        return texts


def _collection(kind: KindInfo, namespace: str) -> str:
    """The URL path of all objects of a kind, in one namespace or ("") in all."""
    root = "/apis/" if "/" in kind.api_version else "/api/"
    path = root + urllib.parse.quote(kind.api_version)
    if kind.namespaced and namespace:
        path += "/namespaces/" + _segment(namespace, _where(kind, namespace, "*"))
    return path + "/" + urllib.parse.quote(kind.plural, safe="")


def _object(kind: KindInfo, namespace: str, name: str) -> str:
    """The URL path of one object. Raises BadRequest where it would be the path of something else."""
    where = _where(kind, namespace, name)
    if kind.namespaced and not namespace:
        raise BadRequest(f"{kind.kind} stands in a namespace, and none is given", where=where)
    return _collection(kind, namespace) + "/" + _segment(name, where)


def _segment(name: str, where: str) -> str:
    """A name as one part of a path: the server unquotes before it splits, so quoting is not enough."""
    if name in ("", ".", "..") or "/" in name or "%" in name:
        raise BadRequest("this is not a name", where=where)
    return urllib.parse.quote(name, safe="")


def _where(kind: KindInfo, namespace: str, name: str) -> str:
    return Address("", kind.kind, group_of(kind.api_version), namespace if kind.namespaced else "", name).local


def _bytes(document: object, where: str) -> bytes:
    try:
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError):  # the text would hold the value
        raise BadRequest("the document holds a value that JSON cannot", where=where) from None
