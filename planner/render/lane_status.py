"""The status of a lane for people: compact by default, everything with `full`, and as markdown (spec 02, S12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from planner.dataclass import dataclass
from planner.plan import ClusterIdentity, Selection
from planner.render.closeout_record import closeout_line
from planner.render.selection_in_words import selection_text, short_digest
from planner.render.status_page import StatusLine, render_status_page_as_text
from planner.render.terminal_style import column_count, cut_text
from planner.rollout import lane_evidence as names
from planner.rollout.lane_equations import LaneEquation, LaneEquationState
from planner.rollout.lane_evidence import EvidenceReading, LaneEvidence
from planner.rollout.lane_verdict import LaneVerdict
from planner.text_safe import markdown_safe, safe_text
from planner.values import JsonObject, JsonValue, canonical_bytes

_SHORT = 12
_MARGIN = 23  # columns before the words of a line
_LONG_ID = re.compile(r"(sha256:)?[0-9a-f]{40,64}")
_STATE = {
    LaneEquationState.HOLDS: "ok",
    LaneEquationState.BROKEN: "to do",
    LaneEquationState.PENDING: "to do",
    LaneEquationState.UNKNOWN: "????",
}
_ROLES: Mapping[str, tuple[str, ...]] = {
    "source": (names.TIP, names.SNAPSHOT, names.CONTAINS_TIP),
    "pipelinerun": (names.RUN, names.IMAGE, names.REGISTRY, names.GITOPS_NAMES),
    "argo": (names.ARGO,),
    "runtime": (names.WORKLOAD,),
    "probe": (names.PROBE,),
    "mirror": (names.MIRROR,),
}


@dataclass(frozen=True, slots=True)
class LaneStatusView:
    """What the page of a lane's status shows. `lines` are the roles that the lane has; `command` is the next one to
    run, "" for none; `closeouts` are the newest records of the lane; `hold` is what holds it, "" for nothing;
    `expected_run` the name that the run of the target has or would have, "" where that is not declared."""

    cluster: ClusterIdentity
    selection: Selection
    config: str
    evidence: LaneEvidence
    verdict: LaneVerdict
    lines: Sequence[str]
    command: str
    closeouts: Sequence[JsonObject] = ()
    hold: str = ""
    expected_run: str = ""


def render_lane_status(page: LaneStatusView, *, colour: bool, width: int, full: bool = False) -> str:
    """The status of a lane as text: one line for each role, the blockers, the next command; with `full` every
    equation and every reading as well."""
    lines = [_line(page, role) for role in _ROLES]
    rows = [_fitted(one, width) for one in lines]
    verdict = [*_folded("", page.hold, width), _verdict(page), *_blockers(page, width)]
    if full:
        verdict = [*_equations(page, width), "", *_readings(page, width), "", *_closeouts(page, width), *verdict]
    place = f"{selection_text(page.selection)} on "
    about = f"config {short_digest(page.config)}" if page.config else ""
    return render_status_page_as_text(
        page.cluster, rows, "\n".join(verdict), command=page.command, colour=colour, node_lane=place, about=about,
        width=width,
    )  # fmt: skip


def _fitted(line: StatusLine, width: int) -> StatusLine:
    """The line, with what does not fit into the terminal below it."""
    role, words = line.columns
    first, rest = _split(safe_text(words), max(20, width - _MARGIN))
    return StatusLine(line.state, (role, first), rest)


def _split(text: str, width: int) -> tuple[str, str]:
    """The text up to a word's end within the width, and the rest."""
    if column_count(text) <= width:
        return text, ""
    end = text.rfind(" ", 0, width + 1)
    return (text[:end], text[end + 1 :]) if end > 0 else (cut_text(text, width), "")


