"""How and when a live object ended: one small rule for each kind that ends, in one table. Pure; knows no clock.

A kind without a rule never ends, and is never cleaned up. What a rule cannot say for sure counts as running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from planner.address import group_of_api_version
from planner.dataclass import dataclass
from planner.rfc3339 import parse_time
from planner.values import Json, JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class ObjectEnd:
    """`state` is Succeeded, Failed or Released, `reason` the controller's own word or "", `time` when it ended."""

    state: str
    reason: str
    time: datetime

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason and self.reason != self.state else ""
        return f"{self.state}{why}, finished {self.time.strftime('%Y-%m-%dT%H:%M:%SZ')}"


_Rule: TypeAlias = Callable[[JsonObject], "ObjectEnd | None"]


def how_object_ended(live: JsonObject) -> ObjectEnd | None:
    """How the object ended; None while it runs, or where it does not say when it ended."""
    rule = RULES.get((group_of_api_version(str(live.get("apiVersion", ""))), str(live.get("kind", ""))))
    return rule(live) if rule else None


def kind_has_rule_for_its_end(group: str, kind: str) -> bool:
    """Whether there is a rule that says when objects of the kind have ended."""
    return (group, kind) in RULES


def _tekton_run(live: JsonObject) -> ObjectEnd | None:
    """PipelineRun, TaskRun, CustomRun: over as soon as the condition Succeeded is not Unknown (Tekton, run status)."""
    status = _map(live, "status")
    condition = _conditions(status).get("Succeeded", {})
    state = {"True": "Succeeded", "False": "Failed"}.get(str(condition.get("status")))
    return _ended(state, condition.get("reason"), status.get("completionTime"), condition.get("lastTransitionTime"))


def _job(live: JsonObject) -> ObjectEnd | None:
    """Complete or Failed; a Job that is only failing has the condition FailureTarget and still runs (KEP-3939)."""
    status = _map(live, "status")
    for kind, state in (("Complete", "Succeeded"), ("Failed", "Failed")):
        condition = _conditions(status).get(kind, {})
        if condition.get("status") == "True":
            return _ended(
                state, condition.get("reason"), status.get("completionTime"), condition.get("lastTransitionTime")
            )
    return None


def _pod(live: JsonObject) -> ObjectEnd | None:
    """Phase Succeeded or Failed; it ended when its last container did."""
    status = _map(live, "status")
    phase = status.get("phase")
    if phase not in ("Succeeded", "Failed"):
        return None
    entries = [one for key in ("containerStatuses", "initContainerStatuses") for one in _maps(status.get(key))]
    times = [_map(_map(one, "state"), "terminated").get("finishedAt") for one in entries]
    times += [one.get("lastTransitionTime") for one in _conditions(status).values()] if not any(times) else []
    return _ended(str(phase), status.get("reason"), *_newest_first(times))


def _volume(live: JsonObject) -> ObjectEnd | None:
    """Phase Released: its claim is gone. Failed: so it is, and the volume could not be reclaimed."""
    status = _map(live, "status")
    phase = status.get("phase")
    state = str(phase) if phase in ("Released", "Failed") else None
    return _ended(state, status.get("reason"), status.get("lastPhaseTransitionTime"))


RULES: Final[Mapping[tuple[str, str], _Rule]] = {
    ("", "PersistentVolume"): _volume,
    ("", "Pod"): _pod,
    ("batch", "Job"): _job,
    ("tekton.dev", "CustomRun"): _tekton_run,
    ("tekton.dev", "PipelineRun"): _tekton_run,
    ("tekton.dev", "TaskRun"): _tekton_run,
}


# --- parts of rules ------------------------------------------------------------------------------------------------


def _ended(state: str | None, reason: JsonValue, *times: Json) -> ObjectEnd | None:
    time = next((found for text in times if (found := parse_time(text))), None)
    return ObjectEnd(state, str(reason or ""), time) if state and time else None


def _newest_first(texts: Iterable[Json]) -> list[Json]:
    timed = [(time, text) for text in texts if (time := parse_time(text))]
    return [text for _, text in sorted(timed, reverse=True)]


def _map(parent: JsonObject, name: str) -> JsonObject:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _maps(value: JsonValue) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _conditions(status: JsonObject) -> Mapping[str, JsonObject]:
    return {str(one.get("type")): one for one in _maps(status.get("conditions"))}
