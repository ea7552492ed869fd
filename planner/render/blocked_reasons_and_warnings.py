"""Sentences that several pages share: why a resource is blocked, where it is declared, and warnings, each reported
once. Pure. Text goes in as the plan has it and comes out safe to show."""

from __future__ import annotations

from collections.abc import Iterable

from planner.plan import BlockedResource
from planner.source_line_ref import SourceRef
from planner.text_safe import safe_text

_MOST_SHOWN = 600  # characters of a reason
_MOST_NAMED = 3  # addresses of one warning


def blocked_reason(blocked: BlockedResource, *, full: bool = False) -> str:
    """The reason with its evidence; what the one says already is not said again. Shortened, unless `full`."""
    reason, evidence = safe_text(blocked.reason), safe_text(blocked.evidence)
    if evidence and evidence not in reason:
        reason = evidence if evidence.startswith(reason.removesuffix(" …")) else f"{reason}: {evidence}"
    return reason if full else shorten_reason(reason)


def shorten_reason(text: str) -> str:
    """The text of a reason with at most 600 characters, and how many were left out."""
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}… +{len(text) - _MOST_SHOWN} characters"


def source_location(source: SourceRef) -> str:
    """The location of a declaration in its source as `file:line`, empty where there is none."""
    return safe_text(f"{source.file}:{source.line}" if source.line else source.file) if source.file else ""


def deduplicated_warnings(warnings: Iterable[str]) -> tuple[str, ...]:
    """Warnings in the form `ADDRESS: TEXT`; the same text about several objects once, with the first of their names."""
    about: dict[str, list[str]] = {}
    for warning in warnings:
        address, colon, text = warning.partition(": ")
        named = bool(colon) and "/" in address and " " not in address
        about.setdefault(text if named else warning, []).append(address if named else "")
    return tuple(safe_text(_line(text, [name for name in names if name])) for text, names in about.items())


def _line(text: str, names: list[str]) -> str:
    if not names:
        return text
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}: {text}"
