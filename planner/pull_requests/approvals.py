"""Approvals of a plan: the only command of a comment, and which approvals count now (P7, P20). Pure.

An approval names the id of a plan and stands for one head. It is never taken from a comment that was edited, that was
written on another head, or that the account of the pull request's own workflow wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from planner.dataclass import dataclass
from planner.duration import parse_duration
from planner.pull_requests.github_facts import IssueComment
from planner.rfc3339 import parse_time
from planner.spec.pull_requests import ApprovalRules

_COMMAND = re.compile(r"hwplan approve (?:sha256:)?([0-9a-f]{32,64})")
_WORKFLOWS = ("github-actions[bot]",)


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved which effect, on which head, and when (UTC). `effect` is a prefix of the id, 32 digits or more.

    `until` is when it ends by its own words, None where only the rules say; `head` is "" for a plan of no pull request.
    """

    who: str
    effect: str
    head: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CountedApprovals:
    """The approvals that count, and why others do not. `withdrawn` names both values of each that does no more."""

    people: tuple[str, ...]
    withdrawn: tuple[str, ...]


def plan_id_approved_by_comment(body: str) -> str:
    """The id that a comment approves, "" for none: the command stands alone on a line, once, outside of quotations."""
    lines = body.replace("\r\n", "\n").split("\n")  # what GitHub shows as lines, and nothing else
    found = {match[1] for line in lines if (match := _COMMAND.fullmatch(line.strip(" \t")))}
    return found.pop() if len(found) == 1 else ""


def approvals_in_comments(comments: Iterable[IssueComment], head: str, head_since: datetime | None) -> list[Approval]:
    """Find the approvals that comments of a pull request give. `head_since` is when the head became what it is: an
    earlier comment approved something else. None where that is not known: then no comment counts."""
    found = []
    for comment in comments:
        effect = plan_id_approved_by_comment(comment.body)
        written = parse_time(comment.created_at)
        edited = comment.updated_at not in ("", comment.created_at)
        if not effect or edited or written is None or head_since is None or comment.author.lower() in _WORKFLOWS:
            continue
        if written >= head_since:
            found.append(Approval(comment.author, effect, head, written))
    return found


def count_approvals(
    approvals: Sequence[Approval], rules: ApprovalRules, *, head: str, effect: str, now: datetime
) -> CountedApprovals:
    """Count the approvals of a pull request that stand for this head and effect now, and say why others do not (P7).

    One that is dated ahead of `now` was given now, by a clock that is ahead: it counts, unless by more than approvals
    last.
    """
    allowed = {name.lower() for name in rules.people}
    latest = timedelta(seconds=parse_duration(rules.expires))
    people: dict[str, None] = {}
    withdrawn = []
    for one in approvals:
        if one.who.lower() not in allowed:
            continue
        if one.head != head:
            withdrawn.append(f"{one.who} approved head {one.head[:12]}, and it is {head[:12]}")
        elif not effect or not _same(one.effect, effect):
            withdrawn.append(f"{one.who} approved plan {_short(one.effect)}, and it is {_short(effect) or 'unknown'}")
        elif one.at - now > latest:
            withdrawn.append(
                f"the approval of {one.who} is dated {one.at:%Y-%m-%dT%H:%MZ}, and it is {now:%Y-%m-%dT%H:%MZ}:"
                " one of the clocks is wrong"
            )
        elif now - one.at > latest or (one.until is not None and now > one.until):
            withdrawn.append(f"the approval of {one.who} from {one.at:%Y-%m-%dT%H:%MZ} has expired")
        else:
            people.setdefault(one.who.lower())
    return CountedApprovals(tuple(people), tuple(withdrawn))


def _short(effect: str) -> str:
    return effect.removeprefix("sha256:")[:12]


def _same(approved: str, effect: str) -> bool:
    return effect.removeprefix("sha256:").startswith(approved.removeprefix("sha256:"))
