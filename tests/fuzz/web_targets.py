"""HTTP itself, and what registries, GitHub, Prometheus, webhooks and foreign APIs answer."""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.errors import HwplanError
from providers.github.client import GitHubClient
from providers.github.credentials import AnonymousCredential, GitHubAppCredential
from providers.github.rate_limits import WritePace, rate_limit_wait, read_quota
from providers.github.send_requests import GitHubConnection
from providers.http.deadline import Deadline, DeadlineReader
from providers.http.errors import ConnectionBroken
from providers.http.exchange import HttpRequest, begin_exchange
from providers.http.read_answer import HttpAnswer, HttpAnswerReader
from providers.http.retries import RetryLimits, retry_after_seconds
from providers.images.docker_config_credentials import _pair
from providers.images.image_manifest import parse_image_manifest, select_wanted_platforms
from providers.images.image_reference import ImageReference
from providers.images.registry_answers import registry_refusal_error
from providers.images.registry_client import RegistryClient
from providers.images.registry_tokens import _parse, _token
from providers.json_answer import parse_json_answer
from providers.kubernetes.client.webhook_call_failures import webhook_call_failure
from providers.probes.expected_response import ExpectedResponse, ProbeResponse, unmet_probe_expectations
from providers.prometheus.query_result import parse_query_result, query_outputs, unmet_query_expectation
from providers.prometheus.scrape_targets import parse_scrape_targets
from providers.rest.list_pages import list_all_pages
from providers.rest.object_spec import RestCollection, RestPaging
from providers.rest.rest_api import _words
from providers.web.json_body import parse_json_body
from providers.web.link_header import next_link
from tests.fuzz.fuzz_target import FuzzTarget

_LIMIT = 1 << 20
_JSON = b'{"a":[1,2,"x"]}'


def _packed(body: bytes, name: bytes = b"gzip") -> bytes:
    data = gzip.compress(body, mtime=0) if name == b"gzip" else zlib.compress(body)
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s" % (name, len(data), data)


_EXCHANGES = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + _JSON,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\na;x=y\r\n0123456789\r\n0\r\nX: 1\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nWarning: 299 - \"a \\\"b\\\"\"\r\nWarning: 299 - x\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.0 503 Busy\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\nConnection: close\r\n\r\nlater",
    b"HTTP/1.1 204 No Content\r\nDate: Wed, 21 Oct 2026 07:28:00 GMT\r\nLink: <https://a/b?page=2>; rel=\"next\"\r\n\r\n",
    _packed(_JSON * 50), _packed(_JSON * 50, b"deflate"), _packed(b"\0" * (8 << 20)),
)  # fmt: skip
_REQUEST = HttpRequest("GET", "/x", (("Host", "a"),), where="a")


def _exchange(data: bytes) -> None:
    """One answer, as it comes over a connection."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(data[: 64 << 10])
        deadline = Deadline(time.monotonic() + 60, 5.0, 5.0)
        response = begin_exchange(ours, _REQUEST, DeadlineReader(ours, deadline), deadline)
        answer = HttpAnswerReader(response, _LIMIT, "a")
        found = answer.whole()
        assert len(found.body) <= _LIMIT
        retry_after_seconds(found.headers)
        read_quota(found.headers)
        rate_limit_wait(found.status, found.headers, "")
        next_link(found.headers.get("link", ""))


# --- a web that answers what the input says --------------------------------------------------------------------------


@dataclass
class _Web:
    """Answers every request with the same document, and with headers and a status that may stand in it."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    others: Mapping[str, bytes] = field(default_factory=dict)  # good answers, by a part of the URL

    def request(self, method: str, url: str, *_: Any, **__: Any) -> HttpAnswer:
        if (good := next((body for part, body in self.others.items() if part in url), None)) is not None:
            return HttpAnswer(200, {}, good)
        status = 201 if method == "POST" and self.status == 200 else self.status
        return HttpAnswer(status, self.headers, self.body)


