"""Asking a URL: over the network, or in a sandbox from its canned answers.

Asks no link-local address and no metadata service of a cloud (providers.web.addresses). One request per look; redirects
are answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from planner.errors import ProviderError, TemporaryError
from planner.values import Json, JsonObject
from providers.canned import read_answers
from providers.probes.expectation import Seen
from providers.web.addresses import refuse_special
from providers.web.client import Limits, WebClient

Ask: TypeAlias = Callable[[str], Seen]

LIMITS = Limits(connect=5.0, read=10.0, total=15.0, max_body=1 << 20)


def over_the_network(client: WebClient | None = None) -> Ask:
    """Ask with a GET. The returned function raises TemporaryError when no answer came, PermanentError when none may."""
    asked = client or WebClient(LIMITS, vet=refuse_special)

    def ask(url: str) -> Seen:
        answer = asked.request("GET", url, {"Accept": "application/json, */*;q=0.5"})
        return Seen(answer.status, answer.headers, answer.body)

    return ask


def from_answers(path: Path) -> Ask:
    """Ask the canned answers of a sandbox, read once. An unknown URL gets no answer."""
    answers = read_answers(path, "probes", _row, fields="url, status, body")

    def ask(url: str) -> Seen:
        if url not in answers:
            raise TemporaryError(
                "the sandbox has no canned answer for this URL", where=url, remedy=f"add one to {path.name}"
            )
        return answers[url]

    return ask


def _row(row: JsonObject) -> tuple[str, Seen]:
    return str(row["url"]), _seen(row)


def _seen(row: Mapping[str, Json]) -> Seen:
    headers = {str(name).lower(): str(value) for name, value in (row.get("headers") or {}).items()}
    return Seen(int(row.get("status", 200)), headers, str(row.get("body", "")).encode())


def words(error: ProviderError) -> str:
    """What went wrong, with its place, for a message."""
    return f"{error.message} ({error.where})" if error.where else error.message
