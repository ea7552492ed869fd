"""One HTTPS transport to one API server: bounded keep-alive pool, deadlines, safe retries.

Every request has a total deadline besides the time-out of a single read, so that a server that drips bytes cannot hold
us. Redirects are not followed, proxies of the environment are not used, answers are capped after decompression, and
credentials go nowhere but to the server of the connection. What may be sent again is decided by the caller
(`repeatable`); when a write's answer is lost for good, the error is OutcomeUnknown, never "failed".

Knows HTTP and TLS; knows nothing of kinds and objects.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown, PreconditionError, ProviderError, TemporaryError
from providers.http.connections import UpgradedConnection
from providers.http.errors import ConnectionBroken, ConnectionLostSafeToResend, UndecodableBody, Unreachable
from providers.http.read_answer import HttpAnswer
from providers.http.retries import RetryLimits, repeat_on_temporary_error
from providers.http.server_clock import ServerClock
from providers.kubernetes.client.api_exchange import ApiExchangeLimits, ApiRequest, ConnectionPool
from providers.kubernetes.client.kubeconfig import ApiServerConnectionSettings
from providers.kubernetes.errors import ServerBusy, Unauthorized, UnrecognizedServerAnswer

_UNAUTHORIZED = 401
_RETRIES = RetryLimits(tries=10, first=0.1, longest=5.0)
_MOST_STALE = 3  # connections of the pool that were closed meanwhile: they cost neither a try nor time
_MAYBE_DONE = frozenset({500, 502, 504})  # the server may have done it before it gave up


@dataclass(frozen=True, slots=True)
class RetryTimeLimits:
    """How long to go on, in seconds: `total` for a request with all its retries, `busy` while the server is busy or
    connections break, `unreachable` while none comes about."""

    total: float = 90.0
    busy: float = 30.0
    unreachable: float = 1.0


DEFAULT_LIMITS = ApiExchangeLimits()
DEFAULT_PATIENCE = RetryTimeLimits()


@dataclass(frozen=True, slots=True)
class TransportStats:
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
        connection: ApiServerConnectionSettings,
        *,
        parallelism: int = 16,
        limits: ApiExchangeLimits = DEFAULT_LIMITS,
        patience: RetryTimeLimits = DEFAULT_PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pool = ConnectionPool(connection, parallelism, limits)
        self._patience = patience
        self._sleep = sleep
        self.retries = replace(_RETRIES, total=patience.total, sleep=self.pause)
        self._lock = threading.Lock()
        self._stats = TransportStats()
        self.clock = ServerClock()

    @property
    def stats(self) -> TransportStats:
        """The counters now."""
        return replace(self._stats, connections=self._pool.opened)

    def send(self, request: ApiRequest) -> HttpAnswer:
        """The answer, its status in 200..299. Anything else raises the error that `client.answers` makes of it.

        Raises OutcomeUnknown when a write's answer was lost and sending it again did not say what became of it.
        """
        return _Sending(self, request).run()

    def upgrade(self, request: ApiRequest, headers: Sequence[tuple[str, str]]) -> UpgradedConnection:
        """A connection of its own that speaks the protocol which `headers` ask for. Tried once, again only with new
        credentials: what begins on the other side may have an effect.

        Raises OutcomeUnknown when the answer was lost; any other error says that nothing began.
        """
        generation = self.generation
        answer = self._upgrade_once(request, headers)
        if not isinstance(answer, UpgradedConnection) and answer.status == _UNAUTHORIZED and self.renew(generation):
            answer = self._upgrade_once(request, headers)
        if isinstance(answer, UpgradedConnection):
            return answer
        raise _refusal(request, answer)

    def _upgrade_once(self, request: ApiRequest, headers: Sequence[tuple[str, str]]) -> UpgradedConnection | HttpAnswer:
        try:
            answer = self._pool.upgrade(request, headers, time.monotonic() + self._patience.total)
        except ConnectionBroken as error:
            if error.before:
                raise Unreachable(f"the connection broke: {error.reason}", where=request.where) from None
            raise _unknown(request) from None
        self._count(requests=1)
        return answer

    def close(self) -> None:
        """Close the idle connections. The transport opens new ones when it is used again."""
        self._pool.close()

    # --- for _Sending --------------------------------------------------------------------------------------------

    def once(self, request: ApiRequest, deadline: float) -> HttpAnswer:
        """One try: one request, one answer of any status. Raises as `ConnectionPool.exchange`."""
        answer = self._pool.exchange(request, deadline)
        self.clock.hear(answer.headers)
        self._count(requests=1, sent=len(request.body), received=answer.size)
        return answer

    def pause(self, seconds: float) -> None:
        """Wait before another try, and count it."""
        self._count(retries=1)
        self._sleep(seconds)

    def _count(self, requests: int = 0, retries: int = 0, sent: int = 0, received: int = 0) -> None:
        with self._lock:
            so_far = self._stats
            self._stats = TransportStats(
                requests=so_far.requests + requests,
                retries=so_far.retries + retries,
                sent=so_far.sent + sent,
                received=so_far.received + received,
            )

    def renew(self, generation: int) -> bool:
        """Get credentials anew, unless that was done since `generation`; False when this connection has no way to."""
        return self._pool.renew(generation)

    @property
    def generation(self) -> int:
        """Which credentials are in use, counted from 0."""
        return self._pool.generation

    @property
    def patience(self) -> RetryTimeLimits:
        """The time budgets."""
        return self._patience


class _Sending:
    """One request on its way, with its retries: until when, and whether an answer was lost already."""

    def __init__(self, transport: Transport, request: ApiRequest) -> None:
        self.transport = transport
        self.request = request
        self.until = time.monotonic() + transport.patience.total
        self.lost = False
        self.renewed = False
        self.stale = 0

    def run(self) -> HttpAnswer:
        """The answer, or the last error; OutcomeUnknown instead of it once an answer of a write was lost."""
        try:
            return repeat_on_temporary_error(self._try, self.transport.retries, self._budget)
        except TemporaryError:
            if self.lost:
                raise _unknown(self.request) from None
            raise

    def _budget(self, error: TemporaryError) -> float:
        """Seconds for which an error is worth waiting. A server that says what is wrong, such as a webhook that does
        not answer, is not asked again."""
        if not isinstance(error, ServerBusy | Unreachable | ConnectionLostSafeToResend):
            return 0.0
        connecting = isinstance(error, Unreachable) and not isinstance(error, ConnectionLostSafeToResend)
        return self.transport.patience.unreachable if connecting else self.transport.patience.busy

    def _try(self) -> HttpAnswer:
        """One try. What it raises is worth another one when it is a TemporaryError."""
        generation = self.transport.generation
        answer = self._answer()
        if 200 <= answer.status <= 299:
            return answer
        error = _classified(self.request, answer)
        if isinstance(error, Unauthorized) and not self.renewed and self.transport.renew(generation):
            self.renewed = True
            return self._try()
        raise self._refusal(answer.status, error)

    def _answer(self) -> HttpAnswer:
        while True:
            try:
                return self.transport.once(self.request, self.until)
            except ConnectionBroken as error:
                self._after_loss(error)

    def _after_loss(self, error: ConnectionBroken) -> None:
        """Return to try again at once, or raise."""
        if self.request.effect and not error.before:
            self.lost = True
            if not self.request.repeatable or isinstance(error, UndecodableBody):
                raise _unknown(self.request) from None
        if isinstance(error, UndecodableBody):
            raise UnrecognizedServerAnswer(error.reason, where=self.request.where, remedy=error.remedy) from None
        if not error.stale or self.stale >= _MOST_STALE:
            raise ConnectionLostSafeToResend(
                f"the connection broke: {error.reason}", where=self.request.where
            ) from None
        self.stale += 1
        self.transport.close()  # what idles beside it is stale as well

    def _refusal(self, status: int, error: ProviderError) -> ProviderError:
        if isinstance(error, ServerBusy):
            self.lost = self.lost or (status in _MAYBE_DONE and self.request.effect)
            return error if not self.lost or self.request.repeatable else _unknown(self.request)
        if self.lost and isinstance(error, PreconditionError):
            return _unknown(self.request)  # perhaps our own first write is what moved it
        return error


def _classified(request: ApiRequest, answer: HttpAnswer) -> ProviderError:
    from providers.kubernetes.client.answer_errors import classify_answer  # a table of patterns, for refusals only

    headers = answer.headers
    return classify_answer(
        answer.status,
        headers.get("content-type", ""),
        answer.body,
        where=request.where,
        retry_after=headers.get("retry-after"),
    )


def _refusal(request: ApiRequest, answer: HttpAnswer) -> ProviderError:
    """What an upgrade that was refused means. An API server says so with a Status, and has begun nothing then; a
    gateway on the way may have lost an upgrade that the server agreed to."""
    from providers.kubernetes.client.answer_errors import parse_status_answer

    if answer.status in _MAYBE_DONE and not parse_status_answer(answer.headers.get("content-type", ""), answer.body):
        return _unknown(request)
    return _classified(request, answer)


def _unknown(request: ApiRequest) -> OutcomeUnknown:
    return OutcomeUnknown(
        "the answer of the server was lost: whether the write took effect is not known",
        where=request.where,
        remedy="run it again: it reads the object first",
    )
