"""Rules that a plan records beside its objects (a ConfigMap of role `rules`): what a change of them loosens. Pure.

The keys are the paths of the lane's configuration: `gate.require`, `retention.NAME.keep`. Unknown ones are never risks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from planner.duration import parse_duration
from planner.plan import Action, Change, FieldChange
from planner.resource import ROLE
from planner.values import JsonValue
from planner.whole_number import parse_whole_number

RULES = "rules"


def lane_rules_loosened_by_change(change: Change) -> Iterator[tuple[bool, str]]:
    """Each rule of a lane that asks for less after the change of its ConfigMap: whether it is about retention, and
    what it loses."""
    metadata = (change.desired or {}).get("metadata") or {}
    if change.address.kind != "ConfigMap" or (metadata.get("annotations") or {}).get(ROLE) != RULES:
        return
    if change.action is Action.CREATE:
        return
    for item in change.fields:
        for key, before, after in _values(item):
            rule = next((found for pattern, found in _RULES.items() if re.fullmatch(pattern, key)), None)
            if rule and (reported := rule(before, after)):
                yield key.startswith("retention."), f"{key} {reported}"


def _values(item: FieldChange) -> Iterator[tuple[str, str, str]]:
    """Key, value before and after; the empty text where there is none."""
    if item.path[:1] != ("data",):
        return
    if len(item.path) == 2:
        yield str(item.path[1]), _text(item.before), _text(item.after)
        return
    before, after = (side if isinstance(side, dict) else {} for side in (item.before, item.after))
    for key in sorted({*before, *after}):
        yield key, _text(before.get(key)), _text(after.get(key))


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _lost(before: str, after: str) -> str:
    """The names of a list that are not in it any more."""
    gone = [name for name in before.split(", ") if name and name not in after.split(", ")]
    return f"loses {', '.join(gone)}" if gone else ""


def _smaller(before: str, after: str) -> str:
    return f"{before} -> {after or 'none'}" if _number(after, 0) < _number(before, 0) else ""


def _larger(before: str, after: str) -> str:
    return f"{before or 'none'} -> {after}" if _number(after, 0) > _number(before, 0) else ""


def _number(text: str, without: float) -> float:
    """A count, or a duration in seconds."""
    try:
        return parse_duration(text) if (count := parse_whole_number(text)) is None else float(count)
    except ValueError:
        return without


def _off(before: str, after: str) -> str:
    return f"{before} -> {after or 'none'}" if before == "true" and after != "true" else ""


def _probe(before: str, after: str) -> str:
    return f"is no gate any more: {before}" if before.startswith("gate ") and not after.startswith("gate ") else ""


_RULES: Mapping[str, Callable[[str, str], str]] = {
    r"gate\.require": _lost,
    r"gate\.failureIssue": _off,
    r"gate\.warnAfter": _larger,
    r"gate\.probes\.\d+": _probe,
    r"retention\..+\.(keep|minAge)": _smaller,
    r"retention\..+\.limit": _larger,
}
