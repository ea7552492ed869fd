"""What readiness rules have in common: parts of a status read without trust in its shape, and results in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planner.ports import Readiness
from planner.values import JsonObject

READY: Final = Readiness(done=True, ok=True)


def pending_because(message: str) -> Readiness:
    """The readiness of what is not over yet; the message says what is awaited."""
    return Readiness(done=False, ok=False, message=message)


def failed_because(message: str) -> Readiness:
    """The readiness of what failed: waiting longer helps nothing; the message says why."""
    return Readiness(done=True, ok=False, message=message)


def ready_because(message: str) -> Readiness:
    """The readiness of what is ready, with a remark for the reader."""
    return Readiness(done=True, ok=True, message=message)


def map_field_or_empty(parent: JsonObject, name: str) -> JsonObject:
    """The map in a field; empty where something else is there, or nothing."""
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def number_field_or_default(parent: JsonObject, name: str, default: int = 0) -> int:
    """The whole number in a field, else the default of the API."""
    value = parent.get(name)
    return value if isinstance(value, int) else default


def status_conditions(live: JsonObject) -> Mapping[str, JsonObject]:
    """The conditions of a status by their type."""
    entries = map_field_or_empty(live, "status").get("conditions")
    found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {str(entry.get("type")): entry for entry in found}


def has_condition(conditions: Mapping[str, JsonObject], name: str, status: str = "True") -> bool:
    """Whether a condition is there with this status."""
    return name in conditions and conditions[name].get("status") == status


def reason_text(condition: JsonObject | None, fallback: str) -> str:
    """`Reason: message` of a condition, or the fallback when it says nothing."""
    condition = condition or {}
    parts = [str(condition[key]).strip() for key in ("reason", "message") if condition.get(key)]
    return ": ".join(parts) or fallback


def pending_if_spec_unobserved(live: JsonObject) -> Readiness | None:
    """In progress while the controller has not seen the newest spec. Only for kinds that report what they have seen."""
    generation = map_field_or_empty(live, "metadata").get("generation")
    observed = map_field_or_empty(live, "status").get("observedGeneration")
    if isinstance(observed, int) and isinstance(generation, int) and observed < generation:
        return pending_because(f"its controller has seen generation {observed} of {generation}")
    return None


def pending_until_first_observed(live: JsonObject) -> Readiness | None:
    """In progress until a controller that always reports observedGeneration has reported at all."""
    if not number_field_or_default(map_field_or_empty(live, "status"), "observedGeneration"):
        return pending_because("its controller has not seen it yet")
    return None


def pending_if_fewer(have: int, want: int, what: str) -> Readiness | None:
    """Pending while there are fewer than wanted, None when there are enough."""
    return pending_because(f"{have} of {want} {what}") if have < want else None


def what_deletion_waits_for(live: JsonObject) -> str:
    """What an object that is being deleted waits for: its finalizers, or the conditions of a Namespace."""
    metadata = map_field_or_empty(live, "metadata")
    held = [str(item) for item in metadata.get("finalizers") or ()]
    held += [
        str(item)
        for item in map_field_or_empty(live, "spec").get("finalizers") or ()
        if live.get("kind") == "Namespace"
    ]
    stuck = [
        reason_text(condition, name)
        for name, condition in sorted(status_conditions(live).items())
        if live.get("kind") == "Namespace" and condition.get("status") == "True"
    ]
    if stuck:
        return "being deleted: " + "; ".join(stuck)
    if not metadata.get("deletionTimestamp"):
        return "not deleted yet"
    return f"being deleted, waiting for {', '.join(held)}" if held else "being deleted"
