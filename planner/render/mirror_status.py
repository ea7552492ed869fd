"""The state of a git mirror for people and for programs. Names of keys are contracts (spec 02, S16 and S28)."""

from __future__ import annotations

import re

from planner.render.status_page import Line, status_page
from planner.status import Status, StatusRow
from planner.values import JsonObject

SCHEMA_VERSION = 1
_SHORT = 12  # digits of a commit id


def render_mirror_status(status: Status, *, command: str, colour: bool) -> str:
    """One line per ref, and whether the mirror and its upstream agree."""
    refs = [row for row in status.rows if row.address.kind == "GitRef"]
    lines = [_line(row) for row in status.rows]
    unknown = sum(bool(row.problem) for row in refs)
    settled = sum(row.settled for row in refs)
    verdict = f"{settled} of {len(refs)} refs in sync" + (f", {unknown} with a problem" if unknown else "")
    return status_page(status.cluster, lines, verdict, command="" if settled == len(refs) else command, colour=colour)


def mirror_status_json(status: Status) -> JsonObject:
    """The same as a document.

    `local*` is what the mirror has, `github*` what the upstream has, by branch; both are read from the repositories
    themselves, which `refSources` says.
    """
    refs = [row for row in status.rows if row.address.kind == "GitRef"]
    flushes = [row for row in refs if row.spec.get("mode") == "fast-forward"]
    return {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": status.cluster.simulated,
        "pendingFlush": any(not row.settled for row in flushes),
        "githubInSync": all(row.settled for row in refs),
        "refSources": {"githubFieldsAreMirrorStageCache": False},
        **{key: commit for row in refs for key, commit in _sides(row).items()},
        "refs": [_document(row) for row in status.rows],
    }


def _line(row: StatusRow) -> Line:
    if row.address.kind != "GitRef":
        return Line("????" if row.problem else "ok", (row.address.local, "", row.live[:_SHORT], ""), row.problem)
    state = "????" if row.problem else "ok" if row.settled else "to do"
    move = row.live[:_SHORT] if row.settled else f"{row.live[:_SHORT] or 'absent'} -> {row.wanted[:_SHORT] or '?'}"
    return Line(state, (row.address.local, str(row.spec.get("mode", "")), move, _distance(row)), row.problem)


def _distance(row: StatusRow) -> str:
    parts = [f"{word} {row.outputs[word]}" for word in ("ahead", "behind") if row.outputs.get(word)]
    return ", ".join(parts)


def _sides(row: StatusRow) -> JsonObject:
    """`localV03`, `githubV03`: which side has which commit of a branch. Snapshots have no such name."""
    ref = row.spec["to"].get("ref")
    if not isinstance(ref, str) or not ref.startswith("refs/heads/"):
        return {}
    branch = ref.removeprefix("refs/heads/")
    name = "Gitops" if branch.endswith("-gitops") else re.sub(r"[^0-9A-Za-z]", "", branch).capitalize()
    to, origin = row.live or None, row.wanted or None
    flush = row.spec.get("mode") == "fast-forward"
    return {f"local{name}": origin if flush else to, f"github{name}": to if flush else origin}


def _document(row: StatusRow) -> JsonObject:
    return {
        "address": str(row.address),
        "mode": row.spec.get("mode"),
        "commit": row.live or None,
        "wanted": row.wanted or None,
        "inSync": row.settled,
        "problem": row.problem,
        "outputs": row.outputs,
    }
