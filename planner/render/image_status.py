"""The state of a node's images for people and for programs (spec 02, S07 to S09)."""

from __future__ import annotations

from planner.render.status_page import Line, status_page
from planner.status import Status, StatusRow
from planner.values import JsonObject

SCHEMA_VERSION = 1
_SHORT = len("sha256:") + 12


def render_image_status(status: Status, *, command: str, colour: bool) -> str:
    """One line per image: is its tag there, with which digest, and what is in the way."""
    lines = [
        Line(_state(row), (row.address.local, str(row.spec["target"]), _move(row)), row.problem) for row in status.rows
    ]
    there = sum(row.settled for row in status.rows)
    verdict = f"{there} of {len(status.rows)} images as declared"
    return status_page(
        status.cluster, lines, verdict, command="" if there == len(status.rows) else command, colour=colour
    )


def image_status_json(status: Status) -> JsonObject:
    """The same as a document. `next.blockers` are outputs that are missing: what runs them cannot start."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": status.cluster.simulated,
        "images": [_document(row) for row in status.rows],
        "next": {"blockers": [str(row.spec["target"]) for row in status.rows if not row.live]},
    }


def _state(row: StatusRow) -> str:
    return "????" if row.problem else "ok" if row.settled else "to do"


def _move(row: StatusRow) -> str:
    now = row.live[:_SHORT] or "absent"
    return now if row.settled or row.problem else f"{now} -> {row.wanted[:_SHORT] or 'known after the build'}"


def _document(row: StatusRow) -> JsonObject:
    return {
        "address": str(row.address),
        "target": row.spec["target"],
        "registryTagPresent": bool(row.live),
        "digest": row.live or None,
        "wanted": row.wanted or None,
        "asDeclared": row.settled,
        "problem": row.problem,
    }