_ONCE = RetryLimits(tries=1, sleep=lambda _: None)


def _split(data: bytes) -> _Web:
    """An input is a JSON map of `status`, `headers` and `body`; anything else is a body."""
    try:
        document = parse_json_answer(data)
    except ValueError:
        return _Web(data)
    if not isinstance(document, dict) or "body" not in document:
        return _Web(data)
    headers, status = document.get("headers"), document.get("status")
    pairs = headers.items() if isinstance(headers, dict) else ()
    # what http.client gives as a header: Latin-1, without line breaks
    said = {name.lower(): value for name, value in pairs if isinstance(value, str) and _is_header(value)}
    return _Web(
        json.dumps(document["body"]).encode(),
        said,
        status if isinstance(status, int) and 100 <= status < 600 and not isinstance(status, bool) else 200,
    )


def _is_header(value: str) -> bool:
    return all(char in "\t" or " " <= char <= "\xff" for char in value)


def _github(ask: Callable[[GitHubClient], object]) -> Callable[[bytes], object]:
    def parse(data: bytes) -> None:
        pace = WritePace(0.0, lambda _: None)
        web = _split(data)
        connection = GitHubConnection(
            web, "https://api.example", AnonymousCredential(), pace, _ONCE, 1.0, lambda _: None
        )
        ask(GitHubClient(connection))

    return parse


class _SigningApp(GitHubAppCredential):
    """An App whose key has signed already."""

    def _jwt(self) -> str:
        return "x"


def _app(data: bytes) -> None:
    web = _split(data)
    web.status = 201 if web.status == 200 else web.status
    _SigningApp("1", 2, Path("key")).header(web, "https://api.example")


_USER = {"login": "ann", "id": 1, "type": "User"}
_PULL = {
    "number": 17, "title": "Add", "user": _USER, "state": "open", "draft": False, "locked": False,
    "head": {"sha": "a" * 40, "ref": "thing", "repo": {"full_name": "o/r"}}, "base": {"sha": "b" * 40, "ref": "main"},
    "labels": [{"name": "x", "color": "f00"}], "merged": False, "merged_at": None, "merged_by": None,
    "merge_commit_sha": "c" * 40, "mergeable": True, "mergeable_state": "clean", "auto_merge": None,
    "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-02T10:00:00Z",
}  # fmt: skip
_ISSUE = {"number": 3, "title": "t", "body": "<!-- hwplan:x -->\nx", "user": _USER, "state": "open", "labels": ["a", {"name": "b"}],
          "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-01T10:00:00Z", "state_reason": None}  # fmt: skip
_CHECK = {"id": 5, "name": "test", "status": "completed", "conclusion": "success", "app": {"slug": "ci"}, "head_sha": "a" * 40,
          "started_at": "2026-11-01T10:00:00Z", "completed_at": "2026-11-01T10:05:00Z", "details_url": "https://x"}  # fmt: skip
_STATUS = {"id": 6, "context": "hwplan/v03", "state": "pending", "description": None, "creator": _USER, "target_url": None,
           "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-01T10:00:00Z"}  # fmt: skip
_COMMENT = {"id": 9, "body": "hwplan approve " + "e" * 64, "user": _USER, "created_at": "2026-11-01T10:00:00Z",
            "updated_at": "2026-11-01T10:00:00Z", "issue_url": "https://api.example/repos/o/r/issues/17"}  # fmt: skip
_REVIEW = {"id": 2, "user": _USER, "state": "APPROVED", "commit_id": "a" * 40, "submitted_at": "2026-11-01T10:00:00Z"}
_BRANCH = {"name": "main", "protected": True, "commit": {"sha": "b" * 40},
           "protection": {"enabled": True, "required_status_checks": {"enforcement_level": "everyone", "contexts": ["test"],
                          "checks": [{"context": "test", "app_id": 1}]}}}  # fmt: skip
_RULES = [{"type": "required_status_checks", "ruleset_id": 1, "parameters": {"strict_required_status_checks_policy": True,
           "required_status_checks": [{"context": "test", "integration_id": 3}]}}, {"type": "pull_request", "parameters": {}}]  # fmt: skip
