"""Which objects a Retention deletes: a decision from the objects, the rule and the time. Pure; deletes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from planner import duration
from planner.dataclass import dataclass
from planner.resource import PROTECT
from planner.values import JsonObject
from providers.kubernetes.operations.object_end import ObjectEnd, how_object_ended


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """What may be deleted (planner.spec.kinds.pod_exec_restart_retention): the selector, and what stays.
    `min_age` is in seconds."""

    labels: JsonObject
    name_prefix: str
    name: str
    claim_namespace: str
    min_age: float
    keep: int
    limit: int
    phases: tuple[str, ...]
    never_touch: tuple[str, ...]

    @classmethod
    def of(cls, spec: JsonObject) -> RetentionRule:
        """The rule of a spec, with the defaults of its model."""
        selector = spec["selector"]
        return cls(
            labels=selector.get("matchLabels") or {},
            name_prefix=selector.get("namePrefix") or "",
            name=selector.get("name") or "",
            claim_namespace=selector.get("claimNamespace") or "",
            min_age=duration.parse_duration(str(spec.get("minAge", "2h"))),
            keep=int(spec.get("keep", 5)),
            limit=int(spec.get("limit", 20)),
            phases=tuple(spec.get("phases") or ()),
            never_touch=tuple(map(str, spec.get("neverTouch") or ())),
        )


@dataclass(frozen=True, slots=True)
class ExpiredObject:
    """One object to delete: its name, this very version of it ("" for any), and how it ended or was last active."""

    name: str
    uid: str
    version: str
    ending: str


@dataclass(frozen=True, slots=True)
class RetentionChoice:
    """What is deleted, the oldest first, how many more are due that the limit leaves for another plan, and why the one
    object that the rule names stays ("" when it goes, is gone, or the rule names none)."""

    to_delete: tuple[ExpiredObject, ...]
    more: int = 0
    stays: str = ""


def choose_expired_objects(rule: RetentionRule, objects: Iterable[JsonObject], now: datetime) -> RetentionChoice:
    """The ended objects that a retention rule deletes: not the newest `keep`, not those that ended after `now` -
    `min_age`, and at most `limit`. Objects of the same second are in the order of their names, so that the choice is
    always the same."""
    objects = tuple(objects)
    ended = sorted(
        (one for live in objects if (one := _candidate(rule, live))), key=lambda one: (one[0].time, one[1].name)
    )
    old = ended[: max(len(ended) - rule.keep, 0)]
    due = [one for end, one in old if now - end.time >= timedelta(seconds=rule.min_age)]
    to_delete = tuple(due[: rule.limit])
    return RetentionChoice(
        to_delete, max(len(due) - rule.limit, 0), "" if to_delete else _why_named_stays(rule, objects)
    )


def _why_named_stays(rule: RetentionRule, objects: Iterable[JsonObject]) -> str:
    named = next((one for one in objects if rule.name and one["metadata"]["name"] == rule.name), None)
    if named is None or named["metadata"].get("deletionTimestamp"):
        return ""
    return f"{rule.name} is not over" if how_object_ended(named) is None else f"{rule.name} is not to be deleted"


def _candidate(rule: RetentionRule, live: JsonObject) -> tuple[ObjectEnd, ExpiredObject] | None:
    metadata = live["metadata"]
    end = how_object_ended(live)
    if end is None or not fits_retention_selector(rule, live) or not may_be_deleted(rule.never_touch, metadata):
        return None
    if rule.phases and not {end.state, end.reason}.intersection(rule.phases):
        return None
    return end, ExpiredObject(metadata["name"], str(metadata["uid"]), str(metadata["resourceVersion"]), str(end))


def fits_retention_selector(rule: RetentionRule, live: JsonObject) -> bool:
    """Whether an object fits the selector of a retention rule."""
    metadata = live["metadata"]
    labels = metadata.get("labels") or {}
    name = str(metadata["name"])
    if (
        not name.startswith(rule.name_prefix)
        or rule.name not in ("", name)
        or not rule.labels.items() <= labels.items()
    ):
        return False
    claim = (live.get("spec") or {}).get("claimRef") or {}
    return not rule.claim_namespace or claim.get("namespace") == rule.claim_namespace


def may_be_deleted(never_touch: Sequence[str], metadata: JsonObject) -> bool:
    """Whether nothing forbids to delete it: a glob, its protection, or that it is being deleted already."""
    protected = (metadata.get("annotations") or {}).get(PROTECT) == "true"
    named = any(fnmatchcase(metadata["name"], pattern) for pattern in never_touch)
    return not (protected or named or metadata.get("deletionTimestamp"))
