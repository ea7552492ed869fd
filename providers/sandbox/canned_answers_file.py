"""Canned answers of a sandbox: what probes, queries and scrapes would see. Plain YAML that a person edits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from planner.dataclass import dataclass
from planner.values import JsonObject

_HEAD = """\
# Answers that probes and queries get in this sandbox (simulated: nothing is asked over a network).
# Change a status, a body or a value to see what a gate would say.
# A list `execs` of command, exitCode and output says how commands in containers end; the others end well.
"""


@dataclass(frozen=True, slots=True, order=True)
class CannedHttpAnswer:
    """The answer to a GET of `url`. With a `commit_field` the body has there the source commit that `application` has
    deployed."""

    url: str
    status: int = 200
    body: str = '{"status":"ok"}'
    commit_field: str = ""
    application: str = ""


@dataclass(frozen=True, slots=True, order=True)
class CannedPrometheusQuery:
    """A PromQL query with the values of all series that it is answered with."""

    promql: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, order=True)
class CannedScrapeTarget:
    """A Prometheus scrape target that is up: its job, `host:port`, and path."""

    job: str
    address: str
    path: str


def write_canned_answers(
    path: Path,
    answers: Sequence[CannedHttpAnswer],
    queries: Sequence[CannedPrometheusQuery] = (),
    targets: Sequence[CannedScrapeTarget] = (),
) -> None:
    """Write the answers, sorted by URL. JSON strings are YAML strings, so nothing needs a YAML writer here."""
    lines = [_HEAD, "probes:" if answers else "probes: []"]
    for answer in sorted(set(answers)):
        lines.append(f"  - url: {json.dumps(answer.url)}")
        lines.append(f"    status: {answer.status}")
        lines.append(f"    body: {json.dumps(answer.body)}")
        if answer.commit_field:
            of = {"field": answer.commit_field, "application": answer.application}
            lines.append(f"    commit: {json.dumps(of)}")
    rows: dict[str, list[JsonObject]] = {
        "queries": [{"promql": one.promql, "value": list(one.values)} for one in sorted(set(queries))],
        "targets": [{"job": one.job, "address": one.address, "path": one.path} for one in sorted(set(targets))],
    }
    for part, listed in rows.items():
        lines += [f"{part}:", *(f"  - {json.dumps(row)}" for row in listed)] if listed else []
    path.write_text("\n".join(lines) + "\n")