_COMPARISON = {"status": "ahead", "ahead_by": 1, "behind_by": 0, "merge_base_commit": {"sha": "b" * 40},
               "files": [{"filename": "a.py", "status": "modified"}], "commits": []}  # fmt: skip
_HEADERS = {
    "link": '<https://api.example/x?page=2>; rel="next", <https://api.example/x?page=9>; rel="last"', "etag": 'W/"1"',
    "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1793000000", "retry-after": "3",
    "date": "Wed, 21 Oct 2026 07:28:00 GMT", "content-type": "application/json",
}  # fmt: skip
_ALONE = {key: value for key, value in _HEADERS.items() if key not in ("link", "retry-after")}


def _answers(*bodies: Any) -> tuple[Any, ...]:
    with_headers = tuple({"status": 200, "headers": _ALONE, "body": one} for one in bodies)
    limited = {
        "status": 403,
        "headers": _HEADERS,
        "body": {"message": "API rate limit exceeded", "documentation_url": "x"},
    }
    return (*bodies, *with_headers, limited)


def _branch_rules(part: str, good: Any) -> Callable[[GitHubClient], object]:
    def ask(client: GitHubClient) -> None:
        assert isinstance(client.connection.web, _Web)
        client.connection.web.others = {part: json.dumps(good).encode()}
        client.branch_rules("o/r", "main")

    return ask


GITHUB = (
    ("pull requests", _answers([_PULL]), lambda one: (one.open_pulls("o/r", "main"), one.closed_pulls("o/r", "main"))),
    ("pull request", _answers(_PULL), lambda one: one.pull("o/r", 17)),
    ("pull requests of a commit", _answers([_PULL]), lambda one: one.pulls_of_commit("o/r", "a" * 40)),
    ("reviews", _answers([_REVIEW]), lambda one: one.reviews("o/r", 17)),
    ("checks", _answers({"total_count": 1, "check_runs": [_CHECK], "statuses": [_STATUS], "state": "pending"}),
     lambda one: one.checks("o/r", "a" * 40)),
    ("statuses", _answers([_STATUS]), lambda one: (one.statuses("o/r", "a" * 40))),
    ("comments", _answers([_COMMENT]), lambda one: one.comments("o/r", 17)),
    ("issues", _answers([_ISSUE, {**_ISSUE, "pull_request": {}}]), lambda one: one.issues("o/r", "ann", "a,b")),
    ("branch", _answers(_BRANCH), _branch_rules("/rules/", _RULES)),
    ("rules of a branch", _answers(_RULES), _branch_rules("/r/branches/", _BRANCH)),
    ("comparison", _answers(_COMPARISON), lambda one: one.compare("o/r", "a", "b")),
    ("merge", _answers({"sha": "c" * 40, "merged": True, "message": "ok"}), lambda one: one.merge("o/r", 17, "a" * 40, "squash")),
    ("login", _answers(_USER), lambda one: one.login()),
    ("a new comment", _answers(_COMMENT), lambda one: one.create_comment("o/r", 17, "x")),
)  # fmt: skip

# --- registries ------------------------------------------------------------------------------------------------------

_DIGEST = "sha256:" + "a" * 64
_LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": _DIGEST, "size": 12}
_MANIFEST = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [_LAYER, _LAYER],
             "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": _DIGEST, "size": 7},
             "annotations": {"org.opencontainers.image.revision": "a" * 40}}  # fmt: skip
_INDEX = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
    {"mediaType": _MANIFEST["mediaType"], "digest": _DIGEST, "size": 9, "platform": {"os": "linux", "architecture": "amd64"}},
    {"mediaType": _MANIFEST["mediaType"], "digest": _DIGEST, "size": 9, "annotations": {"vnd.docker.reference.type": "x"},
     "platform": {"os": "unknown", "architecture": "unknown", "variant": "v8"}}]}  # fmt: skip
