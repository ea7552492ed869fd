"""Sends requests to GitHub, and reads their answers: headers, entity tags, pages, limits, one write a second. Knows no
endpoint.

A read is repeated while GitHub is busy. A write is sent again only when GitHub said that it did nothing (a limit);
where that is not known, OutcomeUnknown is raised and its caller reads. A list is complete or an error.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from math import ceil
from urllib.parse import urlencode, urljoin, urlsplit

from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PermanentError, ProviderError, TemporaryError
from planner.values import Json, JsonObject
from providers.github.credentials import AnonymousCredential, GitHubCredential, WebSender
from providers.github.rate_limits import RateLimitQuota, WritePace, rate_limit_wait, read_quota, server_time_of_answer
from providers.http.read_answer import HttpAnswer
from providers.http.retries import RetryLimits, repeat_on_temporary_error
from providers.web.json_body import parse_json_body
from providers.web.link_header import next_link

API = "https://api.github.com"
VERSION = "2022-11-28"
_MOST_PAGES = 1_000
_TRIES = 4  # of a request that meets a limit
_SAID = 200  # characters of GitHub's own words


@dataclass(frozen=True, slots=True)
class GitHubAnswer:
    """An answer that was asked for: its status, its document (None for an empty body), and its headers."""

    status: int
    document: Json = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def message(self) -> str:
        """GitHub's words in a refusal, "" where it has none. Foreign text."""
        found = self.document.get("message") if isinstance(self.document, dict) else ""
        return found if isinstance(found, str) else ""


class GitHubLimitReached(TemporaryError):
    """A limit of GitHub is reached; `retry_after` is how long it lasts, in seconds."""


