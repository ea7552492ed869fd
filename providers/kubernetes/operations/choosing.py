"""Which objects a Retention deletes: a decision from the objects, the rule and the time. Pure; deletes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from planner import duration
from planner.resource import PROTECT
from planner.values import JsonObject
from providers.kubernetes.operations.ending import Ending, ending


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be deleted (planner.spec.kinds.runs): the selector, and what stays. `min_age` is in seconds."""

    labels: JsonObject
    name_prefix: str
    claim_namespace: str
    min_age: float
    keep: int
    limit: int
    phases: tuple[str, ...]
    never_touch: tuple[str, ...]

    @classmethod
    def of(cls, spec: JsonObject) -> Rule:
        """The rule of a spec, with the defaults of its model."""
        selector = spec["selector"]
        return cls(
            labels=selector.get("matchLabels") or {},
            name_prefix=selector.get("namePrefix") or "",
            claim_namespace=selector.get("claimNamespace") or "",
            min_age=duration.parse(str(spec.get("minAge", "2h"))),
            keep=int(spec.get("keep", 5)),
            limit=int(spec.get("limit", 20)),
            phases=tuple(spec.get("phases") or ()),
            never_touch=tuple(map(str, spec.get("neverTouch") or ())),
        )


@dataclass(frozen=True, slots=True)
class Doomed:
    """One object to delete: its name, this very version of it, and how it ended."""

    name: str
    uid: str
    version: str
    ending: Ending


@dataclass(frozen=True, slots=True)
class Choice:
    """What is deleted, the oldest first, and how many more are due that the limit leaves for another plan."""

    doomed: tuple[Doomed, ...]
    more: int = 0


def choose(rule: Rule, objects: Iterable[JsonObject], now: datetime) -> Choice:
    """Of the ended objects that fit: not the newest `keep`, not those that ended after `now` - `min_age`, and at most
    `limit`. Objects of the same second are in the order of their names, so that the choice is always the same."""
    ended = sorted(
        (one for live in objects if (one := _candidate(rule, live))), key=lambda one: (one.ending.time, one.name)
    )
    old = ended[: max(len(ended) - rule.keep, 0)]
    due = [one for one in old if now - one.ending.time >= timedelta(seconds=rule.min_age)]
    return Choice(tuple(due[: rule.limit]), max(len(due) - rule.limit, 0))


def _candidate(rule: Rule, live: JsonObject) -> Doomed | None:
    metadata = live["metadata"]
    end = ending(live)
    if end is None or not _fits(rule, live) or not _is_free(rule.never_touch, metadata):
        return None
    if rule.phases and not {end.state, end.reason}.intersection(rule.phases):
        return None
    return Doomed(metadata["name"], str(metadata["uid"]), str(metadata["resourceVersion"]), end)


def _fits(rule: Rule, live: JsonObject) -> bool:
    metadata = live["metadata"]
    labels = metadata.get("labels") or {}
    if not str(metadata["name"]).startswith(rule.name_prefix) or not rule.labels.items() <= labels.items():
        return False
    claim = (live.get("spec") or {}).get("claimRef") or {}
    return not rule.claim_namespace or claim.get("namespace") == rule.claim_namespace


def _is_free(never_touch: Sequence[str], metadata: JsonObject) -> bool:
    """Whether nothing forbids to delete it: a glob, its protection, or that it is being deleted already."""
    protected = (metadata.get("annotations") or {}).get(PROTECT) == "true"
    named = any(fnmatchcase(metadata["name"], pattern) for pattern in never_touch)
    return not (protected or named or metadata.get("deletionTimestamp"))
