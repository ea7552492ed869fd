"""Pull requests of a lane: who may merge them, when, and what has to hold before."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictInt, StringConstraints

from planner.spec.base import Count, Duration, NodeName, StrictModel, Text
from planner.spec.kinds.github import GitHubAccess

ClockTime: TypeAlias = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Instant: TypeAlias = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


class CheckRules(StrictModel):
    """Which checks count. One that is named nowhere is required as soon as it is there."""

    required: tuple[Text, ...] = Field((), description="Besides those of the branch; a missing one has not passed.")
    optional: tuple[Text, ...] = Field((), description="Never looked at.")
    if_present: tuple[Text, ...] = Field((), description="Required once they report; not waited for.")


class ApprovalRules(StrictModel):
    """Whose approval of a plan counts, and for how long."""

    quorum: Count = Field(1, description="Different people that have to approve; 0 for none.")
    people: tuple[Text, ...] = Field((), description="GitHub accounts that may approve.")
    expires: Duration = Field("72h", description="An approval is worth nothing after this time.")


class LaneClosure(StrictModel):
    """The closure of a lane: no pull request is merged, or none of low priority, until a time."""

    reason: Text = Field(description="Why, as people see it in the status of their pull request.")
    until: Instant = Field(description="UTC, such as 2026-12-24T08:00:00Z.")
    minimum_priority: Count = Field(0, description="This priority or more is merged all the same; 0: none.")


class MergeWindow(StrictModel):
    """When merging is allowed, in UTC. `from` after `to` runs over midnight."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        min_length=1, description="Days on which the window begins."
    )
    start: ClockTime = Field(description="Begin, HH:MM.")
    end: ClockTime = Field(description="End, HH:MM.")


class PullRequestRules(StrictModel):
    """The rules for the pull requests of a lane: approvals, checks, windows, the way to merge."""

    authority: NodeName = Field(description="The node whose monitor merges; the others only roll out.")
    access: GitHubAccess = Field(default_factory=GitHubAccess, description="Which GitHub, and in whose name.")
    method: Literal["merge", "squash", "rebase"] = Field("merge", description="How it is merged.")
    freshness: Literal["head", "merge"] = Field(
        "head", description="`merge`: the head has to contain the tip of the base; `head`: its own checks suffice."
    )
    authors: tuple[Text, ...] = Field((), description="GitHub accounts whose pull requests are taken; empty for all.")
    blocking_labels: tuple[Text, ...] = Field(("do-not-merge", "wip"), description="Labels that keep one back.")
    priority_labels: dict[Text, Annotated[StrictInt, Field(ge=1, le=1000)]] = Field(
        default_factory=dict, description="Labels and their priority; the highest goes first, then the oldest."
    )
    checks: CheckRules = Field(default_factory=CheckRules, description="Which checks count.")
    approvals: ApprovalRules = Field(default_factory=ApprovalRules, description="Whose approval counts.")
    freeze_label: Text = Field("freeze", description="An open issue with this label stops all merges.")
    closed: LaneClosure | None = Field(None, description="The lane is closed for a time.")
    windows: tuple[MergeWindow, ...] = Field((), description="When merging is allowed; empty for always.")
    pause_after: Annotated[StrictInt, Field(ge=1, le=100)] = Field(
        3, description="Failures in a row after which the lane pauses itself."
    )
    quota_reserve: Count = Field(200, description="Requests of the GitHub quota that are left for people.")
