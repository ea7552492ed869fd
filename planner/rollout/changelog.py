"""Commits of a rollout grouped by what they mean for a reader. Pure; the texts of commits are untrusted.

The word before the colon decides (Conventional Commits 1.0), else the first words of the subject.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from planner.dataclass import dataclass


class ChangelogGroup(StrEnum):
    """The groups of a changelog, by what a commit means. The value is the heading."""

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
class ChangelogCommit:
    """A commit: its id, the first line of its message, and whether the rest of it announces a breaking change."""

    commit: str
    subject: str
    breaking: bool = False


_TYPE = re.compile(r"^(?P<type>[a-zA-Z]+)(?:\([^)]*\))?(?P<mark>!)?:\s")
_TYPES: Mapping[str, ChangelogGroup] = {
    "feat": ChangelogGroup.FEATURE,
    "feature": ChangelogGroup.FEATURE,
    "fix": ChangelogGroup.FIX,
    "hotfix": ChangelogGroup.FIX,
    "perf": ChangelogGroup.PERFORMANCE,
    "security": ChangelogGroup.SECURITY,
    "sec": ChangelogGroup.SECURITY,
    "revert": ChangelogGroup.REMOVED,
    "build": ChangelogGroup.OPERATION,
    "ci": ChangelogGroup.OPERATION,
    "cd": ChangelogGroup.OPERATION,
    "deploy": ChangelogGroup.OPERATION,
    "ops": ChangelogGroup.OPERATION,
    "chore": ChangelogGroup.INTERNAL,
    "refactor": ChangelogGroup.INTERNAL,
    "test": ChangelogGroup.INTERNAL,
    "tests": ChangelogGroup.INTERNAL,
    "style": ChangelogGroup.INTERNAL,
    "docs": ChangelogGroup.INTERNAL,
}
_WORDS: tuple[tuple[re.Pattern[str], ChangelogGroup], ...] = tuple(
    (re.compile(rf"^(?:{words})\b", re.IGNORECASE), meaning)
    for words, meaning in (
        (
            "add|adds|added|new|introduce[sd]?|implement(?:s|ed)?|support(?:s|ed)?|allow(?:s|ed)?",
            ChangelogGroup.FEATURE,
        ),
        ("fix(?:es|ed)?|repair(?:s|ed)?|correct(?:s|ed)?|prevent(?:s|ed)?|resolve[sd]?", ChangelogGroup.FIX),
        ("speed up|optimi[sz]e[sd]?|cache[sd]?", ChangelogGroup.PERFORMANCE),
        ("cve-|patch(?:es|ed)? cve", ChangelogGroup.SECURITY),
        ("remove[sd]?|delete[sd]?|drop(?:s|ped)?|revert(?:s|ed)?", ChangelogGroup.REMOVED),
        ("bump(?:s|ed)?|upgrade[sd]?|deploy(?:s|ed)?|pin(?:s|ned)?", ChangelogGroup.OPERATION),
        (
            "refactor(?:s|ed)?|rename[sd]?|move[sd]?|test(?:s|ed)?|document(?:s|ed)?|clean(?:s|ed)?",
            ChangelogGroup.INTERNAL,
        ),
    )
)


def changelog_group_of_commit(one: ChangelogCommit) -> ChangelogGroup:
    """The group of the changelog that a commit belongs to, by the words of its subject."""
    found = _TYPE.match(one.subject)
    if one.breaking or (found is not None and found["mark"]):
        return ChangelogGroup.BREAKING
    if found is not None and (known := _TYPES.get(found["type"].lower())):
        return known
    return next((meaning for words, meaning in _WORDS if words.match(one.subject)), ChangelogGroup.OTHER)


def group_commits_by_meaning(
    commits: Iterable[ChangelogCommit],
) -> Mapping[ChangelogGroup, tuple[ChangelogCommit, ...]]:
    """The commits by group, groups in the order of ChangelogGroup, empty ones left out; commits in the order given."""
    found: dict[ChangelogGroup, list[ChangelogCommit]] = {}
    for one in commits:
        found.setdefault(changelog_group_of_commit(one), []).append(one)
    return {meaning: tuple(found[meaning]) for meaning in ChangelogGroup if meaning in found}
