"""One HTTPS transport to one API server, on the standard library: bounded keep-alive pool, deadlines, safe retries.

Every request has a total deadline besides the time-out of a single read, so that a server that drips bytes cannot hold
us. Redirects are not followed, proxies of the environment are not used, answers are capped after decompression, and
credentials go nowhere but to the server of the connection. What may be sent again is decided by the caller
(`repeatable`); when a write's answer is lost for good, the error is OutcomeUnknown, never "failed".

Knows HTTP and TLS; knows nothing of kinds and objects.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http.client import UNAUTHORIZED

from planner.errors import OutcomeUnknown, PreconditionError, ProviderError, TemporaryError
from providers.kubernetes.errors import ServerBusy, Unauthorized, Unreachable
from providers.kubernetes.kubeconfig import Connection
from providers.kubernetes.wire import Limits, Lost, Pool, Request, Upgraded
from providers.kubernetes.wire_reading import Answer

_MAX_TRIES = 10
_BACKOFF_FIRST = 0.1
_BACKOFF_MOST = 5.0
_MAYBE_DONE = frozenset({500, 502, 504})  # the server may have done it before it gave up


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on, in seconds: `total` for a request with all its retries, `busy` while the server is busy or
    connections break, `unreachable` while none comes about."""

    total: float = 90.0
    busy: float = 30.0
    unreachable: float = 1.0


DEFAULT_LIMITS = Limits()
DEFAULT_PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Stats:
    """Counters since the start: requests sent (retries included), retries, connections opened, bytes on the wire."""

    requests: int = 0
    retries: int = 0
    connections: int = 0
    sent: int = 0
    received: int = 0


