"""Hooks in the output of `helm template`: which of them belong to an installation, and when.

Helm runs a hook at the events that its annotation names. An apply is an installation or an upgrade: hooks of those are
planned, before or after the other objects. Hooks of a deletion, a rollback or a test are not for an apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from planner.resource import HelmHookPhase

HOOK: Final = "helm.sh/hook"
_BEFORE: Final = frozenset({"pre-install", "pre-upgrade", "crd-install"})
_AFTER: Final = frozenset({"post-install", "post-upgrade"})


def helm_hook_events(document: Any) -> tuple[str, ...]:
    """The events at which Helm runs the object; none for an ordinary one."""
    metadata = document.get("metadata") if isinstance(document, Mapping) else None
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    text = annotations.get(HOOK) if isinstance(annotations, Mapping) else None
    return tuple(word.strip() for word in text.split(",") if word.strip()) if isinstance(text, str) else ()


def helm_hook_phase(events: tuple[str, ...]) -> HelmHookPhase | None:
    """When a hook belongs into an apply; None when it does not."""
    if _BEFORE.intersection(events):
        return HelmHookPhase.BEFORE
    return HelmHookPhase.AFTER if _AFTER.intersection(events) else None


def left_out_helm_hook_line(name: str, events: tuple[str, ...]) -> str:
    """The line about a hook that is not planned."""
    return f"{name} is left out: Helm runs this hook at {', '.join(events)} (--helm-hooks as-objects plans it)"
