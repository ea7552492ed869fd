"""What an Argo CD Application says of itself: what it runs, at which revision it is, and how it is. Pure.

Nothing here believes "Synced, Healthy" by itself: it may be about an older revision, or have been compared before the
push that is waited for (R3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from planner.commit_id import is_commit_id
from planner.dataclass import dataclass
from planner.rfc3339 import seconds_between
from planner.values import JsonObject, JsonValue

KEY = "hwplan"  # the name in `info` of an operation, under which the key of ours stands
_RUNNING = ("Running", "Terminating")
_GOOD = ("Synced", "Pruned", "PruneSkipped")
_MOST_RESOURCES = 5  # that are named in a failure
_LONGEST = 300  # characters of a message that is quoted


# Whether the second commit contains the first one.
Contains: TypeAlias = Callable[[str, str], bool]


def assume_revision_not_contained(_ancestor: str, _descendant: str) -> bool:
    """Answers False for any two revisions: for where no repository can be asked whether one contains the other."""
    return False


@dataclass(frozen=True, slots=True)
class ArgoOperation:
    """A sync as Argo CD has it on record; `requested` is true for one that it has not taken up yet."""

    key: str
    revision: str
    phase: str
    message: str
    started: str
    finished: str
    requested: bool
    wrong: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether it is not over."""
        return self.requested or self.phase in _RUNNING


@dataclass(frozen=True, slots=True)
class ArgoApplicationState:
    """An Application at one moment. `revision` is what it was compared with last, at `reconciled`."""

    uid: str
    version: str
    sync: str
    revision: str
    health: str
    reconciled: str
    refreshing: bool
    operation: ArgoOperation | None
    conditions: tuple[str, ...]

    @property
    def words(self) -> str:
        """How it is, for people."""
        at = f" at {self.revision[:12]}" if self.revision else ""
        seen = f"{self.sync or 'not compared yet'}{at}, {self.health or 'health unknown'}"
        if self.operation is not None and self.operation.runs:
            said = self.operation.message
            seen += f", a sync to {self.operation.revision[:12] or 'the tip'} is under way" + (
                f": {said}" if said else ""
            )
        return f"{seen} ({'; '.join(self.conditions)})" if self.conditions else seen

    def holds(self, revision: str, contains: Contains = assume_revision_not_contained) -> bool:
        """Whether it is in sync and healthy at a revision, or at one that contains it, brought there by a sync that
        ended well."""
        operation = self.operation
        if self.refreshing or (operation is not None and (operation.runs or operation.phase != "Succeeded")):
            return False
        same = operation is None or operation.revision in (revision, self.revision)
        return same and self.is_at(revision, contains)

    def is_at(self, revision: str, contains: Contains = assume_revision_not_contained) -> bool:
        """Whether it says Synced and Healthy of this very revision, or of a commit that contains it. Of what is no
        commit (nothing yet, the version of a chart) nobody has to be asked."""
        good = (self.sync, self.health) == ("Synced", "Healthy")
        return good and (
            self.revision == revision or (is_commit_id(self.revision) and contains(revision, self.revision))
        )


def parse_argo_application(live: JsonObject) -> ArgoApplicationState:
    """The state that an Argo CD Application's document says."""
    metadata, status = live["metadata"], _map(live.get("status"))
    sync = _map(status.get("sync"))
    annotations = metadata.get("annotations") or {}
    return ArgoApplicationState(
        uid=str(metadata["uid"]),
        version=str(metadata["resourceVersion"]),
        sync=str(sync.get("status") or ""),
        revision=str(sync.get("revision") or ""),
        health=str(_map(status.get("health")).get("status") or ""),
        reconciled=str(status.get("reconciledAt") or ""),
        refreshing="argocd.argoproj.io/refresh" in annotations,
        operation=_operation(live, status),
        conditions=tuple(_errors(status)),
    )


def _map(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _operation(live: JsonObject, status: JsonObject) -> ArgoOperation | None:
    state = _map(status.get("operationState"))
    asked = _map(live.get("operation"))
    if asked and state.get("phase") not in _RUNNING:  # Argo CD takes `operation` away when it is over
        return ArgoOperation(_key(asked), str(_map(asked.get("sync")).get("revision") or ""), "", "", "", "", True)
    if not state:
        return None
    declared = _map(state.get("operation"))
    result = _map(state.get("syncResult"))
    revision = result.get("revision") or _map(declared.get("sync")).get("revision") or ""
    return ArgoOperation(
        _key(declared),
        str(revision),
        str(state.get("phase") or ""),
        str(state.get("message") or "")[:_LONGEST],
        str(state.get("startedAt") or ""),
        str(state.get("finishedAt") or ""),
        False,
        tuple(_wrong(result)),
    )


def _key(operation: JsonObject) -> str:
    entries = operation.get("info") or ()
    return next((str(one.get("value")) for one in entries if isinstance(one, dict) and one.get("name") == KEY), "")


def _wrong(result: JsonObject) -> Iterator[str]:
    """Resources of a sync that did not go well, and hooks that failed."""
    bad = [one for one in result.get("resources") or () if isinstance(one, dict) and _is_wrong(one)]
    for one in bad[:_MOST_RESOURCES]:
        name = "/".join(str(one[key]) for key in ("kind", "namespace", "name") if one.get(key))
        hook = f"{one['hookType']} hook {one.get('hookPhase')}: " if one.get("hookType") else ""
        yield f"{name}: {hook}{str(one.get('message') or one.get('status') or '')[:_LONGEST]}"
    if len(bad) > _MOST_RESOURCES:
        yield f"{len(bad) - _MOST_RESOURCES} more"


def _is_wrong(one: JsonObject) -> bool:
    if one.get("hookType"):
        return one.get("hookPhase") in ("Failed", "Error")
    return bool(one.get("status")) and one.get("status") not in _GOOD


def _errors(status: JsonObject) -> Iterator[str]:
    for one in status.get("conditions") or ():
        if isinstance(one, dict) and str(one.get("type", "")).endswith("Error"):
            yield f"{one['type']}: {str(one.get('message') or '')[:_LONGEST]}"


def is_same_or_later_time(one: str, other: str) -> bool:
    """Whether a time of the API is not before another; False where one is missing or is none."""
    later = seconds_between(other, one)
    return later is not None and later >= 0
