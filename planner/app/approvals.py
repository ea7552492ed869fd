"""Approvals of plans: recorded as sealed files, and counted by the rules of the lanes before anything is applied."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from planner.app.approvals_and_shown_plans import find_shown_plan
from planner.app.load_desired import load_configuration
from planner.app.request import Request
from planner.app.runtime import SystemClock, open_state_store, state_folder
from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.duration import parse_duration
from planner.errors import HwplanError, SelectionError, StalePlan
from planner.loading.selection import resolve_selection
from planner.plan import Plan, Selection
from planner.plan_id import SHOWN_DIGITS, plan_id, short_plan_id
from planner.pull_requests.approval_file import Seal, is_github_account_name, parse_approval_file, render_approval_file
from planner.pull_requests.approvals import Approval, count_approvals
from planner.rfc3339 import parse_time
from planner.spec.pull_requests import ApprovalRules
from planner.whole_file import write_whole_file

_ID = re.compile(rf"(?:sha256:)?([0-9a-f]{{{SHOWN_DIGITS},64}})")
_HEAD = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_FOLDER = "approvals"


@dataclass(frozen=True, slots=True)
class RecordedApproval:
    """An approval as its file records it; `plan` is what was approved, None where this machine has not shown it."""

    approval: Approval
    file: Path
    plan: Plan | None


def record_approval(
    request: Request, identifier: str, who: str, *, until: str, head: str = "", out: Path | None = None
) -> RecordedApproval:
    """Record that `who` approves a plan. `until` is a duration from now, or an instant in UTC.

    The file stands beside the state unless `out` names another one. Raises SelectionError for words that are no id, no
    account, no head or no time to come, HwplanError when the file cannot be written.
    """
    found = _ID.fullmatch(identifier)
    if found is None:
        raise SelectionError(
            f"{identifier!r} is no id of a plan",
            where="approve",
            remedy=f"give it whole, or its first {SHOWN_DIGITS} hex digits, as the page shows it",
        )
    if not is_github_account_name(who):
        raise SelectionError(
            f"{who!r} names nobody", where="--as", remedy="--as ACCOUNT, as pulls.approvals.people has it"
        )
    if head and not _HEAD.fullmatch(head):
        raise SelectionError(f"{head!r} is no whole commit", where="--head", remedy="give all 40 digits")
    now = _now()
    plan = find_shown_plan(request, found[1])
    effect = plan_id(plan) if plan is not None else f"sha256:{found[1]}"
    approval = Approval(who, effect, head, now, _until(until, now))
    file = out or state_folder(request) / _FOLDER / f"{found[1][:SHOWN_DIGITS]}-{who}.json"
    with open_state_store(request) as store:
        text = render_approval_file(approval, store.fingerprinter().fingerprint)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(file, text.encode())
    except OSError as error:
        raise HwplanError(f"the approval cannot be saved: {disk_error_text(error)}", where=str(file)) from error
    return RecordedApproval(approval, file, plan)


def plan_id_of_approvals(request: Request, files: Sequence[Path], *, head: str = "") -> str:
    """The id that these approvals approve for the selection of `request`, by the rules of each of its lanes.

    Raises StalePlan where they are too few, ForeignPlan for a file that is no approval of this state, SelectionError
    for a lane without rules. That the plan made now is the approved one is checked where it is applied.
    """
    with open_state_store(request) as store:
        found = [_read(one, store.fingerprinter().fingerprint) for one in files]
    effects = sorted({one.effect for one in found}, key=len)
    if any(not effects[-1].startswith(one) for one in effects):
        shown = ", ".join(f"{one.who}: {short_plan_id(one.effect)}" for one in found)
        raise StalePlan(
            f"these are approvals of several plans: {shown}", where="--approved-by", remedy="approve one plan"
        )
    for place, rules in _rules(request, found):
        count = count_approvals(found, rules, head=head, effect=effects[-1], now=_now())
        if len(count.people) < rules.quorum:
            reasons = [*count.withdrawn, *(f"{name} may not approve here" for name in _strangers(found, rules))]
            raise StalePlan(
                f"{len(count.people)} of {rules.quorum} approvals for {place}" + "".join(f"; {one}" for one in reasons),
                where="--approved-by",
                remedy=f"hwplan approve {short_plan_id(effects[-1])} by one of {', '.join(rules.people)}",
            )
    return effects[-1]


def _strangers(found: Sequence[Approval], rules: ApprovalRules) -> list[str]:
    allowed = {name.lower() for name in rules.people}
    return sorted({one.who for one in found if one.who.lower() not in allowed})


def _read(file: Path, seal: Seal) -> Approval:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = disk_error_text(error) if isinstance(error, OSError) else "it is no text"
        raise HwplanError(f"the approval cannot be read: {reason}", where=str(file)) from error
    return parse_approval_file(text, seal, str(file))


def _rules(request: Request, found: Sequence[Approval]) -> list[tuple[str, ApprovalRules]]:
    """The rules of every lane that is selected. Of plain manifests, which have no configuration: one person, whoever
    could record it with this state."""
    if request.plain:
        return [("these manifests", ApprovalRules(quorum=1, people=tuple(one.who for one in found)))]
    config = load_configuration(request)
    resolved = resolve_selection(config, Selection(request.product, "", request.nodes, request.lanes, request.scopes))
    rules = []
    for node, lanes in resolved.nodes:
        for lane in lanes:
            pulls = lane.spec.pulls
            if pulls is None or pulls.approvals.quorum == 0:
                raise SelectionError(
                    f"{node.name}/{lane.name} has no rule about who approves its plans",
                    where="--approved-by",
                    remedy="write pulls.approvals of the lane: {quorum: 1, people: [ACCOUNT]}",
                )
            rules.append((f"{node.name}/{lane.name}", pulls.approvals))
    return rules


def _until(text: str, now: datetime) -> datetime:
    end = parse_time(text)
    if end is None:
        try:
            end = now + timedelta(seconds=parse_duration(text))
        except (ValueError, OverflowError) as error:
            remedy = "a duration such as 72h, or an instant such as 2026-12-24T08:00:00Z"
            raise SelectionError(f"{text!r} is no time: {error}", where="--until", remedy=remedy) from error
    if end <= now:
        raise SelectionError(f"{text} is over already", where="--until", remedy="name a time to come")
    return end


def _now() -> datetime:
    found = parse_time(SystemClock().now())
    assert found is not None
    return found
