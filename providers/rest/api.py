"""Speaking to a REST API: lists to their end, one object, and writes. What an answer means is decided here.

Owns where credentials go: into one header, for URLs of the API's own origin alone. A redirect is an answer that is
refused, and a next page on another host is never asked. Words of a server reach a message only after a request without
secrets, and without the credential in them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from planner.errors import OutcomeUnknown, PermanentError, PreconditionError, ProviderError
from planner.values import Json, JsonObject, Sealed, leaves
from providers.rest.pages import listed
from providers.rest.secrets import Secrets
from providers.rest.wanted import Collection
from providers.web.client import Answer, WebClient
from providers.web.documents import document_of, value_at
from providers.web.retrying import BUSY, DEFAULT_RETRIES, Retries, busy, calmly

_SHOWN = 160  # characters of a server's words
_NO_SUCH_ROUTE = frozenset({404, 405, 501})


@dataclass(frozen=True, slots=True)
class Item:
    """One object as its own path answers it, and its strong entity tag ("" if it has none)."""

    value: JsonObject = field(repr=False)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changes something. `identifier` is "" for one to the collection; `etag` is what must still stand
    there, `creates` that nothing may."""

    method: str
    body: JsonObject = field(repr=False)
    identifier: str = ""
    etag: str = ""
    content_type: str = "application/json"
    creates: bool = False


class Api(Protocol):
    """A REST API, or what plays one. All methods raise ProviderError."""

    def list(self, collection: Collection) -> list[JsonObject]:
        """Every object of a collection."""
        ...

    def one(self, collection: Collection, identifier: str) -> Item | None:
        """One object by its own path; None when the API has no such path, or no such object."""
        ...

    def write(self, collection: Collection, write: Write, secrets: Secrets) -> None:
        """Send a write. Raises OutcomeUnknown when nobody can tell whether it took effect, PreconditionError when
        another object stands there, TemporaryError when it took no effect and may be tried again."""
        ...


@dataclass(frozen=True, slots=True)
class WebApi:
    """A real API, over the network."""

    client: WebClient
    secrets: Secrets
    retries: Retries = DEFAULT_RETRIES

    def list(self, collection: Collection) -> list[JsonObject]:
        """See Api."""
        return listed(collection, lambda url: self._ask(collection, url))

    def one(self, collection: Collection, identifier: str) -> Item | None:
        """See Api."""
        answer = self._get(collection, collection.item_url(identifier))
        if answer.status in _NO_SUCH_ROUTE:
            return None
        found = value_at(_document(answer, collection), collection.object)
        if len(found) != 1 or not isinstance(found[0], dict):
            raise PermanentError(
                "the answer about one object holds none", where=collection.host, remedy="correct spec.object"
            )
        etag = answer.headers.get("etag", "")
        return Item(found[0], etag if etag.startswith('"') else "")  # If-Match never matches a weak one (RFC 9110)

    def write(self, collection: Collection, write: Write, secrets: Secrets) -> None:
        """See Api."""
        url = collection.item_url(write.identifier) if write.identifier else collection.url
        headers = {**self._headers(collection), "Content-Type": write.content_type}
        headers |= {"If-Match": write.etag} if write.etag else {}
        headers |= {"If-None-Match": "*"} if write.creates and write.identifier else {}
        body = json.dumps(secrets.revealed(write.body), allow_nan=False).encode()
        answer = self.client.request(write.method, url, headers, body)
        if not 200 <= answer.status < 300:
            raise self._refused(collection, write, answer)

    def _ask(self, collection: Collection, url: str) -> tuple[Json, str]:
        answer = self._get(collection, url)
        return _document(answer, collection), answer.headers.get("link", "")

    def _get(self, collection: Collection, url: str) -> Answer:
        headers = self._headers(collection)
        return calmly(lambda: self.client.request("GET", url, headers), collection.host, self.retries)

    def _headers(self, collection: Collection) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if collection.auth is not None:
            headers[collection.auth.header] = self.secrets.credential(collection.auth)
        return headers

    def _refused(self, collection: Collection, write: Write, answer: Answer) -> ProviderError:
        status, where = answer.status, collection.host
        if status == 412 or (status == 409 and write.creates) or (status == 404 and write.identifier):
            return PreconditionError(f"the server answers {status}: another object stands there, or none", where=where)
        if status in (502, 504, 408) and write.method not in ("PUT", "GET"):
            return OutcomeUnknown(f"the server answers {status}: whether it took effect is not known", where=where)
        if status in BUSY:
            return busy(answer, where)
        said = self._said(collection, write, answer)
        return PermanentError(f"{write.method} {collection.path}: {_meaning(status)}{said}", where=where)

    def _said(self, collection: Collection, write: Write, answer: Answer) -> str:
        """The server's own reason, where it cannot hold a secret."""
        if answer.status not in (400, 409, 422) or any(isinstance(leaf, Sealed) for _, leaf in leaves(write.body)):
            return ""
        words = _words(answer.body)
        kept = collection.auth and self.secrets.credential(collection.auth).removeprefix(collection.auth.prefix)
        return "" if not words or (kept and _holds(words, kept)) else f": {words}"


def _document(answer: Answer, collection: Collection) -> Json:
    if answer.status != 200:
        remedy = "let the credential read this" if answer.status in (401, 403) else "check spec.baseUrl and spec.path"
        raise PermanentError(_meaning(answer.status), where=collection.host, remedy=remedy)
    try:
        return document_of(answer.body)
    except ValueError:
        raise PermanentError("the answer is no JSON", where=collection.host) from None


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
        document = document_of(body)
    except ValueError:
        return ""
    text = next(_texts(document), "")
    shown = json.dumps(text, ensure_ascii=True) if text else ""
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."


def _texts(document: Json) -> Iterator[str]:
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
