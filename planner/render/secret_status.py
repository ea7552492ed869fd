"""The state of Secrets for people and for programs: sources and fingerprints, never values (spec 02, S17)."""

from __future__ import annotations

import shlex
from itertools import groupby

from planner.render.terminal_style import column_count, pad_text, with_colour
from planner.resource_status import SecretKeyStatus, SecretStatusTable
from planner.text_safe import safe_text
from planner.values import JsonObject, parse_generated_secret_reference

SCHEMA_VERSION = 1
_SHORT = 6  # hex digits of a fingerprint
_STYLES = {"ok": "green", "to do": "yellow", "????": "red"}


def render_secret_status(status: SecretStatusTable, *, command: str, delete: str, colour: bool) -> str:
    """The status of Secrets as text: Secret by Secret a line for each key, then the obsolete ones, the verdict, and
    the commands that are needed."""
    simulated = " · simulated" if status.cluster.simulated else ""
    out = [f"{safe_text(status.cluster.server)} (uid {safe_text(status.cluster.uid[:8])}){simulated}"]
    names = max((column_count(safe_text(key.key)) for key in status.keys), default=0)
    moves = max((column_count(_move(key)) for key in status.keys), default=0)
    for address, keys in groupby(status.keys, key=lambda key: key.address):
        out += ["", safe_text(address.local)]
        several = tuple(keys)
        for key in several:
            state = with_colour(pad_text(_state(key), 7), _STYLES[_state(key)], colour)
            out.append(
                f"  {state}{pad_text(safe_text(key.key), names)}"
                f"  {pad_text(_move(key), moves)}  {_source(key)}".rstrip()
            )
        out += [
            f"         {safe_text(problem)}" for problem in dict.fromkeys(key.problem for key in several) if problem
        ]
    fine = sum(key.in_sync for key in status.keys)
    out += ["", f"{fine} of {len(status.keys)} keys as at their source"]
    out += [f"  {command}"] if fine < len(status.keys) else []
    if status.obsolete:
        out += [
            "obsolete, still live: " + ", ".join(safe_text(address.local) for address in status.obsolete),
            f"  {delete}",
        ]
    for address in status.foreign:
        name = shlex.quote(f"{address.namespace}/{address.name}")
        out += [f"obsolete, not made by hwplan: {safe_text(address.local)}", f"  {delete} --name {safe_text(name)}"]
    out += [
        f"obsolete, unreadable: {safe_text(address.local)} ({safe_text(why)})"
        for address, why in status.unreadable.items()
    ]
    return "\n".join(out) + "\n"


def secret_status_json(status: SecretStatusTable) -> JsonObject:
    """The status of the Secrets as a document for programs: sources and fingerprints, never values."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": status.cluster.simulated,
        "keys": [_document(key) for key in status.keys],
        "obsolete": sorted(str(address) for address in (*status.obsolete, *status.foreign)),
        "obsoleteNotOurs": [str(address) for address in status.foreign],
        "obsoleteUnreadable": {str(address): why for address, why in status.unreadable.items()},
    }


def _state(key: SecretKeyStatus) -> str:
    return "????" if key.problem else "ok" if key.in_sync else "to do"


def _source(key: SecretKeyStatus) -> str:
    """Where the value comes from, in few words."""
    kind, _, rest = key.source.partition(":")
    if parse_generated_secret_reference(key.source):
        return "made once"
    match kind:
        case "manifest":
            return "in the manifest"
        case "missing":
            return f"no source for {safe_text(rest)}"
        case "kubernetes":
            return f"Secret {safe_text(rest)}"
        case "env":
            return f"${safe_text(rest)}"
    return safe_text(rest)


def _move(key: SecretKeyStatus) -> str:
    live = f"fp {_short(key.live)}" if key.live else "missing"
    if key.in_sync or key.problem:
        return live
    return f"{live} -> {_short(key.wanted) if key.wanted else 'made at apply'}"


def _short(fingerprint: str) -> str:
    return safe_text(fingerprint.rpartition(":")[2][:_SHORT])


def _document(key: SecretKeyStatus) -> JsonObject:
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
