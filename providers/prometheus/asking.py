"""Asking Prometheus: one instant query over the network, or in a sandbox its canned answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, urlsplit

from planner.errors import ProviderError, TemporaryError
from planner.values import Json, JsonObject
from providers.canned import read_answers
from providers.probes.asking import LIMITS
from providers.prometheus.result import Refused, Result, number_text, result_of
from providers.web.addresses import refuse_special
from providers.web.client import WebClient

Ask: TypeAlias = Callable[[str, str], Result]


def over_the_network(client: WebClient | None = None) -> Ask:
    """Ask the server with a GET. The returned function raises TemporaryError when no usable answer came, Refused for a
    query that is none, PermanentError where nobody may ask."""
    asked = client or WebClient(LIMITS, vet=refuse_special)

    def ask(server: str, promql: str) -> Result:
        url = f"{_base(server)}/api/v1/query?query={quote(promql, safe='')}"
        answer = asked.request("GET", url, {"Accept": "application/json"})
        try:
            return result_of(answer)
        except ProviderError as error:
            error.where = error.where or urlsplit(server).netloc
            raise

    return ask


def _base(server: str) -> str:
    try:
        parts = urlsplit(server)
    except ValueError:
        raise Refused("this is no URL of a Prometheus", remedy="correct spec.server") from None
    if parts.query or parts.fragment or parts.scheme not in ("http", "https"):
        raise Refused("this is no base URL of a Prometheus", remedy="write spec.server without `?` and `#`")
    return server.rstrip("/")


def from_answers(path: Path) -> Ask:
    """Ask the `queries` of a sandbox's canned answers, read once: `promql` and `value`, a number or a list of them.

    An unknown query gets no answer. Raises PermanentError when the file cannot be read.
    """
    answers = read_answers(path, "queries", _row, fields="promql, value")

    def ask(server: str, promql: str) -> Result:
        if promql not in answers:
            raise TemporaryError("the sandbox has no canned answer for this query", where=path.name)
        return answers[promql]

    return ask


def _row(row: JsonObject) -> tuple[str, Result]:
    return str(row["promql"]), _result(row["value"])


def _result(value: Json) -> Result:
    return Result(tuple(number_text(one) for one in (value if isinstance(value, list) else [value])))
