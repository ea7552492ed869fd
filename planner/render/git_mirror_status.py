"""The state of a git mirror for people and for programs. Names of keys are contracts (spec 02, S16 and S28).

A ref that flows back (`fast-forward`) goes from the mirror to its upstream, every other one from the upstream to the
mirror; both sides are shown as what they are, whichever way the ref flows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from planner.render.selection_in_words import selection_text, short_digest
from planner.render.status_page import StatusLine, render_status_page_as_text
from planner.resource_status import ResourceStatusRow, ResourceStatusTable
from planner.text_safe import safe_text
from planner.unconfirmed_push_recheck import NO_FLUSH, PARTIAL, UnconfirmedPushRecheck
from planner.values import Json, JsonObject, encode_special_leaves

SCHEMA_VERSION = 1
_SHORT = 12  # digits of a commit id
_MOST_REMOTES = 6  # more are counted


def render_git_mirror_status(
    status: ResourceStatusTable,
    flushed: UnconfirmedPushRecheck = NO_FLUSH,
    *,
    sync: str,
    flush: str,
    colour: bool,
    width: int = 0,
    full: bool = False,
) -> str:
    """The status of the git mirror as text: both sides of every ref, where they are, and whether they agree. `sync`
    and `flush` are commands to paste.

    `full` shows whole commit ids and every remote; `flushed` is what the newest flush reported.
    """
    refs = _refs(status)
    heading = StatusLine("", ("", "upstream", "", "mirror", ""))
    lines = [heading, *(_line(row, full) for row in status.rows)] if status.rows else []
    place = f"{selection_text(status.selection)} on " if status.selection else ""
    config = f"config {short_digest(status.config)}" if status.config else ""
    verdict = "\n".join([*_remotes(refs, full), *_partial(flushed), _verdict(refs)])
    return render_status_page_as_text(
        status.cluster, lines, verdict, command="\n  ".join(_next(refs, sync, flush, flushed)), colour=colour,
        node_lane=place, about=config, width=width,
    )  # fmt: skip


def git_mirror_status_json(
    status: ResourceStatusTable, flushed: UnconfirmedPushRecheck = NO_FLUSH, *, raw: bool = False
) -> JsonObject:
    """The status of the git mirror as a document for programs.

    `local*` is what the mirror has, `github*` what the upstream has, by branch; both are read from the repositories
    themselves, which `refSources` says. Where several branches claim one of these names, the selected lane's is
    meant (`v02` for `v0.2`), and without one the value is null: `refs` has them all. `transport` is how the upstream
    is reached, null where remotes differ. `ok` says that every ref could be read and may be moved. `partialSuccess`,
    `partialSuccessRecovered` and `postPushRecovery` are those of the newest flush. `raw` adds to each ref what is
    declared.
    """
    refs = _refs(status)
    lanes = status.selection.lanes if status.selection else ()
    return {
        "schemaVersion": SCHEMA_VERSION,
        "simulated": status.cluster.simulated,
        "pendingFlush": any(not row.settled for row in refs if _is_flush(row)),
        "githubInSync": bool(refs) and all(row.settled for row in refs),
        "ok": not any(row.problem for row in status.rows),
        "transport": _transport(refs),
        **flushed.document(),
        "refSources": {"githubFieldsAreMirrorStageCache": False},
        **_sides(refs, lanes),
        "refs": [_document(row, raw) for row in status.rows],
    }


def _refs(status: ResourceStatusTable) -> list[ResourceStatusRow]:
    return [row for row in status.rows if row.address.kind == "GitRef"]


def _is_flush(row: ResourceStatusRow) -> bool:
    return row.spec.get("mode") == "fast-forward"


def _upstream_and_mirror(row: ResourceStatusRow) -> tuple[str, str]:
    """The commit that each side stands on, "" for none or an unknown one."""
    return (row.live, row.wanted) if _is_flush(row) else (row.wanted, row.live)


# --- for people ----------------------------------------------------------------------------------------------------


def _line(row: ResourceStatusRow, full: bool) -> StatusLine:
    digits = None if full else _SHORT
    state = "????" if row.problem else "ok" if row.settled else "to do"
    if row.address.kind != "GitRef":
        return StatusLine(state, (row.address.local, row.live[:digits] or "?", "", "", ""), row.problem)
    shown = [commit[:digits] for commit in _upstream_and_mirror(row)]
    target = 0 if _is_flush(row) else 1
    shown[target] = shown[target] or ("?" if row.problem.startswith("unreadable") else "absent")
    shown[1 - target] = shown[1 - target] or "?"
    way = "==" if row.settled else "!=" if row.problem else "<-" if _is_flush(row) else "->"
    return StatusLine(state, (row.address.local, shown[0], way, shown[1], _distance(row)), row.problem)


def _distance(row: ResourceStatusRow) -> str:
    if row.settled or row.problem:  # a problem says it itself
        return ""
    return ", ".join(f"{row.outputs[word]} {word}" for word in ("ahead", "behind") if row.outputs.get(word))


def _remotes(refs: Sequence[ResourceStatusRow], full: bool) -> list[str]:
    """Where both sides are, each repository once."""
    found: dict[str, None] = {}
    for row in refs:
        sides = (row.spec["to"], row.spec["from"]) if _is_flush(row) else (row.spec["from"], row.spec["to"])
        for word, side in zip(("upstream", "mirror  "), sides, strict=True):
            policy = f" (githubTransport.mode={side['transport']})" if side.get("transport") else ""
            found[f"  {word} {safe_text(str(side.get('remote', '?')))}{policy}"] = None
    lines = sorted(found, key=lambda line: not line.startswith("  upstream"))
    most = len(lines) if full else _MOST_REMOTES
    more = [f"  and {len(lines) - most} more"] if len(lines) > most else []
    return [*lines[:most], *more, ""] if lines else []


def _verdict(refs: Sequence[ResourceStatusRow]) -> str:
    if not refs:
        return "no ref is declared here: a node whose gitMirror has a url declares them"
    unknown, settled = sum(bool(row.problem) for row in refs), sum(row.settled for row in refs)
    problems = f", {unknown} with a problem" if unknown else ""
    pending = any(not row.settled for row in refs if _is_flush(row))
    words = f"pendingFlush={str(pending).lower()} · githubInSync={str(settled == len(refs)).lower()}"
    return f"{settled} of {len(refs)} refs in sync{problems} · {words}"


def _partial(flushed: UnconfirmedPushRecheck) -> list[str]:
    if not flushed.partial:
        return []
    recovered = str(flushed.recovered).lower()
    return [f"run {flushed.run}: {PARTIAL} · partialSuccessRecovered={recovered}"]


def _next(refs: Sequence[ResourceStatusRow], sync: str, flush: str, flushed: UnconfirmedPushRecheck) -> list[str]:
    """The commands that do what can be done; none for a ref that cannot be read or may not be moved. After a push that
    could not be confirmed the first is to look again, not to flush blindly."""
    open_ones = [row for row in refs if not row.settled and not row.problem]
    flushes = any(map(_is_flush, open_ones))
    looks = flushes and flushed.partial and not flushed.recovered
    wanted = ((sync, looks or not all(map(_is_flush, open_ones))), (flush, flushes and not looks))
    return [command for command, needed in wanted if needed]


# --- for programs --------------------------------------------------------------------------------------------------


def _transport(refs: Sequence[ResourceStatusRow]) -> str | None:
    sides = [side for row in refs for side in (row.spec["from"], row.spec["to"])]
    found = {side["transport"] for side in sides if side.get("transport")}
    return str(found.pop()) if len(found) == 1 else None


def _sides(refs: Sequence[ResourceStatusRow], lanes: Sequence[str]) -> JsonObject:
    """`localV03`, `githubV03`, `localGitops`, `githubGitops`. Snapshots have no such name."""
    named: dict[str, list[ResourceStatusRow]] = {}
    for row in refs:
        if name := _name(row):
            named.setdefault(name, []).append(row)
    out: JsonObject = {}
    for name, rows in named.items():
        chosen = rows if len(rows) == 1 else [row for row in rows if _plain(_branch(row)) in lanes]
        github, local = _upstream_and_mirror(chosen[0]) if len(chosen) == 1 else ("", "")
        out |= {f"local{name}": local or None, f"github{name}": github or None}
    return out


def _name(row: ResourceStatusRow) -> str:
    branch = _branch(row)
    return "Gitops" if branch.endswith("-gitops") else _plain(branch).capitalize()


def _branch(row: ResourceStatusRow) -> str:
    ref = row.spec["to"].get("ref")
    return ref.removeprefix("refs/heads/") if isinstance(ref, str) and ref.startswith("refs/heads/") else ""


def _plain(branch: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", branch.removesuffix("-gitops"))


def _document(row: ResourceStatusRow, raw: bool) -> JsonObject:
    sides: JsonObject = {}
    if row.address.kind == "GitRef":
        github, local = _upstream_and_mirror(row)
        ref: Json = row.spec["to"].get("ref")
        sides = {"ref": ref if isinstance(ref, str) else None, "local": local or None, "github": github or None}
    return {
        "address": str(row.address),
        "mode": row.spec.get("mode"),
        "commit": row.live or None,
        "wanted": row.wanted or None,
        "inSync": row.settled,
        "problem": row.problem,
        "outputs": row.outputs,
        **sides,
        **({"spec": encode_special_leaves(row.spec)} if raw else {}),
    }
