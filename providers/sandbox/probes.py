"""Canned answers of a sandbox: what a probe of a URL would see. Plain YAML that a person edits to try things out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HEAD = """\
# Answers that probes get in this sandbox (simulated: nothing is asked over a network).
# Change a status or a body to see what a gate would say.
# A list `execs` of command, exitCode and output says how commands in containers end; the others end well.
"""


@dataclass(frozen=True, slots=True, order=True)
class CannedAnswer:
    """The answer to a GET of `url`."""

    url: str
    status: int = 200
    body: str = '{"status":"ok"}'


def write_answers(path: Path, answers: Sequence[CannedAnswer]) -> None:
    """Write the answers, sorted by URL. JSON strings are YAML strings, so nothing needs a YAML writer here."""
    lines = [_HEAD, "probes:" if answers else "probes: []"]
    for answer in sorted(set(answers)):
        lines.append(f"  - url: {json.dumps(answer.url)}")
        lines.append(f"    status: {answer.status}")
        lines.append(f"    body: {json.dumps(answer.body)}")
    path.write_text("\n".join(lines) + "\n")
