"""The status of scopes or of a service, for people and for programs (decision A20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from planner.plan import ClusterIdentity, Selection
from planner.render.selection_in_words import selection_text
from planner.render.status_page import StatusLine, render_status_page_as_text
from planner.values import JsonObject

SCHEMA_VERSION = 1
_STATES: Mapping[str, str] = {"ok": "ok", "to do": "to do", "unreadable": "????"}


class ScopeStatusRow(Protocol):
    """The row of one resource in the status of a scope; `state` is `ok`, `to do` or `unreadable`."""

    @property
    def address(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def missing(self) -> bool: ...


def render_scope_status(
    cluster: ClusterIdentity,
    selection: Selection,
    rows: Sequence[ScopeStatusRow],
    *,
    command: str,
    colour: bool,
    width: int,
    full: bool = False,
) -> str:
    """The status of scopes as text: what is not as declared, one line each (with `full` everything), and the next
    command."""
    blockers = [row for row in rows if row.state != "ok"]
    shown = rows if full else blockers
    lines = [StatusLine(_STATES[row.state], (row.scope, row.address), row.reason) for row in shown]
    verdict = f"{len(rows) - len(blockers)} of {len(rows)} as declared"
    verdict += f", {len(blockers)} blocker{'s' * (len(blockers) != 1)}" if blockers else ""
    about = f"scope {', '.join(selection.scopes)}"
    return render_status_page_as_text(
        cluster, lines, verdict, command=command if blockers else "", colour=colour,
        node_lane=f"{selection_text(selection)} on ", about=about, width=width,
    )  # fmt: skip


def scope_status_json(
    cluster: ClusterIdentity, selection: Selection, rows: Sequence[ScopeStatusRow], *, command: str
) -> JsonObject:
    """The status of scopes as a document for programs. `next.blockers` are addresses, also when there is nothing to
    apply."""
    blockers = [row for row in rows if row.state != "ok"]
    return {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": cluster.simulated,
        "cluster": {"uid": cluster.uid, "server": cluster.server},
        "nodes": list(selection.nodes),
        "lanes": list(selection.lanes),
        "scopes": list(selection.scopes),
        "aligned": not blockers,
        "resources": [_document(row) for row in rows],
        "next": {
            "command": command if blockers else None,
            "blockers": [_document(row) for row in blockers],
        },
    }


def _document(row: ScopeStatusRow) -> JsonObject:
    return {
        "address": row.address,
        "scope": row.scope,
        "state": row.state,
        "reason": row.reason,
        "missing": row.missing,
    }
