"""Commits of a rollout grouped by what they mean for a reader. Pure; the texts of commits are untrusted.

The word before the colon decides (Conventional Commits 1.0), else the first words of the subject.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from planner.dataclass import dataclass


class CommitMeaning(StrEnum):
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
_TYPES: Mapping[str, CommitMeaning] = {
    "feat": CommitMeaning.FEATURE,
    "feature": CommitMeaning.FEATURE,
    "fix": CommitMeaning.FIX,
    "hotfix": CommitMeaning.FIX,
    "perf": CommitMeaning.PERFORMANCE,
    "security": CommitMeaning.SECURITY,
    "sec": CommitMeaning.SECURITY,
    "revert": CommitMeaning.REMOVED,
    "build": CommitMeaning.OPERATION,
    "ci": CommitMeaning.OPERATION,
    "cd": CommitMeaning.OPERATION,
    "deploy": CommitMeaning.OPERATION,
    "ops": CommitMeaning.OPERATION,
    "chore": CommitMeaning.INTERNAL,
    "refactor": CommitMeaning.INTERNAL,
    "test": CommitMeaning.INTERNAL,
    "tests": CommitMeaning.INTERNAL,
    "style": CommitMeaning.INTERNAL,
    "docs": CommitMeaning.INTERNAL,
}
_WORDS: tuple[tuple[re.Pattern[str], CommitMeaning], ...] = tuple(
    (re.compile(rf"^(?:{words})\b", re.IGNORECASE), meaning)
    for words, meaning in (
        ("add|adds|added|new|introduce[sd]?|implement(?:s|ed)?|support(?:s|ed)?|allow(?:s|ed)?", CommitMeaning.FEATURE),
        ("fix(?:es|ed)?|repair(?:s|ed)?|correct(?:s|ed)?|prevent(?:s|ed)?|resolve[sd]?", CommitMeaning.FIX),
        ("speed up|optimi[sz]e[sd]?|cache[sd]?", CommitMeaning.PERFORMANCE),
        ("cve-|patch(?:es|ed)? cve", CommitMeaning.SECURITY),
        ("remove[sd]?|delete[sd]?|drop(?:s|ped)?|revert(?:s|ed)?", CommitMeaning.REMOVED),
        ("bump(?:s|ed)?|upgrade[sd]?|deploy(?:s|ed)?|pin(?:s|ned)?", CommitMeaning.OPERATION),
        (
            "refactor(?:s|ed)?|rename[sd]?|move[sd]?|test(?:s|ed)?|document(?:s|ed)?|clean(?:s|ed)?",
            CommitMeaning.INTERNAL,
        ),
    )
)


def commit_meaning(one: MergedCommit) -> CommitMeaning:
    """The group of a commit."""
    found = _TYPE.match(one.subject)
    if one.breaking or (found is not None and found["mark"]):
        return CommitMeaning.BREAKING
    if found is not None and (known := _TYPES.get(found["type"].lower())):
        return known
    return next((meaning for words, meaning in _WORDS if words.match(one.subject)), CommitMeaning.OTHER)


def group_by_meaning(commits: Iterable[MergedCommit]) -> Mapping[CommitMeaning, tuple[MergedCommit, ...]]:
    """The commits by group, groups in the order of Meaning, empty ones left out; commits in the order given."""
    found: dict[CommitMeaning, list[MergedCommit]] = {}
    for one in commits:
        found.setdefault(commit_meaning(one), []).append(one)
    return {meaning: tuple(found[meaning]) for meaning in CommitMeaning if meaning in found}