def lane_status_markdown(page: LaneStatusView) -> str:
    """The status of a lane as Markdown for a comment: a table, the blockers, the next command."""
    rows = [_line(page, role) for role in _ROLES]
    out = [f"**{selection_text(page.selection)}** {_verdict(page)}", "", "| | | |", "|---|---|---|"]
    out += [f"| {_mark(one.state)} | {one.columns[0]} | {markdown_safe(one.columns[1])} |" for one in rows]
    if page.hold:
        out += ["", markdown_safe(page.hold)]
    if page.verdict.blockers:
        out += [
            "",
            *(
                f"- `{one.code}` {markdown_safe(one.equation)}: {markdown_safe(one.reason)}"
                for one in page.verdict.blockers
            ),
        ]
    return "\n".join([*out, *(["", "```", page.command, "```"] if page.command else [])]) + "\n"


def _mark(state: str) -> str:
    return {"ok": "ok", "to do": "**to do**", "????": "**unknown**"}.get(state, "")


# --- lines ---------------------------------------------------------------------------------------------------------


def _line(page: LaneStatusView, role: str) -> StatusLine:
    state = _worst([one for one in page.verdict.equations if _belongs(one, role)])
    if role not in page.lines:
        return StatusLine("", (role, "none declared"))
    words = _WORDS[role](page.evidence)
    return StatusLine(_STATE[state] if state else "", (role, words or "nothing is known yet"))


def _belongs(one: LaneEquation, role: str) -> bool:
    """An equation belongs to the line of its first reading."""
    return bool(one.readings) and any(
        one.readings[0] == name or (name.endswith("/") and one.readings[0].startswith(name)) for name in _ROLES[role]
    )


def _worst(made: Sequence[LaneEquation]) -> LaneEquationState | None:
    order = (LaneEquationState.UNKNOWN, LaneEquationState.BROKEN, LaneEquationState.PENDING, LaneEquationState.HOLDS)
    return next((result for result in order if any(one.result is result for one in made)), None)


def _source(evidence: LaneEvidence) -> str:
    tip = evidence.get(names.TIP)
    if not evidence.commit:
        return _problem(tip)
    if tip is None or not tip.readable:
        return f"{evidence.commit[:_SHORT]} {_problem(tip)}".rstrip()
    where = str(tip.source).rpartition("#refs/heads/")[2]
    if tip.value == evidence.commit:
        return f"{evidence.commit[:_SHORT]} tip of {where}"
    return f"{evidence.commit[:_SHORT]}, {where} is at {str(tip.value)[:_SHORT]}"


def _run(evidence: LaneEvidence) -> str:
    run = evidence.get(names.RUN)
    if run is None or not run.readable:
        return _problem(run)
    if run.value is None:
        return "none for this commit"
    value = run.value
    spent = value.get("seconds")
    images = sum(1 for _ in evidence.items(names.IMAGE))
    words = [f"{value['name']} {value['state']}"]
    words += [f"in {spent:.0f} s"] if isinstance(spent, int | float) else []
    words += [f"({value['reason']})"] if value.get("reason") and value["state"] != "succeeded" else []
    return " ".join(words) + (f", {images} image{'s' * (images != 1)}" if images else "")


def _argo(evidence: LaneEvidence) -> str:
    return "; ".join(_application(name, one) for name, one in evidence.items(names.ARGO))


def _application(name: str, one: EvidenceReading) -> str:
    if not one.readable:
        return f"{name} {_problem(one)}"
    if one.value is None:
        return f"{name} does not exist"
    at = f" at {str(one.value['revision'])[:_SHORT]}" if one.value.get("revision") else ""
    return f"{name} {one.value.get('sync') or 'not compared yet'}{at}, {one.value.get('health') or 'health unknown'}"


def _runtime(evidence: LaneEvidence) -> str:
    found = list(evidence.items(names.WORKLOAD))
    ready = sum(1 for _, one in found if one.readable and one.value and one.value.get("complete"))
    late = [f"{name} {_why(one)}" for name, one in found if not (one.readable and one.value and one.value["complete"])]
    return f"{ready} of {len(found)} ready" + (f": {'; '.join(late)}" if late else "") if found else ""


def _why(one: EvidenceReading) -> str:
    if not one.readable:
        return _problem(one)
    return "does not exist" if one.value is None else str(one.value.get("message") or "not ready")