_CHALLENGES = (
    'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"',
    'Basic realm="x, \\"y\\""', "Negotiate", 'bearer realm=https://127.0.0.1:5000/token , scope=""',
)  # fmt: skip


def _manifest(body: bytes) -> None:
    for said in ("", "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"):
        try:
            found = parse_image_manifest(body, said)
            select_wanted_platforms(found, ("linux/amd64",))
        except HwplanError:
            continue


def _registry(data: bytes) -> None:
    client = RegistryClient("127.0.0.1:5000", web=_split(data), retries=_ONCE)  # type: ignore[arg-type]
    image = ImageReference("127.0.0.1:5000", "a/b", "1")
    for ask in (client.digest, client.manifest):
        try:
            ask(image)
        except HwplanError:
            continue


_REGISTRY_HEADERS = {
    "docker-distribution-api-version": "registry/2.0", "docker-content-digest": _DIGEST, "content-type": _INDEX["mediaType"],
    "www-authenticate": _CHALLENGES[0], "location": "https://cdn.example/x",
}  # fmt: skip
_REGISTRY = (
    {"status": 200, "headers": _REGISTRY_HEADERS, "body": _INDEX},
    {"status": 200, "headers": {"content-type": _MANIFEST["mediaType"]}, "body": _MANIFEST},
    {"status": 401, "headers": _REGISTRY_HEADERS, "body": {"errors": [{"code": "UNAUTHORIZED", "message": "x", "detail": None}]}},
    {"status": 404, "headers": _REGISTRY_HEADERS, "body": {"errors": [{"code": "MANIFEST_UNKNOWN"}]}},
    {"status": 429, "headers": {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "body": {}},
)  # fmt: skip

# --- Prometheus, REST, probes ----------------------------------------------------------------------------------------

_VECTOR = {"status": "success", "data": {"resultType": "vector", "result": [
    {"metric": {"__name__": "up", "job": "a"}, "value": [1793000000.1, "1"]}, {"metric": {}, "value": [1793000000.1, "NaN"]}]}}  # fmt: skip
_SCALAR = {"status": "success", "data": {"resultType": "scalar", "result": [1793000000.1, "+Inf"]}}
_REFUSED = {"status": "error", "errorType": "bad_data", "error": "parse error"}
_TARGETS_ANSWER = {"status": "success", "data": {"droppedTargets": [], "activeTargets": [
    {"scrapeUrl": "http://10.0.0.1:9090/metrics", "health": "up", "labels": {"job": "a", "instance": "x"}, "lastError": ""}]}}  # fmt: skip


def _prometheus(body: bytes) -> None:
    for status in (200, 400, 422):
        try:
            found = parse_query_result(HttpAnswer(status, {}, body))
        except HwplanError:
            continue
        for expect in ({"count": 1}, {"value": 1.0}, {"range": [0, 1]}):
            unmet_query_expectation(expect, found)
            query_outputs(expect, found)


def _probe(body: bytes) -> None:
    expected = ExpectedResponse(
        200, {"commit": "a" * 40, "items[0].name": "x", "deep[name=a].b": {"c": [1]}}, {"x": "y"}
    )
    unmet_probe_expectations(expected, ProbeResponse(200, {}, body))


def _rest(pages: RestPaging | None) -> Callable[[bytes], object]:
    collection = RestCollection("https://api.example/v1", "/g", "/g/{id}", ("id",), ("items",), pages=pages)

    def parse(data: bytes) -> None:
        web = _split(data)
        asked = []

        def ask(url: str) -> tuple[Any, str]:
            asked.append(url)
            if len(asked) > 20:
                raise _Enough
            try:
                return parse_json_body(web.body), web.headers.get("link", "")
            except ValueError:
                raise _Enough from None

        list_all_pages(collection, ask)

    return parse


class _Enough(HwplanError):
    """The test ends a list that is none."""

    def __init__(self) -> None:
        super().__init__("enough")


_PAGE = {"items": [{"id": 1, "name": "a"}, {"id": "b"}], "next": "abc", "total": 2}
_PAGES: tuple[Any, ...] = (
    {"headers": {"link": '<https://api.example/v1/g?page=2>; rel="next"'}, "body": _PAGE},
    _PAGE,
    {"body": {"items": []}},
)
_HOOKS = (
    'failed calling webhook "a.example.com": failed to call webhook: Post "https://x.y.svc:443/a?timeout=10s": dial tcp: connection refused',
    'admission webhook "a.example.com" denied the request: no',
    'failed calling webhook "v": could not get REST client: unable to load root certificates: x509: x',
    "Internal error occurred: conversion webhook for a/v1, Kind=B failed: Post: context deadline exceeded",
)  # fmt: skip

TARGETS = (
    FuzzTarget("http: head, body, chunks, gzip", _EXCHANGES, _exchange, (ConnectionBroken,)),
    FuzzTarget("http: JSON", (_VECTOR, _PULL, _INDEX), parse_json_answer, (ValueError,)),
    FuzzTarget("http: Link", (_HEADERS["link"], "<?page=2>; rel=next", '</a?b=1,2>; title="x, <y>"; rel="last next"'), next_link),
    FuzzTarget("http: Retry-After", ("3", "Wed, 21 Oct 2026 07:28:00 GMT", "Wednesday, 21-Oct-26 07:28:00 GMT"),
               lambda text: retry_after_seconds({"retry-after": text})),
    *(FuzzTarget(f"github: {name}", seeds, _github(ask)) for name, seeds, ask in GITHUB),
    FuzzTarget("github: token of an App", _answers({"token": "ghs_x", "expires_at": "2026-11-22T10:00:00Z"}), _app),
    FuzzTarget("github: limits", (*({key: one} for key, one in _HEADERS.items()), _HEADERS), lambda data: [
        rate_limit_wait(status, _split(b'{"body":0,"headers":' + data + b"}").headers, "secondary rate limit", times)
        for status in (403, 429) for times in (0, 9)]),
    FuzzTarget("registry: manifest and index", (_MANIFEST, _INDEX), _manifest),
    FuzzTarget("registry: answers", _REGISTRY, _registry),
    FuzzTarget("registry: challenge", _CHALLENGES, _parse),
    FuzzTarget("registry: token", ({"token": "x", "expires_in": 300, "issued_at": "x"}, {"access_token": "y"}), lambda body: _token(body, "a")),
    FuzzTarget("registry: refusal", (_REGISTRY[2]["body"],), lambda body: [
        registry_refusal_error(HttpAnswer(status, {}, body), "a") for status in (400, 401, 429)]),
    FuzzTarget("registry: config.json", ({"auth": "dXNlcjpwYXNz"}, {"username": "a", "password": "b"}), lambda data: _pair(
        document if isinstance(document := parse_json_answer(data), dict) else {}), (ValueError,)),
    FuzzTarget("prometheus: query", (_VECTOR, _SCALAR, _REFUSED), _prometheus),
    FuzzTarget("prometheus: targets", (_TARGETS_ANSWER,), lambda body: parse_scrape_targets(HttpAnswer(200, {}, body))),
    FuzzTarget("probe: body", ({"commit": "a" * 40, "items": [{"name": "x"}], "deep": [{"name": "a", "b": {"c": [1]}}]},), _probe),
    FuzzTarget("rest: linked pages", _PAGES, _rest(None)),
    FuzzTarget("rest: numbered pages", _PAGES, _rest(RestPaging(total=("total",)))),
    FuzzTarget("rest: pages by cursor", _PAGES, _rest(RestPaging("cursor", "after", next=("next",)))),
    FuzzTarget("rest: refusal", ({"detail": "no"}, {"error": {"message": "x"}}), _words),
    FuzzTarget("webhook: failure", _HOOKS, lambda text: [webhook_call_failure(code, text, "x") for code in (403, 500, 503)]),
)  # fmt: skip
