"""The state of a node's images for people and for programs (spec 02, S07 to S09)."""

from __future__ import annotations

from collections.abc import Mapping

from planner.render.status_page import StatusLine, render_status_page_as_text
from planner.resource_status import ResourceStatusRow, ResourceStatusTable
from planner.values import JsonObject

SCHEMA_VERSION = 1
_SHORT = len("sha256:") + 12


def render_image_status(status: ResourceStatusTable, *, commands: Mapping[str, str], colour: bool) -> str:
    """The status of images as text, one line per image: is its tag there, with which digest, and what is in the way.

    `commands` are the commands that make images, by the field of their origin (`source`, `build`).
    """
    lines = [
        StatusLine(_state(row), (row.address.local, str(row.spec["target"]), _move(row)), row.problem)
        for row in status.rows
    ]
    there = sum(row.settled for row in status.rows)
    verdict = f"{there} of {len(status.rows)} images as declared"
    return render_status_page_as_text(
        status.cluster, lines, verdict, command="\n  ".join(_next(status, commands)), colour=colour
    )


def image_status_json(status: ResourceStatusTable, *, commands: Mapping[str, str]) -> JsonObject:
    """The status of the images as a document for programs. `next.blockers` are outputs that are missing: what runs
    them cannot start. One that nobody could read is not among them, it has a `problem`."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": status.cluster.simulated,
        "images": [_document(row) for row in status.rows],
        "next": {
            "blockers": [str(row.spec["target"]) for row in status.rows if row.readable and not row.live],
            "commands": _next(status, commands),
        },
    }


def _next(status: ResourceStatusTable, commands: Mapping[str, str]) -> list[str]:
    """What to run for the images that are not as declared."""
    todo = [row for row in status.rows if not row.settled]
    return [command for origin, command in commands.items() if any(origin in row.spec for row in todo)]


def _state(row: ResourceStatusRow) -> str:
    return "????" if row.problem else "ok" if row.settled else "to do"


def _move(row: ResourceStatusRow) -> str:
    now = row.live[:_SHORT] or ("absent" if row.readable else "unknown")
    return now if row.settled or row.problem else f"{now} -> {_wanted(row)[:_SHORT] or 'known after the build'}"


def _wanted(row: ResourceStatusRow) -> str:
    """The digest that has to be there. A build only knows what it is made from, and its digest when it is made."""
    return row.wanted if row.settled or "build" not in row.spec else ""


def _document(row: ResourceStatusRow) -> JsonObject:
    return {
        "address": str(row.address),
        "target": row.spec["target"],
        "purpose": row.labels.get("purpose"),
        "registryTagPresent": bool(row.live) if row.readable else None,
        "digest": row.live or None,
        "wanted": _wanted(row) or None,
        "asDeclared": row.settled,
        "problem": row.problem,
    }
