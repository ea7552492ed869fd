"""Asking Prometheus: one instant query over the network, or in a sandbox its canned answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, urlsplit

from planner.errors import ProviderError, TemporaryError
from planner.values import JsonObject, JsonValue
from providers.canned_answers import read_canned_answers
from providers.prometheus.query_result import QueryRefused, QueryResult, parse_query_result, prometheus_number_text
from providers.web.address_policy import refuse_link_local_or_metadata_address
from providers.web.bounded_http_client import QUESTION_LIMITS, BoundedHttpClient

Ask: TypeAlias = Callable[[str, str], QueryResult]


def create_network_querier(client: BoundedHttpClient | None = None) -> Ask:
    """Create the function that sends a PromQL query over the network and gives its result. It raises TemporaryError
    when no usable answer came, QueryRefused for a query that is none, PermanentError where nobody may ask."""
    asked = client or BoundedHttpClient(QUESTION_LIMITS, vet=refuse_link_local_or_metadata_address)

    def ask(server: str, promql: str) -> QueryResult:
        url = f"{prometheus_base_url(server)}/api/v1/query?query={quote(promql, safe='')}"
        answer = asked.request("GET", url, {"Accept": "application/json"})
        try:
            return parse_query_result(answer)
        except ProviderError as error:
            error.where = error.where or urlsplit(server).netloc
            raise

    return ask


def prometheus_base_url(server: str) -> str:
    """The base URL of a Prometheus without a slash at its end. Raises QueryRefused where it is none."""
    try:
        parts = urlsplit(server)
    except ValueError:
        raise QueryRefused("this is no URL of a Prometheus", remedy="correct spec.server") from None
    if parts.query or parts.fragment or parts.scheme not in ("http", "https"):
        raise QueryRefused("this is no base URL of a Prometheus", remedy="write spec.server without `?` and `#`")
    return server.rstrip("/")


def create_canned_answers_querier(path: Path) -> Ask:
    """Create the function that answers a PromQL query from the `queries` of a sandbox's canned answers, read once:
    `promql` and `value`, a number or a list of them.

    An unknown query gets no answer. Raises PermanentError when the file cannot be read.
    """
    answers = read_canned_answers(path, "queries", _row, fields="promql, value")

    def ask(server: str, promql: str) -> QueryResult:
        if promql not in answers:
            raise TemporaryError("the sandbox has no canned answer for this query", where=path.name)
        return answers[promql]

    return ask


def _row(row: JsonObject) -> tuple[str, QueryResult]:
    return str(row["promql"]), _result(row["value"])


def _result(value: JsonValue) -> QueryResult:
    return QueryResult(tuple(prometheus_number_text(one) for one in (value if isinstance(value, list) else [value])))
