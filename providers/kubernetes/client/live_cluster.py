"""A cluster answered by a real API server: the `Cluster` protocol over one transport.

Owns paths, queries and documents of the Kubernetes API: paging, server-side apply, preconditions, discovery. Keeps no
copy of any object. Every failure is an error of providers.kubernetes.errors; nothing here prints or decides.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
import urllib.parse
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, TypeAlias

from planner.address import Address, group_of_api_version
from planner.errors import ProviderError
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
from providers.http.read_answer import HttpAnswer
from providers.kubernetes.answer_shape import (
    EndlessPagingGuard,
    check_shape_of_kind,
    continue_token,
    parse_answer_document,
    parse_object_answer,
    parse_objects_of_list_answer,
)
from providers.kubernetes.client.api_exchange import ApiRequest
from providers.kubernetes.client.discovery import Discovery
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings
from providers.kubernetes.client.transport import Transport, TransportStats
from providers.kubernetes.errors import (
    BadRequest,
    ContinueExpired,
    Invalid,
    NotFound,
    NotServed,
    ResourceVersionConflict,
    UnrecognizedServerAnswer,
)
from providers.kubernetes.parallel_map import ParallelMap
from providers.kubernetes.thread_warnings import ThreadWarnings

PAGE: Final = 500
_RESTARTS = 3
_LIST_SECONDS = 300.0  # for all pages of one list
_YOUNG_TRIES = 40
_YOUNG_PAUSE = 0.25
_ESCAPED = re.compile(r"\\(.)")
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
Objects: TypeAlias = list[JsonObject]
_POD = ServedKubernetesKind("v1", "Pod", "pods", True)
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


class LiveCluster:
    """The client of a live API server: reads and writes its objects as a `Cluster`. Methods may be called from many
    threads."""

    def __init__(
        self, connection: ApiServerConnectionSettings, *, parallelism: int = 16, transport: Transport | None = None
    ) -> None:
        self._connection = connection
        self._transport = transport or Transport(connection, parallelism=parallelism)
        self._parallel = ParallelMap(parallelism)
        self._discovery = Discovery(self._transport, self._parallel.map)
        self._identity: ClusterIdentity | None = None
        self._warnings = ThreadWarnings()

    @property
    def simulated(self) -> bool:
        """False: what this cluster answers was verified by a server."""
        return False

    @property
    def stats(self) -> TransportStats:
        """Requests, retries, connections and bytes so far."""
        return self._transport.stats

    def identity(self) -> ClusterIdentity:
        """Uid of kube-system and `host:port` of the server. Read once."""
        if self._identity is None:
            found = self.get(ServedKubernetesKind("v1", "Namespace", "namespaces", False), "", "kube-system")
            if found is None:
                raise UnrecognizedServerAnswer(
                    "it has no namespace kube-system: is this a cluster?", where=self._connection.host
                )
            self._identity = ClusterIdentity(uid=str(found["metadata"]["uid"]), server=self._connection.host)
        return self._identity

    def server_time(self) -> datetime:
        """The time by the clock of the server; see Cluster. Asks it where no answer has told it yet."""
        if self._transport.clock.now() is None:
            self._transport.send(ApiRequest("GET", "/version", where=self._connection.host))
        found = self._transport.clock.now()
        if found is None:
            raise UnrecognizedServerAnswer("its answers do not say what time it is", where=self._connection.host)
        return found

    # --- kinds -----------------------------------------------------------------------------------------------------

    def kind(self, api_version: str, kind: str) -> ServedKubernetesKind | None:
        """The served kind, or None when the cluster does not serve it."""
        return self._discovery.kind(api_version, kind)

    def kinds(self) -> Sequence[ServedKubernetesKind]:
        """Every served kind, preferred versions first."""
        return self._discovery.kinds()

    def forget(self) -> None:
        """Read discovery again when an unknown kind is asked for."""
        self._discovery.forget()

    def learn(self, crd: JsonObject) -> None:
        """Know the kinds of this CustomResourceDefinition at once. `apply` does it by itself for what it applies."""
        self._discovery.learn(crd)

    # --- reading ---------------------------------------------------------------------------------------------------

    def list(self, places: Sequence[KubernetesListScope], keep: Keep | None = None) -> Listing:
        """All objects of all places, in parallel, paged; apiVersion and kind are filled in on every item. What is not
        to be retained is dropped page by page.

        A place that cannot be read whole maps to its error, never to a part of its objects.
        """
        unique = tuple(dict.fromkeys(places))
        results = self._parallel.map(lambda place: self._list_or_error(place, keep), unique)
        return dict(zip(unique, results, strict=True))

    def _list_or_error(self, place: KubernetesListScope, keep: Keep | None) -> tuple[JsonObject, ...] | ProviderError:
        try:
            for _ in range(_RESTARTS):
                try:
                    return self._list(place, keep)
                except ContinueExpired as error:
                    expired = error
            return expired
        except ProviderError as error:
            return error

    def _list(self, place: KubernetesListScope, keep: Keep | None) -> tuple[JsonObject, ...]:
        """One place, all pages. Raises ContinueExpired when the list has to start again."""
        info, token = place.kind, ""
        found: Objects = []
        path, where = _collection(info, place.namespace), _where(info, place.namespace, "*")
        pages = EndlessPagingGuard(where, _LIST_SECONDS)
        while True:
            query = f"?limit={PAGE}" + (f"&continue={urllib.parse.quote(token, safe='')}" if token else "")
            page = parse_answer_document(self._call(info, ApiRequest("GET", path + query, where=where)).body, where)
            items = parse_objects_of_list_answer(page, info, place.namespace, where)
            for item in items:
                if keep is None or keep(item):
                    check_shape_of_kind(item, where)
                    found.append(item)
            token = continue_token(page, where)
            if not token:
                return tuple(found)
            pages.check(token, len(items))

    def get(self, kind: ServedKubernetesKind, namespace: str, name: str) -> JsonObject | None:
        """One object, or None when it does not exist. Raises NotServed when its kind does not."""
        where = _where(kind, namespace, name)
        try:
            answer = self._call(kind, ApiRequest("GET", _object(kind, namespace, name), where=where))
        except NotFound:
            return None
        return parse_object_answer(parse_answer_document(answer.body, where), kind, namespace, name, where)

    # --- writing ---------------------------------------------------------------------------------------------------

    def apply(
        self, kind: ServedKubernetesKind, body: JsonObject, *, force: bool = False, dry_run: bool = False
    ) -> JsonObject:
        """Server-side apply as FIELD_MANAGER with strict field validation; the object as it stands afterwards.

        Sent again after a lost answer, because applying twice is applying once; when preconditions in the body then
        fail, the first one may have succeeded, and OutcomeUnknown says so. What a CRD serves is learnt from the answer.
        """
        found = self._applied(kind, body, FIELD_MANAGER, force=force, dry_run=dry_run)
        if (group_of_api_version(kind.api_version), kind.kind) == _CRD and not dry_run:
            self._discovery.learn(found)
        return found

    def predict(self, kind: ServedKubernetesKind, body: JsonObject, *, manager: str) -> JsonObject:
        """What a forced server-side apply of another field manager would make of it: a dry run."""
        return self._applied(kind, body, manager, force=True, dry_run=True)

    def _applied(
        self, kind: ServedKubernetesKind, body: JsonObject, manager: str, *, force: bool, dry_run: bool
    ) -> JsonObject:
        metadata = body.get("metadata") or {}
        namespace, name = str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
        where = _where(kind, namespace, name)
        query = f"?fieldManager={manager}&fieldValidation=Strict"
        query += "&force=true" * force + "&dryRun=All" * dry_run
        request = ApiRequest(
            "PATCH",
            _object(kind, namespace, name) + query,
            _bytes(body, where),
            "application/apply-patch+yaml",
            where=where,
            effect=not dry_run,
        )
        found = parse_answer_document(self._call(kind, request).body, where)
        return parse_object_answer(found, kind, namespace, name, where, stored=not dry_run)

    def patch(
        self,
        kind: ServedKubernetesKind,
        namespace: str,
        name: str,
        patch: Sequence[JsonObject],
        *,
        dry_run: bool = False,
    ) -> JsonObject:
        """A JSON patch as OPERATOR_MANAGER. A `test` that fails is a ResourceVersionConflict.

        Sent again after a lost answer only when it names the resourceVersion that it expects.
        """
        where = _where(kind, namespace, name)
        dry = "&dryRun=All" if dry_run else ""
        bound = any(step.get("path") == "/metadata/resourceVersion" for step in patch)
        request = ApiRequest(
            "PATCH",
            _object(kind, namespace, name) + f"?fieldManager={OPERATOR_MANAGER}&fieldValidation=Strict{dry}",
            _bytes(list(patch), where),
            "application/json-patch+json",
            where=where,
            effect=not dry_run,
            repeatable=bound,
        )
        try:
            found = parse_answer_document(self._call(kind, request).body, where)
            return parse_object_answer(found, kind, namespace, name, where, stored=not dry_run)
        except Invalid as error:
            if not error.causes and any(step.get("op") == "test" for step in patch):
                message = "it is not in the state that the patch expects"
                raise ResourceVersionConflict(message, where=where, remedy="plan again") from None
            raise

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
        """Delete with both preconditions (an empty one is left out). Gone already is no error."""
        where = _where(kind, namespace, name)
        wanted = {"uid": uid, "resourceVersion": resource_version}
        options: JsonObject = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Foreground" if foreground else "Background",
            "preconditions": {key: value for key, value in wanted.items() if value},
        }
        path = _object(kind, namespace, name)
        request = ApiRequest("DELETE", path, _bytes(options, where), where=where, effect=True, repeatable=bool(uid))
        with contextlib.suppress(NotFound, NotServed):
            self._call(kind, request)
        if (group_of_api_version(kind.api_version), kind.kind) == _CRD:
            self._discovery.unlearn(name)

    def exec(self, namespace: str, pod: str, container: str, command: Sequence[str], *, seconds: float) -> EndedCommand:
        """Run a command in a container over a connection of its own; see Cluster. Never sent twice."""
        from providers.kubernetes.client import exec_stream

        where = _where(_POD, namespace, pod)
        path = exec_stream.exec_request_path(_object(_POD, namespace, pod), container, command)
        request = ApiRequest("GET", path, where=where, effect=True, repeatable=False)
        return exec_stream.run_in_container(self._transport, request, seconds)

    def logs(self, namespace: str, pod: str, container: str, *, lines: int, most: int) -> bytes:
        """The last lines of what a container wrote; see Cluster."""
        query = urllib.parse.urlencode({"container": container, "tailLines": lines, "limitBytes": most})
        path = f"{_object(_POD, namespace, pod)}/log?{query}"
        answer = self._call(_POD, ApiRequest("GET", path, accept="*/*", where=_where(_POD, namespace, pod)))
        return answer.body[:most]

    def drain_warnings(self, about: str = "") -> tuple[str, ...]:
        """Warnings of the server to writes and dry runs of this thread; see Cluster."""
        return self._warnings.drain_about(about)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    # --- one call --------------------------------------------------------------------------------------------------

    def _call(self, kind: ServedKubernetesKind, request: ApiRequest) -> HttpAnswer:
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
        if answer.warnings and request.method != "GET":  # a read is warned of its version alone, as each write is
            texts = _WARNING.findall(",".join(answer.warnings))
            self._warnings.add(tuple((request.where, _ESCAPED.sub(r"\1", text)) for text in texts))
        return answer


@lru_cache(maxsize=1024)
def _collection(kind: ServedKubernetesKind, namespace: str) -> str:
    """The URL path of all objects of a kind, in one namespace or ("") in all."""
    root = "/apis/" if "/" in kind.api_version else "/api/"
    path = root + urllib.parse.quote(kind.api_version)
    if kind.namespaced and namespace:
        path += "/namespaces/" + _segment(namespace, _where(kind, namespace, "*"))
    return path + "/" + urllib.parse.quote(kind.plural, safe="")


def _object(kind: ServedKubernetesKind, namespace: str, name: str) -> str:
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


def _where(kind: ServedKubernetesKind, namespace: str, name: str) -> str:
    return Address(
        "", kind.kind, group_of_api_version(kind.api_version), namespace if kind.namespaced else "", name
    ).local


# The server reads the body of an apply as YAML, which knows JSON's escapes: its reader refuses DEL, C1 and what is no
# character, and takes the others for line breaks, which become blanks (YAML 1.1, 5.1 and 7.3.1).
_NOT_IN_YAML: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def _bytes(document: object, where: str) -> bytes:
    try:
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
    except (TypeError, ValueError):  # the text would hold the value
        raise BadRequest("the document holds a value that JSON cannot", where=where) from None
