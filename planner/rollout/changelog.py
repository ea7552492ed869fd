"""Commits of a rollout grouped by what they mean for a reader. Pure; the texts of commits are untrusted.

The word before the colon decides (Conventional Commits 1.0), else the first words of the subject.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What a commit means. The value is the heading."""

    BREAKING = "Breaking"
    FEATURE = "New"
    FIX = "Fixed"
    PERFORMANCE = "Faster"
    SECURITY = "Security"
    REMOVED = "Removed"
    OPERATION = "Build and deployment"
    INTERNAL = "Internal"
    OTHER = "Other"


@dataclass(frozen=True, slots=True)
class MergedCommit:
    """A commit: its id, the first line of its message, and whether the rest of it announces a breaking change."""

    commit: str
    subject: str
    breaking: bool = False


_TYPE = re.compile(r"^(?P<type>[a-zA-Z]+)(?:\([^)]*\))?(?P<mark>!)?:\s")
_TYPES: Mapping[str, Meaning] = {
    "feat": Meaning.FEATURE,
    "feature": Meaning.FEATURE,
    "fix": Meaning.FIX,
    "hotfix": Meaning.FIX,
    "perf": Meaning.PERFORMANCE,
    "security": Meaning.SECURITY,
    "sec": Meaning.SECURITY,
    "revert": Meaning.REMOVED,
    "build": Meaning.OPERATION,
    "ci": Meaning.OPERATION,
    "cd": Meaning.OPERATION,
    "deploy": Meaning.OPERATION,
    "ops": Meaning.OPERATION,
    "chore": Meaning.INTERNAL,
    "refactor": Meaning.INTERNAL,
    "test": Meaning.INTERNAL,
    "tests": Meaning.INTERNAL,
    "style": Meaning.INTERNAL,
    "docs": Meaning.INTERNAL,
}
_WORDS: tuple[tuple[re.Pattern[str], Meaning], ...] = tuple(
    (re.compile(rf"^(?:{words})\b", re.IGNORECASE), meaning)
    for words, meaning in (
        ("add|adds|added|new|introduce[sd]?|implement(?:s|ed)?|support(?:s|ed)?|allow(?:s|ed)?", Meaning.FEATURE),
        ("fix(?:es|ed)?|repair(?:s|ed)?|correct(?:s|ed)?|prevent(?:s|ed)?|resolve[sd]?", Meaning.FIX),
        ("speed up|optimi[sz]e[sd]?|cache[sd]?", Meaning.PERFORMANCE),
        ("cve-|patch(?:es|ed)? cve", Meaning.SECURITY),
        ("remove[sd]?|delete[sd]?|drop(?:s|ped)?|revert(?:s|ed)?", Meaning.REMOVED),
        ("bump(?:s|ed)?|upgrade[sd]?|deploy(?:s|ed)?|pin(?:s|ned)?", Meaning.OPERATION),
        ("refactor(?:s|ed)?|rename[sd]?|move[sd]?|test(?:s|ed)?|document(?:s|ed)?|clean(?:s|ed)?", Meaning.INTERNAL),
    )
)


def meaning_of(one: MergedCommit) -> Meaning:
    """The group of a commit."""
    found = _TYPE.match(one.subject)
    if one.breaking or (found is not None and found["mark"]):
        return Meaning.BREAKING
    if found is not None and (known := _TYPES.get(found["type"].lower())):
        return known
    return next((meaning for words, meaning in _WORDS if words.match(one.subject)), Meaning.OTHER)


def changelog(commits: Iterable[MergedCommit]) -> Mapping[Meaning, tuple[MergedCommit, ...]]:
    """The commits by group, groups in the order of Meaning, empty ones left out; commits in the order given."""
    found: dict[Meaning, list[MergedCommit]] = {}
    for one in commits:
        found.setdefault(meaning_of(one), []).append(one)
    return {meaning: tuple(found[meaning]) for meaning in Meaning if meaning in found}
