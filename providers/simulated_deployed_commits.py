"""Which source commit each Application of a sandbox has deployed: recorded by its simulated sync, reported by the
simulated services of it (a canned answer with `commit`)."""

from __future__ import annotations

import json
from pathlib import Path

from planner.field_path import FieldPath
from planner.whole_file import write_whole_file

_FILE = "deployed.json"


def record_simulated_deployed_commit(sandbox: Path, application: str, commit: str) -> None:
    """Note that `application` runs what was built from `commit` now."""
    known = read_simulated_deployed_commits(sandbox)
    if known.get(application) != commit:
        text = json.dumps({**known, application: commit}, indent=1, sort_keys=True)
        write_whole_file(sandbox / _FILE, f"{text}\n".encode())


def read_simulated_deployed_commits(sandbox: Path) -> dict[str, str]:
    """The deployed commit by the name of each Application that was synced in the sandbox; what is no such file says
    nothing."""
    try:
        found = json.loads((sandbox / _FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def insert_deployed_commit_in_body(body: bytes, field: FieldPath, commit: str) -> bytes:
    """Insert the deployed commit at a field of a JSON body, as a service reports it. One that is no JSON object stays
    as it is."""
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return body
    if not isinstance(document, dict) or not field or not all(isinstance(part, str) for part in field):
        return body
    here = document
    for part in field[:-1]:
        below = here.setdefault(part, {})
        if not isinstance(below, dict):
            return body
        here = below
    here[field[-1]] = commit
    return json.dumps(document).encode()
