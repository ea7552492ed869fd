"""Asking a URL: over the network, or in a sandbox from its canned answers.

Asks no link-local address and no metadata service of a cloud (providers.web.address_policy). One request per look;
redirects are answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from planner.errors import TemporaryError
from planner.field_path import FieldPath, parse_path
from planner.values import Json, JsonObject
from providers.canned_answers import read_canned_answers
from providers.probes.expected_response import ProbeResponse
from providers.simulated_deployed_commits import insert_deployed_commit_in_body, read_simulated_deployed_commits
from providers.web.address_policy import refuse_link_local_or_metadata_address
from providers.web.bounded_http_client import QUESTION_LIMITS, BoundedHttpClient

Ask: TypeAlias = Callable[[str], ProbeResponse]


def create_network_prober(client: BoundedHttpClient | None = None) -> Ask:
    """Create the function that sends a probe (a GET) over the network and gives its response. It raises TemporaryError
    when no answer came, PermanentError when none may."""
    asked = client or BoundedHttpClient(QUESTION_LIMITS, vet=refuse_link_local_or_metadata_address)

    def ask(url: str) -> ProbeResponse:
        answer = asked.request("GET", url, {"Accept": "application/json, */*;q=0.5"})
        return ProbeResponse(answer.status, answer.headers, answer.body)

    return ask


def create_canned_answers_prober(path: Path) -> Ask:
    """Create the function that answers a probe from the canned answers of a sandbox, read once. An unknown URL gets no
    answer. One with `commit` reports the source commit that its Application has deployed at that moment, and none
    before the first sync."""
    answers = read_canned_answers(path, "probes", _row, fields="url, status, body, commit")

    def ask(url: str) -> ProbeResponse:
        if url not in answers:
            raise TemporaryError(
                "the sandbox has no canned answer for this URL", where=url, remedy=f"add one to {path.name}"
            )
        seen, reported = answers[url]
        if reported is None:
            return seen
        field, application = reported
        commit = read_simulated_deployed_commits(path.parent).get(application, "")
        return replace(seen, body=insert_deployed_commit_in_body(seen.body, field, commit)) if commit else seen

    return ask


def _row(row: JsonObject) -> tuple[str, tuple[ProbeResponse, tuple[FieldPath, str] | None]]:
    of = row.get("commit")
    reported = (parse_path(str(of["field"])), str(of["application"])) if of is not None else None
    return str(row["url"]), (_seen(row), reported)


def _seen(row: Mapping[str, Json]) -> ProbeResponse:
    headers = {str(name).lower(): str(value) for name, value in (row.get("headers") or {}).items()}
    return ProbeResponse(int(row.get("status", 200)), headers, str(row.get("body", "")).encode())