def _probe(evidence: LaneEvidence) -> str:
    shown = []
    for name, one in evidence.items(names.PROBE):
        value = one.value if one.readable and isinstance(one.value, dict) else {}
        reported = "; ".join(f"{key} {str(found)[:_SHORT]}" for key, found in (value.get("provenance") or {}).items())
        said = value.get("wrong") or f"answers {value.get('status')}" + (f" ({reported})" if reported else "")
        role = "" if value.get("role") == "gate" else f" [{value.get('role')}]"
        shown.append((value.get("role") != "gate", f"{value.get('url') or name}{role} {said or _problem(one)}"))
    return "; ".join(text for _, text in sorted(shown, key=lambda one: one[0]))


def _mirror(evidence: LaneEvidence) -> str:
    found = list(evidence.items(names.MIRROR))
    pending = [name for name, one in found if one.readable and not one.value["inSync"]]
    unknown = [f"{name} {_problem(one)}" for name, one in found if not one.readable]
    words = f"pendingFlush={'unknown' if unknown else str(bool(pending)).lower()}"
    return "; ".join([words, *unknown]) + (f": {', '.join(pending)}" if pending else "")


def _problem(one: EvidenceReading | None) -> str:
    return f"unreadable: {one.problem}" if one is not None and one.problem else ""


_WORDS: Mapping[str, Callable[[LaneEvidence], str]] = {
    "source": _source,
    "pipelinerun": _run,
    "argo": _argo,
    "runtime": _runtime,
    "probe": _probe,
    "mirror": _mirror,
}


# --- verdict and the long form -------------------------------------------------------------------------------------


def _verdict(page: LaneStatusView) -> str:
    verdict = page.verdict
    words = [f"aligned={str(verdict.aligned).lower()}", f"target={verdict.target}"]
    words += ["superseded"] if verdict.superseded else []
    words += [f"{len(verdict.blockers)} blocker{'s' * (len(verdict.blockers) != 1)}"] if verdict.blockers else []
    return " · ".join(words)


def _blockers(page: LaneStatusView, width: int) -> list[str]:
    found = page.verdict.blockers
    longest = max((len(one.code) for one in found), default=0) + 4
    out = []
    for one in found:
        out += _folded(f"  {one.code.ljust(longest - 4)}  ", f"{one.equation}: {one.reason}", width)
    return out


def _folded(mark: str, text: str, width: int) -> list[str]:
    """The text behind its mark, in as many lines as the width needs; none for no text."""
    out, rest, indent = [], safe_text(text), len(mark)
    while rest:
        first, rest = _split(rest, max(20, width - indent))
        out.append(f"{mark}{first}")
        mark = " " * indent
    return out


def _equations(page: LaneStatusView, width: int) -> list[str]:
    out = ["equations"]
    for one in page.verdict.equations:
        sides = f"{_brief(one.left)} | {_brief(one.right)}"
        out.append(cut_text(f"  {one.result.ljust(7)}  {safe_text(one.name)}: {safe_text(sides)}", max(40, width)))
    return out


def _closeouts(page: LaneStatusView, width: int) -> list[str]:
    """The newest records, one line each (C10)."""
    lines = [cut_text(f"  {closeout_line(one)}", max(40, width)) for one in page.closeouts]
    return ["closeouts", *lines, ""] if lines else []


def _brief(text: str) -> str:
    """Digests and commits by their first digits; the JSON form has them whole."""
    return _LONG_ID.sub(lambda found: found[0][: len(found[1] or "") + _SHORT], text) or "nothing"


def _readings(page: LaneStatusView, width: int) -> list[str]:
    out = ["evidence"]
    for name in sorted(page.evidence.readings):
        one = page.evidence.readings[name]
        shown = f"unreadable: {one.problem}" if one.problem else _brief(_text(one.value))
        out.append(cut_text(f"  {safe_text(name)}: {safe_text(shown)}", max(40, width)))
        out.append(cut_text(f"      {safe_text(one.source)} at {one.at}", max(40, width)))
    return out


def _text(value: JsonValue) -> str:
    return (
        "nothing"
        if value is None
        else value
        if isinstance(value, str)
        else canonical_bytes(value).decode(errors="replace")
    )
