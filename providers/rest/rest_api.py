"""Speaking to a REST API: lists to their end, one object, and writes. What an answer means is decided here.

Owns where credentials go: into one header, for URLs of the API's own origin alone. A redirect is an answer that is
refused, and a next page on another host is never asked. Words of a server reach a message only after a request without
secrets, and without the credential in them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import field
from typing import Protocol
from urllib.parse import quote

from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, ProviderError
from planner.values import Json, JsonObject, JsonValue, SealedSecret, value_leaves
from providers.http.read_answer import HttpAnswer
from providers.http.retries import BUSY, DEFAULT_RETRIES, RetryLimits, busy_error, call_with_retries
from providers.rest.list_pages import list_all_pages
from providers.rest.object_spec import RestCollection
from providers.rest.secret_values import RestSecretValues
from providers.web.bounded_http_client import BoundedHttpClient
from providers.web.json_body import find_json_value_at_path, parse_json_body

_SHOWN = 160  # characters of a server's words
_NO_SUCH_ROUTE = frozenset({404, 405, 501})


@dataclass(frozen=True, slots=True)
class RestItemAnswer:
    """One object as its own path answers it, and its strong entity tag ("" if it has none)."""

    value: JsonObject = field(repr=False)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class RestWriteRequest:
    """A request that creates or changes an object of a REST API. `identifier` is "" for one to the collection; `etag`
    is what must still stand there, `creates` that nothing may."""

    method: str
    body: JsonObject = field(repr=False)
    identifier: str = ""
    etag: str = ""
    content_type: str = "application/json"
    creates: bool = False


class RestApi(Protocol):
    """A REST API: lists, reads and writes its objects, over the network or simulated. All methods raise
    ProviderError."""

    def list(self, collection: RestCollection) -> list[JsonObject]:
        """Every object of a collection."""
        ...

    def one(self, collection: RestCollection, identifier: str) -> RestItemAnswer | None:
        """One object by its own path; None when the API has no such path, or no such object."""
        ...

    def write(self, collection: RestCollection, write: RestWriteRequest, secrets: RestSecretValues) -> None:
        """Send a write. Raises OutcomeUnknown when it is not known whether it took effect, PreconditionError when
        another object stands there, TemporaryError when it took no effect and may be tried again."""
        ...


@dataclass(frozen=True, slots=True)
class HttpRestApi:
    """A REST API asked by HTTP requests over the network."""

    client: BoundedHttpClient
    secrets: RestSecretValues
    retries: RetryLimits = DEFAULT_RETRIES

    def list(self, collection: RestCollection) -> list[JsonObject]:
        """See Api."""
        return list_all_pages(collection, lambda url: self._ask(collection, url))

    def one(self, collection: RestCollection, identifier: str) -> RestItemAnswer | None:
        """See Api."""
        answer = self._get(collection, collection.item_url(identifier))
        if answer.status in _NO_SUCH_ROUTE:
            return None
        found = find_json_value_at_path(_document(answer, collection), collection.object)
        if len(found) != 1 or not isinstance(found[0], dict):
            raise PermanentError(
                "the answer about one object holds none", where=collection.host, remedy="correct spec.object"
            )
        etag = answer.headers.get("etag", "")
        return RestItemAnswer(
            found[0], etag if etag.startswith('"') else ""
        )  # If-Match never matches a weak one (RFC 9110)

    def write(self, collection: RestCollection, write: RestWriteRequest, secrets: RestSecretValues) -> None:
        """See Api."""
        url = collection.item_url(write.identifier) if write.identifier else collection.url
        headers = {**self._headers(collection), "Content-Type": write.content_type}
        headers |= {"If-Match": write.etag} if write.etag else {}
        headers |= {"If-None-Match": "*"} if write.creates and write.identifier else {}
        body = json.dumps(secrets.revealed(write.body), allow_nan=False).encode()
        answer = self.client.request(write.method, url, headers, body)
        if not 200 <= answer.status < 300:
            raise self._refused(collection, write, answer)

    def _ask(self, collection: RestCollection, url: str) -> tuple[Json, str]:
        answer = self._get(collection, url)
        return _document(answer, collection), answer.headers.get("link", "")

    def _get(self, collection: RestCollection, url: str) -> HttpAnswer:
        headers = self._headers(collection)
        return call_with_retries(lambda: self.client.request("GET", url, headers), collection.host, self.retries)

    def _headers(self, collection: RestCollection) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if collection.auth is not None:
            headers[collection.auth.header] = self.secrets.credential(collection.auth)
        return headers

    def _refused(self, collection: RestCollection, write: RestWriteRequest, answer: HttpAnswer) -> ProviderError:
        status, where = answer.status, collection.host
        if status == 412 or (status == 409 and write.creates) or (status == 404 and write.identifier):
            return PreconditionError(f"the server answers {status}: another object stands there, or none", where=where)
        if status in (502, 504, 408) and write.method not in ("PUT", "GET"):
            return OutcomeUnknown(f"the server answers {status}: whether it took effect is not known", where=where)
        if status in BUSY:
            return busy_error(answer, where)
        said = self._said(collection, write, answer)
        return PermanentError(f"{write.method} {collection.path}: {_meaning(status)}{said}", where=where)

    def _said(self, collection: RestCollection, write: RestWriteRequest, answer: HttpAnswer) -> str:
        """The server's own reason, where it cannot hold a secret."""
        if answer.status not in (400, 409, 422) or any(
            isinstance(leaf, SealedSecret) for _, leaf in value_leaves(write.body)
        ):
            return ""
        words = _words(answer.body)
        retained = collection.auth and self.secrets.credential(collection.auth).removeprefix(collection.auth.prefix)
        return "" if not words or (retained and _holds(words, retained)) else f": {words}"


def _document(answer: HttpAnswer, collection: RestCollection) -> Json:
    if answer.status != 200:
        remedy = "let the credential read this" if answer.status in (401, 403) else "check spec.baseUrl and spec.path"
        raise PermanentError(_meaning(answer.status), where=collection.host, remedy=remedy)
    try:
        return parse_json_body(answer.body)
    except ValueError as error:
        raise PermanentError(
            f"the server answered something that cannot be read: {error}", where=collection.host
        ) from None


def _meaning(status: int) -> str:
    match status:
        case 401:
            return "the server answers 401: the credential is missing or refused"
        case 403:
            return "the server answers 403: the credential may not do this"
        case _ if 300 <= status < 400:
            return f"the server answers {status}: redirects are not followed"
        case _:
            return f"the server answers {status}"


def _words(body: bytes) -> str:
    try:
        document = parse_json_body(body)
    except ValueError:
        return ""
    text = next(_texts(document), "")
    shown = json.dumps(text, ensure_ascii=True) if text else ""
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."


def _texts(document: JsonValue) -> Iterator[str]:
    """The usual places of a reason: RFC 9457 and common practice."""
    found = document if isinstance(document, dict) else {}
    for name in ("detail", "message", "error", "title"):
        value = found.get(name)
        value = value.get("message") if isinstance(value, dict) else value
        if isinstance(value, str) and value:
            yield value


def _holds(words: str, secret: str) -> bool:
    """Whether a text holds a secret, as it is or as it is usually written."""
    packed = base64.b64encode(secret.encode()).decode().rstrip("=")
    forms = (secret, packed, quote(secret, safe=""), json.dumps(secret)[1:-1], secret.encode().hex())
    return any(form in words for form in forms)
