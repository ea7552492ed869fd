"""What one pull request does not meet yet (P1, P3-P8, P11). Pure; texts of the pull request are only compared.

Everything unmet is listed, not only the first: who looks at the list must not find the next reason tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from planner.pull_requests.approvals import count_approvals
from planner.pull_requests.github_facts import BranchRules, CheckResult, PullRequestReview
from planner.pull_requests.merge_candidate import MergeCandidate, UnmetRequirement
from planner.pull_requests.predicted_merge_verification import merge_conflicts_text
from planner.spec.pull_requests import PullRequestRules

OWN_CONTEXT = "hwplan/"  # what we report ourselves never counts (P4)
UNKNOWN = "mergeability-unknown"
_WIP = re.compile(r"(?i)^\W*(wip|draft|do not merge)\b")
_MOST_FILES = 5
_MERGEABLE = ("clean", "unstable", "has_hooks")
_STATES = {
    "behind": ("behind", "the head is behind its base", "author"),
    "blocked": ("blocked", "GitHub blocks it: a rule of the branch is not met", "reviewer"),
    "dirty": ("conflict", "it conflicts with its base", "author"),
    "draft": ("draft", "it is a draft", "author"),
}


def unmet_requirements(
    candidate: MergeCandidate, rules: PullRequestRules, branch: BranchRules | None, *, base: str, now: datetime
) -> list[UnmetRequirement]:
    """Every requirement that is not met, in the order in which they are best met. `branch` is None where the rules of
    the branch could not be read: they are then unknown, and nothing is merged."""
    if candidate.row_only:
        found = list(_eligible(candidate, rules, base))
        return found or [UnmetRequirement("unreadable", "cannot be read: its checks and reviews", "github")]
    own = [
        *_readable(candidate, branch),
        *_eligible(candidate, rules, base),
        *_reviews(candidate),
        *_checks(candidate, rules, branch or BranchRules()),
    ]
    asked = candidate.base_read or not own
    of_the_base = [*_fresh(candidate, rules, branch or BranchRules()), *_mergeable(candidate)] if asked else []
    return [*own, *of_the_base, *_approved(candidate, rules, now)]


def _readable(candidate: MergeCandidate, branch: BranchRules | None) -> Iterator[UnmetRequirement]:
    parts = {
        "its checks": candidate.checks is None,
        "its reviews": candidate.reviews is None,
        "the rules of the branch": branch is None,
        candidate.unreadable: bool(candidate.unreadable),
    }
    for part, missing in parts.items():
        if missing:
            yield UnmetRequirement("unreadable", f"cannot be read: {part}", "github")


def _eligible(candidate: MergeCandidate, rules: PullRequestRules, base: str) -> Iterator[UnmetRequirement]:
    """P1 and P11."""
    pull = candidate.pull
    labels = {label.lower() for label in pull.labels}
    if not pull.is_open:
        yield UnmetRequirement("closed", "it is closed", "author")
    if pull.base_branch != base:
        yield UnmetRequirement("other-base", f"its base is not {base}", "author")
    if pull.draft:
        yield UnmetRequirement("draft", "it is a draft", "author")
    for label in rules.blocking_labels:
        if label.lower() in labels:
            yield UnmetRequirement("blocking-label", f"it has the label {label}", "author")
    if _WIP.match(pull.title):
        yield UnmetRequirement("wip-title", "its title says that it is not ready", "author")
    if rules.authors and pull.author.lower() not in {name.lower() for name in rules.authors}:
        yield UnmetRequirement("author", "its author is not among the authors of the lane", "operator")
    if pull.auto_merge or candidate.in_queue:
        yield UnmetRequirement("merged-by-github", "GitHub merges it by itself (auto-merge or a queue)", "github")


def _reviews(candidate: MergeCandidate) -> Iterator[UnmetRequirement]:
    """The latest word of each reviewer. A request for changes holds until its author takes it back, whatever was pushed
    since: that is GitHub's own rule."""
    last: dict[str, PullRequestReview] = {}
    for review in candidate.reviews or ():
        if review.state != "COMMENTED":
            last[review.author.lower()] = review
    for name, review in sorted(last.items()):
        if review.state == "CHANGES_REQUESTED":
            yield UnmetRequirement("changes-requested", f"{name} asks for changes", "author")


def _checks(candidate: MergeCandidate, rules: PullRequestRules, branch: BranchRules) -> Iterator[UnmetRequirement]:
    """P4: a required check that is missing has not passed; one that nobody named is required once it is there."""
    if candidate.checks is None:
        return
    ignored = set(rules.checks.optional)
    found = [one for one in candidate.checks if one.name not in ignored and not one.name.startswith(OWN_CONTEXT)]
    wanted = {*rules.checks.required, *(name for name in branch.contexts if not name.startswith(OWN_CONTEXT))}
    may_be_absent = {*ignored, *rules.checks.if_present, *(one.name for one in found)}
    for name in sorted(wanted - may_be_absent):
        yield UnmetRequirement("check-missing", f"the check {name} has not reported", "checks")
    for check in sorted(found, key=lambda one: one.name):  # a name may come twice, as a run and as a status
        if check.state != "success":
            yield _not_passed(check)


def _not_passed(check: CheckResult) -> UnmetRequirement:
    if check.state == "pending":
        return UnmetRequirement("check-pending", f"the check {check.name} is {check.said}", "checks")
    return UnmetRequirement("check-failed", f"the check {check.name} ended {check.said}", "author")


def _fresh(candidate: MergeCandidate, rules: PullRequestRules, branch: BranchRules) -> Iterator[UnmetRequirement]:
    """P6."""
    if rules.freshness == "head" and not branch.strict:
        return
    if candidate.contains_base is None:
        yield UnmetRequirement("unreadable", "cannot be read: whether the head contains its base", "github")
    elif not candidate.contains_base:
        yield UnmetRequirement("behind", "the head does not contain the tip of its base", "author")


def _mergeable(candidate: MergeCandidate) -> Iterator[UnmetRequirement]:
    """P5 and P8: a word that we do not know is a reason to wait."""
    pull = candidate.pull
    if candidate.conflicts:
        files = merge_conflicts_text(candidate.conflicts, _MOST_FILES)
        yield UnmetRequirement("conflict", f"it conflicts with its base in {files}", "author")
    elif pull.mergeable_state in _MERGEABLE and pull.mergeable is not False:
        return
    elif pull.mergeable is None or pull.mergeable_state in ("", "unknown"):
        yield UnmetRequirement(UNKNOWN, "GitHub has not computed yet whether it can be merged", "github")
    elif pull.mergeable_state in _STATES:
        if pull.mergeable_state != "draft" or not pull.draft:  # else it is listed already
            yield UnmetRequirement(*_STATES[pull.mergeable_state])
    else:
        yield UnmetRequirement("not-mergeable", "GitHub does not call it mergeable", "github")


def _approved(candidate: MergeCandidate, rules: PullRequestRules, now: datetime) -> Iterator[UnmetRequirement]:
    """P7: of this head and of this effect."""
    quorum = rules.approvals.quorum
    if not quorum:
        return
    head = candidate.pull.head
    count = count_approvals(candidate.approvals, rules.approvals, head=head, effect=candidate.effect, now=now)
    if len(count.people) >= quorum:
        return
    withdrawn = f" ({'; '.join(count.withdrawn[:3])})" if count.withdrawn else ""
    yield UnmetRequirement("approval", f"{len(count.people)} of {quorum} approvals of its plan{withdrawn}", "reviewer")
