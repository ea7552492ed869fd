"""The state of Secrets for people and for programs: sources and fingerprints, never values (spec 02, S17)."""

from __future__ import annotations

from planner.render.status_page import Line, status_page
from planner.render.text_safe import safe
from planner.status import SecretKey, SecretStatus
from planner.values import JsonObject

SCHEMA_VERSION = 1
_SHORT = 6  # hex digits of a fingerprint


def render_secret_status(status: SecretStatus, *, command: str, colour: bool) -> str:
    """One line per key, then the obsolete ones and the verdict."""
    lines = [_line(key) for key in status.keys]
    fine = sum(key.in_sync for key in status.keys)
    verdict = f"{fine} of {len(status.keys)} keys as at their source"
    if status.obsolete:
        verdict += "\nobsolete, still live: " + ", ".join(safe(str(address)) for address in status.obsolete)
    return status_page(
        status.cluster, lines, verdict, command="" if fine == len(status.keys) else command, colour=colour
    )


def secret_status_json(status: SecretStatus) -> JsonObject:
    """The same as a document."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": status.cluster.simulated,
        "keys": [_document(key) for key in status.keys],
        "obsolete": [str(address) for address in status.obsolete],
    }


def _line(key: SecretKey) -> Line:
    state = "????" if key.problem else "ok" if key.in_sync else "to do"
    return Line(state, (key.address.local, key.key, key.source, _move(key)), key.problem)


def _move(key: SecretKey) -> str:
    if key.in_sync:
        return f"fp {_short(key.live)}"
    live = f"fp {_short(key.live)}" if key.live else "missing"
    return f"{live} -> {_short(key.wanted) if key.wanted else 'made at apply'}"


def _short(fingerprint: str) -> str:
    return fingerprint.rpartition(":")[2][:_SHORT]


def _document(key: SecretKey) -> JsonObject:
    state = "unknown" if key.problem else "in sync" if key.in_sync else "differs" if key.live else "missing"
    return {
        "address": str(key.address),
        "key": key.key,
        "source": key.source,
        "fingerprint": key.wanted or None,
        "liveFingerprint": key.live or None,
        "state": state,
        "problem": key.problem,
    }
