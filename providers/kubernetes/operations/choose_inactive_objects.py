"""Which of the objects go that run until somebody deletes them: by their last sign of life. Pure; deletes nothing.

An object is `ended`, `active` (a heartbeat within the window) or `inactive`. One that runs and has no readable
heartbeat counts as active: what is not known to be idle is not idle (decisions A6, A8, B16).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from planner import duration
from planner.dataclass import dataclass
from planner.rfc3339 import parse_time
from planner.values import JsonObject
from providers.kubernetes.operations.object_end import how_object_ended
from providers.kubernetes.operations.retention_choice import (
    ExpiredObject,
    RetentionChoice,
    RetentionRule,
    fits_retention_selector,
    may_be_deleted,
)

ENDED, ACTIVE, INACTIVE = "ended", "active", "inactive"


@dataclass(frozen=True, slots=True)
class InactivityRule:
    """`activity` of a Retention (a RetentionByLastActivity of planner.spec.kinds.pod_exec_restart_retention); `window`
    in seconds. `force` is no word of a file: a command asks for it, and then active objects go as well."""

    heartbeat: str
    window: float
    by_age: bool
    about: tuple[str, ...]
    force: bool = False

    @classmethod
    def of(cls, manifest: JsonObject) -> InactivityRule | None:
        """The rule of a Retention; None where it is about what has ended alone."""
        found = manifest["spec"].get("activity")
        if found is None:
            return None
        return cls(
            heartbeat=found["heartbeat"],
            window=duration.parse_duration(str(found["window"])),
            by_age=bool(found.get("byAge")),
            about=tuple(found.get("about") or ()),
            force=bool((manifest.get("criteria") or {}).get("forceActive")),
        )


@dataclass(frozen=True, slots=True)
class ObjectActivity:
    """How one object is doing: its state, its last sign of life (None when it shows none), and what it works on.

    `free` is false for what may never be deleted; `forced` when it goes although it may be active."""

    name: str
    uid: str
    version: str
    state: str
    last: datetime | None
    about: str
    free: bool = True
    forced: bool = False

    @property
    def time(self) -> str:
        """The last sign of life, or the empty text."""
        return self.last.strftime("%Y-%m-%dT%H:%M:%SZ") if self.last else ""

    def __str__(self) -> str:
        about = f"; {self.about}" if self.about else ""
        if self.forced:
            return f"{self.state}{about}{'; it is cut off' if self.state == ACTIVE else ''}"
        return f"{self.state}, last activity {self.time}{about}"


@dataclass(frozen=True, slots=True)
class InactiveObjectsChoice(RetentionChoice):
    """A choice, and all objects that the rule is about, the longest inactive first, the active ones last."""

    looked_at: tuple[ObjectActivity, ...] = ()


def with_newest_heartbeat_of_pods(
    objects: Sequence[JsonObject], pods: Iterable[JsonObject], key: str
) -> tuple[JsonObject, ...]:
    """The objects, each with the newest heartbeat of itself and of its pods in the annotation `key`."""
    newest: dict[str, str] = {}
    for pod in pods:
        text = _annotation(pod, key)
        for owner in pod["metadata"].get("ownerReferences") or ():
            newest[owner["uid"]] = _later(newest.get(owner["uid"], ""), text)
    return tuple(_with_heartbeat(one, newest.get(one["metadata"]["uid"], ""), key) for one in objects)


def choose_inactive_objects(
    rule: RetentionRule, activity: InactivityRule, objects: Iterable[JsonObject], now: datetime
) -> InactiveObjectsChoice:
    """What goes of the objects that fit: as many as there are more than `keep`, and with `by_age` what was last active
    `min_age` ago; the longest inactive first, at most `limit`, and no active one. Forced: all, without limits."""
    looked_at = sorted(
        (
            _judged(rule, activity, live, now)
            for live in objects
            if fits_retention_selector(rule, live) and _counts(live)
        ),
        key=lambda one: (one.state == ACTIVE, one.time, one.name),
    )
    if activity.force:
        named = sorted((one for one in looked_at if one.free), key=lambda one: one.name)  # a heartbeat moves nothing
        return InactiveObjectsChoice(tuple(map(_expired, named)), looked_at=tuple(looked_at))
    idle = [one for one in looked_at if one.free and one.state != ACTIVE]
    over = max(len(looked_at) - rule.keep, 0)
    oldest = now - timedelta(seconds=rule.min_age)
    due = [one for at, one in enumerate(idle) if at < over or (activity.by_age and one.last and one.last <= oldest)]
    to_delete = tuple(_expired(one) for one in due[: rule.limit])
    return InactiveObjectsChoice(to_delete, max(len(due) - rule.limit, 0), looked_at=tuple(looked_at))


def last_activity(live: JsonObject, heartbeat: str) -> datetime | None:
    """When an object ended, or gave its last sign of life; None when it does not say."""
    end = how_object_ended(live)
    return end.time if end else parse_time(_annotation(live, heartbeat))


def _judged(rule: RetentionRule, activity: InactivityRule, live: JsonObject, now: datetime) -> ObjectActivity:
    metadata = live["metadata"]
    last = last_activity(live, activity.heartbeat)
    if how_object_ended(live):
        state = ENDED
    else:
        state = ACTIVE if last is None or now - last < timedelta(seconds=activity.window) else INACTIVE
    return ObjectActivity(
        name=metadata["name"],
        uid=str(metadata["uid"]),
        version=str(metadata["resourceVersion"]),
        state=state,
        last=last,
        about=", ".join(f"{key.rpartition('/')[2]} {text}" for key in activity.about if (text := _fact(live, key))),
        free=may_be_deleted(rule.never_touch, metadata),
        forced=activity.force,
    )


def _expired(one: ObjectActivity) -> ExpiredObject:
    """A forced object is bound to its uid alone: each heartbeat makes another version of it."""
    return ExpiredObject(one.name, one.uid, "" if one.forced else one.version, str(one))


def _counts(live: JsonObject) -> bool:
    """Whether the object is one of its own that stays: no pod of something else, and not being deleted already."""
    metadata = live["metadata"]
    owners = metadata.get("ownerReferences") or ()
    is_part = live.get("kind") == "Pod" and any(owner.get("controller") for owner in owners)
    return not is_part and not metadata.get("deletionTimestamp")


def _fact(live: JsonObject, key: str) -> str:
    labels: Mapping[str, str] = live["metadata"].get("labels") or {}
    return _annotation(live, key) or str(labels.get(key) or "")


def _annotation(live: JsonObject, key: str) -> str:
    return str((live["metadata"].get("annotations") or {}).get(key) or "")


def _with_heartbeat(live: JsonObject, text: str, key: str) -> JsonObject:
    own = _annotation(live, key)
    newest = _later(own, text)
    if newest == own:
        return live
    metadata = live["metadata"]
    annotations = {**(metadata.get("annotations") or {}), key: newest}
    return {**live, "metadata": {**metadata, "annotations": annotations}}


def _later(one: str, other: str) -> str:
    """The later of two times; a text that is no time counts for nothing."""
    first, second = parse_time(one), parse_time(other)
    return one if second is None or (first is not None and first >= second) else other