class Transport:
    """Sends requests to the server of `connection`. Threads share it; `parallelism` bounds its connections."""

    def __init__(
        self,
        connection: Connection,
        *,
        parallelism: int = 16,
        limits: Limits = DEFAULT_LIMITS,
        patience: Patience = DEFAULT_PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pool = Pool(connection, parallelism, limits)
        self._patience = patience
        self._sleep = sleep
        self._lock = threading.Lock()
        self._stats = Stats()

    @property
    def stats(self) -> Stats:
        """The counters now."""
        return replace(self._stats, connections=self._pool.opened)

    def send(self, request: Request) -> Answer:
        """The answer, its status in 200..299. Anything else raises what providers.kubernetes.answers makes of it.

        Raises OutcomeUnknown when a write's answer was lost and sending it again did not tell what became of it.
        """
        return _Sending(self, request).run()

    def upgrade(self, request: Request, headers: Sequence[tuple[str, str]]) -> Upgraded:
        """A connection of its own that speaks the protocol which `headers` ask for. Tried once, again only with new
        credentials: what begins on the other side may have an effect.

        Raises OutcomeUnknown when the answer was lost; any other error says that nothing began.
        """
        generation = self.generation
        answer = self._upgrade_once(request, headers)
        if not isinstance(answer, Upgraded) and answer.status == UNAUTHORIZED and self.renew(generation):
            answer = self._upgrade_once(request, headers)
        if isinstance(answer, Upgraded):
            return answer
        raise _refusal(request, answer)

    def _upgrade_once(self, request: Request, headers: Sequence[tuple[str, str]]) -> Upgraded | Answer:
        try:
            answer = self._pool.upgrade(request, headers, time.monotonic() + self._patience.total)
        except Lost as error:
            if error.before:
                raise Unreachable(f"the connection broke: {error.reason}", where=request.where) from None
            raise _unknown(request) from None
        with self._lock:
            self._stats = replace(self._stats, requests=self._stats.requests + 1)
        return answer

    def close(self) -> None:
        """Close the idle connections. The transport opens new ones when it is used again."""
        self._pool.close()

    # --- for _Sending --------------------------------------------------------------------------------------------

    def once(self, request: Request, deadline: float) -> Answer:
        """One try: one request, one answer of any status. Raises Unreachable, Untrusted, TooLarge or Lost."""
        answer = self._pool.exchange(request, deadline)
        with self._lock:
            self._stats = replace(
                self._stats,
                requests=self._stats.requests + 1,
                sent=self._stats.sent + len(request.body),
                received=self._stats.received + answer.size,
            )
        return answer

    def pause(self, seconds: float) -> None:
        """Wait before another try, and count it."""
        with self._lock:
            self._stats = replace(self._stats, retries=self._stats.retries + 1)
        self._sleep(seconds)

    def renew(self, generation: int) -> bool:
        """Get credentials anew, unless that was done since `generation`; False when this connection has no way to."""
        return self._pool.renew(generation)

    @property
    def generation(self) -> int:
        """Which credentials are in use, counted from 0."""
        return self._pool.generation

    @property
    def patience(self) -> Patience:
        """The time budgets."""
        return self._patience


class _Sending:
    """One request on its way, with its retries: how often, how long, and whether an answer was lost already."""

    def __init__(self, transport: Transport, request: Request) -> None:
        self.transport = transport
        self.request = request
        self.started = time.monotonic()
        self.tries = 0
        self.lost = False
        self.renewed = False
        self.generation = 0

    def run(self) -> Answer:
        while True:
            self.tries += 1
            self.generation = self.transport.generation
            try:
                answer = self.transport.once(self.request, self.started + self.transport.patience.total)
            except Lost as error:
                self._after_loss(error)
                continue
            except Unreachable as error:
                self._wait(error, self.transport.patience.unreachable)
                continue
            if 200 <= answer.status <= 299:
                return answer
            self._after_refusal(answer)

    def _after_refusal(self, answer: Answer) -> None:
        """Return to try again, or raise."""
        error = _classified(self.request, answer)
        if isinstance(error, Unauthorized) and not self.renewed and self.transport.renew(self.generation):
            self.renewed = True
            return
        if isinstance(error, ServerBusy):
            if answer.status in _MAYBE_DONE and self.request.effect:
                self.lost = True
            if not self.lost or self.request.repeatable:
                self._wait(error, self.transport.patience.busy)
                return
            raise self._unknown() from None
        if self.lost and isinstance(error, PreconditionError):
            raise self._unknown() from None  # perhaps our own first write is what moved it
        raise error

    def _after_loss(self, error: Lost) -> None:
        """Return to try again, or raise. A stale connection of the pool costs neither a try nor time."""
        if self.request.effect and not error.before:
            self.lost = True
            if not self.request.repeatable:
                raise self._unknown() from None
        if error.stale and self.tries <= 3:
            self.transport.close()  # what idles beside it is stale as well
            return
        self._wait(
            Unreachable(f"the connection broke: {error.reason}", where=self.request.where), self.transport.patience.busy
        )

    def _wait(self, error: TemporaryError, budget: float) -> None:
        """Sleep before another try. When the budget is used up: `error`, or OutcomeUnknown after a lost answer."""
        pause = error.retry_after or min(_BACKOFF_FIRST * 2 ** (self.tries - 1), _BACKOFF_MOST) * _jitter()
        elapsed = time.monotonic() - self.started
        if self.tries >= _MAX_TRIES or elapsed + pause > min(budget, self.transport.patience.total):
            raise self._unknown() if self.lost else error
        self.transport.pause(pause)

    def _unknown(self) -> ProviderError:
        return _unknown(self.request)


def _classified(request: Request, answer: Answer) -> ProviderError:
    from providers.kubernetes.answers import classify  # a table of patterns, for refusals only

    headers = answer.headers
    return classify(
        answer.status,
        headers.get("content-type", ""),
        answer.body,
        where=request.where,
        retry_after=headers.get("retry-after"),
    )


def _refusal(request: Request, answer: Answer) -> ProviderError:
    """What an upgrade that was refused means. An API server says so with a Status, and has begun nothing then; a
    gateway on the way may have lost an upgrade that the server agreed to."""
    from providers.kubernetes.answers import status_of

    if answer.status in _MAYBE_DONE and not status_of(answer.headers.get("content-type", ""), answer.body):
        return _unknown(request)
    return _classified(request, answer)


def _unknown(request: Request) -> OutcomeUnknown:
    return OutcomeUnknown(
        "the answer of the server was lost: whether the write took effect is not known",
        where=request.where,
        remedy="run it again: it reads the object first",
    )


def _jitter() -> float:
    """Between 0.5 and 1, so that parallel requests do not come back together."""
    return 0.5 + int.from_bytes(os.urandom(2), "big") / 0x1FFFE
