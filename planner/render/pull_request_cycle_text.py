"""Pages of a lane's pull requests: one cycle, and what is stored of many. Texts of others are made safe and cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from planner.pull_requests.cycle_record import CycleRecord
from planner.pull_requests.deliveries import Delivery, DeliveryStep, RolloutOutcome
from planner.pull_requests.merge_queue import CandidateVerdict
from planner.pull_requests.rollout_comment import target_validation_state_of_delivery
from planner.text_safe import safe_text
from planner.values import JsonObject

_TITLE = 60  # characters of a title


def render_pull_request_cycle(record: CycleRecord, subject: str, repo: str, branch: str) -> str:
    """One cycle: the lane, every candidate with all that it lacks, what was done, and the verdict in the last line."""
    on = f" · {branch} at {record.base[:12]}" if record.base else f" · {branch}"
    lines = [f"{subject} · {repo}{on} · {record.purpose}", ""]
    lines += [f"  lane: {safe_text(one.reason)}" for one in record.decision.lane]
    if record.decision.lane:
        lines.append("")
    for verdict in sorted(record.decision.verdicts, key=_order):
        lines += _candidate(verdict)
    for one in record.deliveries:
        lines += _delivery(one)
    lines += [f"  note: {safe_text(note)}" for note in record.notes]
    lines += [f"  error: {safe_text(part)}" for part in record.error.split("; ") if part]
    if lines[-1]:
        lines.append("")
    return "\n".join([*lines, _verdict(record)])


def _order(verdict: CandidateVerdict) -> tuple[int, int]:
    return verdict.position or 1_000_000, verdict.number


def _candidate(verdict: CandidateVerdict) -> Iterator[str]:
    pull = verdict.candidate.pull
    title = pull.title if len(pull.title) <= _TITLE else f"{pull.title[: _TITLE - 1]}…"
    place = f"{verdict.position:>3}" if verdict.position else "  -"
    yield f"{place}  #{pull.number} {safe_text(title)}  ({safe_text(pull.author)}, {pull.head[:12]})"
    for lack in verdict.unmet:
        yield f"       {lack.holder}: {safe_text(lack.reason)}"
    if not verdict.unmet:
        yield f"       next: {safe_text(verdict.next_action)}"


def _delivery(one: Delivery) -> Iterator[str]:
    by = f", merged by {safe_text(one.merged_by)}" if one.merged_by else ""
    yield f"  #{one.pull} {_word(one)}{by}"
    if one.commit:
        yield f"       commit {one.commit[:12]}" + (f" · PipelineRun {safe_text(one.run)}" if one.run else "")
    if one.outcome:
        newer = f" by {one.newer[:12]}" if one.newer else ""
        yield f"       targetValidation={target_validation_state_of_delivery(one)}{newer} · {_mirror(one)}"
    if one.reason:
        yield f"       {safe_text(one.reason)}"


def _word(one: Delivery) -> str:
    if one.outcome:
        return {
            RolloutOutcome.PASSED: "rolled out",
            RolloutOutcome.NO_OP: "nothing to roll out: the lane runs it already",
            RolloutOutcome.SUPERSEDED: "superseded",
            RolloutOutcome.FAILED: "the rollout failed",
            RolloutOutcome.PENDING: "the rollout goes on",
            RolloutOutcome.HELD: "merged, the rollout is held",
        }[RolloutOutcome(one.outcome)]
    return {
        DeliveryStep.INTENDED: "to be merged",
        DeliveryStep.MERGED: "merged",
        DeliveryStep.VOID: "not merged",
        DeliveryStep.MISMATCH: "merged otherwise than predicted",
    }.get(one.step, str(one.step))


def _mirror(one: Delivery) -> str:
    words = ["unknown" if value is None else str(value).lower() for value in (one.pending_flush, one.in_sync)]
    return f"pendingFlush={words[0]} githubInSync={words[1]}"


def _verdict(record: CycleRecord) -> str:
    decision = record.decision
    ready = sum(one.position is not None for one in decision.verdicts)
    count = len(decision.verdicts)
    what = f"{count} candidate{'s' * (count != 1)}, {ready} ready"
    if record.result == "dry-run":
        then = f"would merge #{decision.merge.pull.number}" if decision.merge else "would merge nothing"
        return f"{what} · {then} · nothing was written"
    return f"{what} · {record.result} · {record.requests} requests to read"


def render_pull_request_cycle_history(document: JsonObject) -> str:
    """Stored cycles, the newest first, and the newest of each purpose."""
    lines = []
    for name, one in document.items():
        if name.startswith("latest-"):
            lines.append(f"{name:<20} {_stored(one) if one else 'none'}")
    lines.append("")
    lines += [_stored(one) for one in document["cycles"]]
    return "\n".join(lines).rstrip() if len(lines) > 1 else "no cycle yet"


def _stored(one: Mapping[str, object]) -> str:
    times = one["times"]
    more = f", {times} times until {one['last']}" if isinstance(times, int) and times > 1 else ""
    merged = [f"#{row['number']} {row['outcome'] or row['step']}" for row in _rows(one.get("deliveries"))]
    said = f" · {', '.join(merged)}" if merged else ""
    error = f" · {safe_text(str(one['error']))}" if one.get("error") else ""
    return (
        f"cycle {one['number']} ({one['purpose']}): {one['result']}{said}{error} · {one.get('at', one['last'])}{more}"
    )


def _rows(value: object) -> Sequence[Mapping[str, object]]:
    return value if isinstance(value, list) else []
