"""The shape of what an API server answers, checked where it enters: nothing behind this module meets a map where a list
belongs, an object of another kind, or one without a name. Pure.

Says what is wrong by field, never with the words of the answer. Source: apimachinery ObjectMeta and ListMeta; Go writes
an empty list as null.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from planner.values import Json, JsonObject, JsonValue
from providers.cluster_interface import ServedKubernetesKind
from providers.json_answer import parse_json_answer
from providers.kubernetes.builtin_shape import builtin_shape_faults
from providers.kubernetes.errors import UnrecognizedServerAnswer
from providers.kubernetes.ssa.field_set import check_fields_v1
from providers.kubernetes.tekton_and_argo_shape import tekton_and_argo_shape_faults

_IDENTITY = ("uid", "resourceVersion")  # what every object that can be written has: writes are bound to them
_WRITING = frozenset(("create", "patch", "update"))
_TEXTS = (*_IDENTITY, "generateName", "creationTimestamp", "deletionTimestamp")
_TEXT_MAPS = ("labels", "annotations")
_ENTRY_TEXTS = ("manager", "operation", "apiVersion", "time", "fieldsType", "subresource")
_OWNER_TEXTS = ("apiVersion", "kind", "name", "uid")
_MOST_EMPTY_PAGES = 3
_REMEDY = "check the server of the kubeconfig and what stands before it: no API server answers so"


def parse_answer_document(body: bytes, where: str) -> JsonObject:
    """The JSON object of the body of an answer. Raises UnrecognizedServerAnswer."""
    try:
        document = parse_json_answer(body)
    except ValueError as error:
        raise_unrecognized_server_answer(f"something that cannot be read: {error}", where)
    if not isinstance(document, dict):
        raise_unrecognized_server_answer("something that is no JSON object", where)
    return document


def parse_object_answer(
    document: JsonObject, kind: ServedKubernetesKind, namespace: str, name: str, where: str, *, stored: bool = True
) -> JsonObject:
    """One object as it was asked for, its kind filled in. Raises UnrecognizedServerAnswer for another one, and for one
    without the shape of its kind. `stored` is false for the answer to a dry run: it has no version then."""
    _check_kind(document, kind, where)
    wrong = object_shape_faults(document)
    metadata = document.get("metadata")
    if (
        not wrong
        and isinstance(metadata, dict)
        and (metadata["name"], metadata.get("namespace") or "")
        != (
            name,
            namespace if kind.namespaced else "",
        )
    ):
        wrong = "it has another name or namespace than was asked for"
    wrong = wrong or (_without_identity(document, kind) if stored else "")
    if wrong:
        raise_unrecognized_server_answer(f"an object that is none: {wrong}", where)
    document["apiVersion"], document["kind"] = kind.api_version, kind.kind
    if wrong := _kind_shape_faults(document):
        raise_unrecognized_server_answer(f"an object that is none: {wrong}", where)
    return document


def parse_objects_of_list_answer(
    page: JsonObject, kind: ServedKubernetesKind, namespace: str, where: str
) -> list[JsonObject]:
    """The objects of one page of a list, their kinds filled in. Raises UnrecognizedServerAnswer for a list of something
    else. What is retained of them goes through `check_shape_of_kind`."""
    named, builtin = page.get("kind"), "." not in kind.api_version.partition("/")[0]
    if builtin and named != f"{kind.kind}List":
        raise_unrecognized_server_answer(f"no list of {kind.kind}", where)
    items = page.get("items")
    if items is None:
        return []
    if not isinstance(items, list):
        raise_unrecognized_server_answer("a list whose items are no list", where)
    for number, item in enumerate(items):
        _check_item(item, kind, namespace, f"item {number}", where)
        item["apiVersion"], item["kind"] = kind.api_version, kind.kind
    return items


def check_shape_of_kind(item: JsonObject, where: str) -> None:
    """Raises UnrecognizedServerAnswer for an object of a list that does not have the shape of its kind."""
    if wrong := _kind_shape_faults(item):
        raise_unrecognized_server_answer(f"a list with an object that is none ({wrong})", where)


def _kind_shape_faults(document: JsonObject) -> str:
    return builtin_shape_faults(document) or tekton_and_argo_shape_faults(document)


def continue_token(page: JsonObject, where: str) -> str:
    """The `continue` of a page, "" on the last one. Raises UnrecognizedServerAnswer."""
    metadata = page.get("metadata")
    if metadata is None:
        return ""
    token = metadata.get("continue", "") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(token, str | None):
        raise_unrecognized_server_answer("a list whose metadata are none", where)
    return token or ""


class EndlessPagingGuard:
    """Whether the pages of one list come to an end: a server that names the same next page again, goes on without
    giving anything, or takes longer than the whole read may, is not read on."""

    def __init__(self, where: str, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._where, self._clock = where, clock
        self._end = clock() + seconds
        self._seen: set[str] = set()
        self._empty = 0

    def check(self, token: str, count: int) -> None:
        """Look at a page of `count` objects that names a next one. Raises UnrecognizedServerAnswer."""
        self._empty = 0 if count else self._empty + 1
        if token in self._seen:
            raise_unrecognized_server_answer("a list that names the same next page twice", self._where)
        if self._empty > _MOST_EMPTY_PAGES:
            raise_unrecognized_server_answer("a list that goes on without giving an object", self._where)
        if self._clock() > self._end:
            raise_unrecognized_server_answer("a list that does not come to an end in time", self._where)
        self._seen.add(token)


def check_managed_fields(live: JsonObject, where: str) -> None:
    """Check that managedFields can be read. Raises UnrecognizedServerAnswer where the field set of a manager cannot."""
    for entry in live["metadata"].get("managedFields") or ():
        try:
            check_fields_v1(entry.get("fieldsV1") or {})
        except (ValueError, RecursionError):
            raise_unrecognized_server_answer("an object whose managedFields cannot be read", where)


def raise_unrecognized_server_answer(what: str, where: str) -> NoReturn:
    """Raise the UnrecognizedServerAnswer that says what the server answered, where no rule knows the answer."""
    raise UnrecognizedServerAnswer(f"the server answered {what}", where=where, remedy=_REMEDY) from None


def _check_item(item: Json, kind: ServedKubernetesKind, namespace: str, what: str, where: str) -> None:
    wrong = object_shape_faults(item) or _without_identity(item, kind)
    if wrong:
        raise_unrecognized_server_answer(f"a list with an object that is none ({what}: {wrong})", where)
    _check_kind(item, kind, where)
    placed = item["metadata"].get("namespace") or ""
    if bool(placed) != kind.namespaced or (namespace and kind.namespaced and placed != namespace):
        raise_unrecognized_server_answer(f"a list with an object of another namespace ({what})", where)


def _check_kind(document: JsonObject, kind: ServedKubernetesKind, where: str) -> None:
    """Items of built-in kinds come without kind and apiVersion."""
    given = (document.get("apiVersion", kind.api_version), document.get("kind", kind.kind))
    if given != (kind.api_version, kind.kind):
        raise_unrecognized_server_answer("an object of another kind than was asked for", where)


def object_shape_faults(document: JsonValue) -> str:
    """What is wrong with an object, by field; "" when nothing is."""
    if not isinstance(document, dict):
        return "it is no map"
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return "metadata is no map"
    if not isinstance(name := metadata.get("name"), str) or not name:
        return "it has no name"
    return next(_wrong_parts(document, metadata), "")


def _without_identity(document: JsonObject, kind: ServedKubernetesKind) -> str:
    """What is computed for a reader, like the kinds of metrics, has neither."""
    if kind.verbs and not kind.verbs & _WRITING:
        return ""
    return next((f"metadata.{key} is missing" for key in _IDENTITY if not document["metadata"].get(key)), "")


def _wrong_parts(document: JsonObject, metadata: JsonObject) -> Iterator[str]:
    if not isinstance(metadata.get("namespace", ""), str):
        yield "metadata.namespace is no text"
    for key in _TEXTS:
        if not isinstance(metadata.get(key, ""), str | None):
            yield f"metadata.{key} is no text"
    for key in _TEXT_MAPS:
        if (found := metadata.get(key)) is not None and not _is_text_map(found):
            yield f"metadata.{key} is no map of texts"
    if (found := metadata.get("finalizers")) is not None and not _is_list_of(found, str):
        yield "metadata.finalizers is no list of texts"
    for key, texts in (("managedFields", _ENTRY_TEXTS), ("ownerReferences", _OWNER_TEXTS)):
        if (found := metadata.get(key)) is not None and not (_is_list_of(found, dict) and _have_texts(found, texts)):
            yield f"metadata.{key} is no list of entries"
    for entry in metadata.get("managedFields") or ():
        complete = {"apiVersion", "operation"} <= entry.keys()
        readable = all(isinstance(entry.get(key, ""), str) for key in _ENTRY_TEXTS)
        if not complete or not readable or not isinstance(entry.get("fieldsV1"), dict | None):
            yield "metadata.managedFields is no list of entries"
    if not isinstance(document.get("status"), dict | None):
        yield "status is no map"


def _is_text_map(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(value, str) for value in found.values())


def _is_list_of(found: Any, kind: type) -> bool:
    return isinstance(found, list) and all(isinstance(one, kind) for one in found)


def _have_texts(entries: list[Mapping[str, Any]], keys: tuple[str, ...]) -> bool:
    return all(isinstance(entry.get(key, ""), str | None) for entry in entries for key in keys)