@dataclass(slots=True)
class GitHubConnection:
    """One account at one GitHub. Threads may share it: requests are sent one after another, as GitHub asks.

    `patience` is the longest pause, in seconds, that a limit may cost; a longer one is a TemporaryError that says how
    long. `requests` counts what was sent, `quota` and `ahead` are those of the last answer.
    """

    web: WebSender
    base: str = API
    credential: GitHubCredential = field(default_factory=AnonymousCredential)
    pace: WritePace = field(default_factory=WritePace)
    retries: RetryLimits = field(default_factory=lambda: RetryLimits(first=0.5))
    patience: float = 150.0
    sleep: Callable[[float], None] = time.sleep
    quota: RateLimitQuota | None = None
    requests: int = 0
    steady: Callable[[], float] = time.monotonic
    _server: float | None = None  # the server's clock at the last answer, less `steady` then
    _tagged: dict[str, tuple[str, GitHubAnswer]] = field(default_factory=dict, repr=False)
    _login: str | None = None
    _turn: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def host(self) -> str:
        """The host, for errors."""
        return urlsplit(self.base).netloc

    def server_time(self) -> float:
        """Seconds since the epoch by the server's clock, whatever ours was set to since its last answer; ours before
        the first."""
        return time.time() if self._server is None else self._server + self.steady()

    def login(self) -> str:
        """The account in whose name is written. Asked once."""
        with self._turn:
            if self._login is None:
                self._login = self.credential.login(self.web, self.base)
            if self._login is None:
                document = self.get("/user").document
                if not isinstance(document, dict) or not isinstance(document.get("login"), str):
                    raise self.broken("/user", "it does not say who we are")
                self._login = document["login"]
            return self._login

    def get(self, path: str, accepted: Collection[int] = (200,), **query: str) -> GitHubAnswer:
        """Read one document. Statuses besides `accepted` are raised as errors."""
        return self._read(self._url(path, query), path, accepted)

    def pages(self, path: str, inside: str = "", **query: str) -> list[JsonObject]:
        """A whole list, 100 a page; `inside` is the field that holds it beside `total_count`.

        Raises ProviderError when any page cannot be had: nothing is decided on half a list (P1).
        """
        found: list[JsonObject] = []
        url: str | None = self._url(path, {**query, "per_page": "100"})
        for _ in range(_MOST_PAGES):
            if url is None:
                return found
            answer = self._read(url, path, (200,))
            items = answer.document.get(inside) if inside and isinstance(answer.document, dict) else answer.document
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise self.broken(path, "a list was expected")
            found += items
            url = self._following(url, answer, path)
            total = answer.document.get("total_count") if isinstance(answer.document, dict) else None
            if url is None and isinstance(total, int) and len(found) < total:
                raise TemporaryError(f"{path}: the list is shorter than it says", where=self.host)
        raise self.broken(path, "the list has no end")

    def write(self, method: str, path: str, body: JsonObject, accepted: Collection[int]) -> GitHubAnswer:
        """Send one write. Statuses besides `accepted` are raised as errors; OutcomeUnknown where nobody can say whether
        it took effect: the answer was lost, or GitHub answers 5xx."""
        data = json.dumps(body, allow_nan=False).encode()
        url = self._url(path, {})

        def send() -> HttpAnswer:
            self.pace.wait()
            try:
                return self._send(method, url, {"Content-Type": "application/json"}, data)
            except TemporaryError as error:  # a PUT or DELETE whose answer was lost is that to the client
                raise OutcomeUnknown(error.message, where=self.host, remedy="run it again: it reads first") from None

        with self._turn:
            answer = self._answered(send)
        if answer.status >= 500:
            raise OutcomeUnknown(
                f"GitHub answers {answer.status}: whether it took effect is not known", where=self.host
            )
        return self._checked(answer, method, path, accepted)

    def broken(self, path: str, what: str) -> PermanentError:
        """The error for an answer that is not what GitHub's description says."""
        return PermanentError(f"{path}: {what}", where=self.host, remedy="is this the API of a GitHub?")

    def _read(self, url: str, path: str, accepted: Collection[int]) -> GitHubAnswer:
        tag, known = self._tagged.get(url, ("", None))

        def once() -> GitHubAnswer | GitHubLimitReached:
            try:
                with self._turn:
                    answer = self._answered(lambda: self._send("GET", url, {"If-None-Match": tag} if tag else {}, b""))
            except GitHubLimitReached as limit:
                return limit  # asking again would not help
            if answer.status in (408, 425) or answer.status >= 500:
                raise TemporaryError(f"GitHub answers {answer.status}", where=self.host)
            return answer

        answer = repeat_on_temporary_error(once, self.retries)
        if isinstance(answer, GitHubLimitReached):
            raise answer
        if answer.status == 304 and known is not None:
            return known
        if answer.status == 200 and answer.headers.get("etag"):
            self._tagged[url] = (answer.headers["etag"], answer)
        return self._checked(answer, "GET", path, accepted)

    def _answered(self, send: Callable[[], HttpAnswer]) -> GitHubAnswer:
        """The answer, after the pauses that limits ask for. Raises GitHubLimitReached when they ask for too long."""
        for times in range(_TRIES):
            answer = self._document(send())
            if answer.status == 401 and times == 0 and self.credential.forget():
                continue
            self.quota = read_quota(answer.headers) or self.quota
            ours = time.time()  # it has the part of the second that a `Date` has not: the difference is whole seconds
            self._server = ours + ceil(server_time_of_answer(answer.headers) - ours) - self.steady()
            seconds = rate_limit_wait(answer.status, answer.headers, answer.message, times)
            if seconds is None:
                return answer
            if seconds > self.patience or times == _TRIES - 1:
                break
            self.sleep(seconds)
        raise GitHubLimitReached("GitHub's limit of requests is reached", where=self.host, retry_after=seconds or 0.0)

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> HttpAnswer:
        sent = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION, **headers}
        if authorization := self.credential.header(self.web, self.base):
            sent["Authorization"] = authorization
        self.requests += 1
        return self.web.request(method, url, sent, body)

    def _document(self, answer: HttpAnswer) -> GitHubAnswer:
        try:
            document = parse_json_body(answer.body) if answer.body else None
        except ValueError:
            if answer.status < 400:
                raise self.broken("an answer", "it is no JSON") from None
            document = None  # a proxy's page
        return GitHubAnswer(answer.status, document, answer.headers)

    def _checked(self, answer: GitHubAnswer, method: str, path: str, accepted: Collection[int]) -> GitHubAnswer:
        if answer.status in accepted:
            return answer
        raise _refusal(answer, f"{method} {path}", self.host)

    def _following(self, url: str, answer: GitHubAnswer, path: str) -> str | None:
        target = next_link(answer.headers.get("link", ""))
        if target is None:
            return None
        try:
            following = urljoin(url, target)
            same = urlsplit(following)[:2] == urlsplit(self.base)[:2]
        except ValueError:
            following, same = "", False
        if not same or following == url:
            raise self.broken(path, "the next page is somewhere else")
        return following

    def _url(self, path: str, query: Mapping[str, str]) -> str:
        return f"{self.base}{path}" + (f"?{urlencode(sorted(query.items()))}" if query else "")


def _refusal(answer: GitHubAnswer, what: str, host: str) -> ProviderError:
    said = f": {json.dumps(answer.message[:_SAID])}" if answer.message else ""
    remedies = {
        401: "name a valid token in `access.tokenFile`",
        403: "give the token the rights that it needs (docs/github.md)",
        404: "check the repository and the number, and whether the token may see it",
        410: "issues are disabled in this repository",
    }
    error = f"GitHub answers {answer.status} to {what}{said}"
    return PermanentError(error, where=host, remedy=remedies.get(answer.status, ""))
