"""What a Prometheus scrapes: its active targets, over the network or from the canned answers of a sandbox.

Source: Prometheus HTTP API, "Targets". Several of one job and address differ in their path.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError, TemporaryError
from planner.values import Json, JsonObject
from providers.canned_answers import read_canned_answers
from providers.http.read_answer import HttpAnswer
from providers.json_answer import parse_json_answer
from providers.prometheus.send_query import prometheus_base_url
from providers.web.address_policy import refuse_link_local_or_metadata_address
from providers.web.bounded_http_client import QUESTION_LIMITS, BoundedHttpClient

_HEALTH = frozenset(("up", "down", "unknown"))


@dataclass(frozen=True, slots=True, order=True)
class ScrapedTarget:
    """One target: job, `host:port`, path, `up`, `down` or `unknown`, and why it is down."""

    job: str
    address: str
    path: str
    health: str
    error: str = ""


AskTargets: TypeAlias = Callable[[str], tuple[ScrapedTarget, ...]]


def create_network_target_lister(client: BoundedHttpClient | None = None) -> AskTargets:
    """Create the function that lists the scrape targets of a Prometheus over the network. It raises TemporaryError when
    no usable answer came, PermanentError where nobody may ask."""
    asked = client or BoundedHttpClient(QUESTION_LIMITS, vet=refuse_link_local_or_metadata_address)

    def ask(server: str) -> tuple[ScrapedTarget, ...]:
        answer = asked.request(
            "GET", f"{prometheus_base_url(server)}/api/v1/targets?state=active", {"Accept": "application/json"}
        )
        try:
            return parse_scrape_targets(answer)
        except ProviderError as error:
            error.where = error.where or urlsplit(server).netloc
            raise

    return ask


def create_canned_target_lister(path: Path) -> AskTargets:
    """Create the function that lists the `targets` of a sandbox's canned answers: `job`, `address`, and `path`,
    `health`, `error` where they are not `/metrics`, `up` and none. Raises PermanentError when the file cannot be
    read."""
    rows = read_canned_answers(path, "targets", lambda row: (_of_row(row), None), fields="job, address, health")
    return lambda server: tuple(sorted(rows))


def _of_row(row: JsonObject) -> ScrapedTarget:
    health = str(row.get("health", "up"))
    if health not in _HEALTH:
        raise ValueError
    return ScrapedTarget(
        str(row["job"]), str(row["address"]), str(row.get("path", "/metrics")), health, str(row.get("error", ""))
    )


def parse_scrape_targets(answer: HttpAnswer) -> tuple[ScrapedTarget, ...]:
    """Parse an answer of `/api/v1/targets` into scrape targets, sorted. Raises PermanentError where nobody may ask,
    TemporaryError for all that may pass."""
    if answer.status in (401, 403):
        raise PermanentError(f"the server answers {answer.status}", remedy="allow hwplan to read this Prometheus")
    try:
        document = parse_json_answer(answer.body)
        if answer.status != 200 or not isinstance(document, dict) or document["status"] != "success":
            raise ValueError
        return tuple(sorted(_target(one) for one in document["data"]["activeTargets"]))
    except (LookupError, TypeError, ValueError, RecursionError):
        raise TemporaryError(f"the server answers {answer.status}, and names no targets") from None


def _target(one: Json) -> ScrapedTarget:
    url = urlsplit(str(one["scrapeUrl"]))
    health = str(one["health"])
    if health not in _HEALTH:
        raise ValueError
    return ScrapedTarget(str(one["labels"]["job"]), url.netloc, url.path, health, str(one.get("lastError") or ""))
