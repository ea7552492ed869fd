"""GitHub's documents as facts of planner.pull_requests. A document that lacks what it must have is an error, never a
guess."""

from __future__ import annotations

from typing import Literal

from planner.pull_requests.github_facts import (
    BranchComparison,
    BranchRules,
    CheckResult,
    IssueComment,
    IssueFacts,
    PullRequestReview,
    PullRequestState,
)
from planner.values import Json, JsonObject, JsonValue

_GOOD = frozenset({"success", "neutral", "skipped"})
_STATES: dict[str, Literal["success", "failure", "pending"]] = {"success": "success", "pending": "pending"}


class UnexpectedAnswer(ValueError):
    """A document that is not as GitHub describes it; says which field."""


def parse_pull_request(document: JsonValue) -> PullRequestState:
    """A pull request, from a list or by itself. Raises UnexpectedAnswer."""
    row = _row(document)
    head, base = _row(row.get("head")), _row(row.get("base"))
    mergeable = row.get("mergeable")
    return PullRequestState(
        number=_number(row, "number"),
        title=_text(row, "title"),
        author=_login(row),
        is_open=_text(row, "state") == "open",
        draft=row.get("draft") is True,
        head=_text(head, "sha"),
        head_branch=_text(head, "ref"),
        base_branch=_text(base, "ref"),
        base=_text(base, "sha"),
        labels=_labels(row),
        merged=row.get("merged") is True or bool(row.get("merged_at")),
        merged_by=_login(row, "merged_by"),
        merge_commit=_optional(row, "merge_commit_sha"),
        mergeable=mergeable if isinstance(mergeable, bool) else None,
        mergeable_state=_optional(row, "mergeable_state"),
        auto_merge=row.get("auto_merge") is not None,
        created_at=_optional(row, "created_at"),
        updated_at=_optional(row, "updated_at"),
        merged_at=_optional(row, "merged_at"),
    )


def parse_review(document: JsonValue) -> PullRequestReview:
    """A review. Raises UnexpectedAnswer."""
    row = _row(document)
    return PullRequestReview(
        _login(row), _text(row, "state").upper(), _optional(row, "commit_id"), _optional(row, "submitted_at")
    )


def parse_check_run(document: JsonValue) -> CheckResult:
    """A check run. Raises UnexpectedAnswer."""
    row = _row(document)
    status, conclusion = _text(row, "status"), _optional(row, "conclusion")
    if status != "completed":
        return CheckResult(_text(row, "name"), "pending", status, identifier=_number(row, "id"))
    state: Literal["success", "failure"] = "success" if conclusion in _GOOD else "failure"
    return CheckResult(_text(row, "name"), state, conclusion, identifier=_number(row, "id"))


def parse_commit_status(document: JsonValue) -> CheckResult:
    """A commit status. Raises UnexpectedAnswer."""
    row = _row(document)
    said = _text(row, "state")
    return CheckResult(
        name=_text(row, "context"),
        state=_STATES.get(said, "failure"),
        said=said,
        author=_login(row, "creator"),
        description=_optional(row, "description"),
        identifier=_number(row, "id"),
        url=_optional(row, "target_url"),
    )


def parse_comment_json(document: JsonValue) -> IssueComment:
    """A comment. Raises UnexpectedAnswer."""
    row = _row(document)
    return IssueComment(
        identifier=_number(row, "id"),
        author=_login(row),
        body=_optional(row, "body"),
        url=_optional(row, "html_url"),
        created_at=_optional(row, "created_at"),
        updated_at=_optional(row, "updated_at"),
    )


def parse_issue(document: JsonValue) -> IssueFacts:
    """An issue. Raises UnexpectedAnswer."""
    row = _row(document)
    return IssueFacts(
        number=_number(row, "number"),
        author=_login(row),
        title=_text(row, "title"),
        body=_optional(row, "body"),
        is_open=_text(row, "state") == "open",
        labels=_labels(row),
        is_pull="pull_request" in row,
        url=_optional(row, "html_url"),
        created_at=_optional(row, "created_at"),
        updated_at=_optional(row, "updated_at"),
    )


def parse_branch_rules(branch: JsonValue, rules: list[JsonObject]) -> BranchRules:
    """What a branch requires: by its protection, and by rulesets. Raises UnexpectedAnswer."""
    protection = _row(_row(branch).get("protection") or {})
    contexts = _list(_row(protection.get("required_status_checks") or {}), "contexts")
    strict = False
    for rule in rules:
        if rule.get("type") == "required_status_checks":
            parameters = _row(rule.get("parameters"))
            contexts += [_text(_row(one), "context") for one in _list(parameters, "required_status_checks")]
            strict = strict or parameters.get("strict_required_status_checks_policy") is True
    return BranchRules(tuple(dict.fromkeys(map(str, contexts))), strict, _text(_row(_row(branch).get("commit")), "sha"))


def parse_comparison(document: JsonValue) -> BranchComparison:
    """A comparison. Raises UnexpectedAnswer."""
    row = _row(document)
    files = tuple(_text(_row(one), "filename") for one in _list(row, "files"))
    common = _text(_row(row.get("merge_base_commit")), "sha")
    return BranchComparison(_number(row, "ahead_by"), _number(row, "behind_by"), common, files)


def _row(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise UnexpectedAnswer("an object was expected")
    return value


def _text(row: JsonObject, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise UnexpectedAnswer(f"{name} is no text")
    return value


def _optional(row: JsonObject, name: str) -> str:
    return "" if row.get(name) is None else _text(row, name)


def _number(row: JsonObject, name: str) -> int:
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnexpectedAnswer(f"{name} is no number")
    return value


def _list(row: JsonObject, name: str) -> list[Json]:
    """A copy; empty where there is none."""
    value = row.get(name)
    if not isinstance(value, list | None):
        raise UnexpectedAnswer(f"{name} is no list")
    return list(value or ())


def _login(row: JsonObject, name: str = "user") -> str:
    """ "" for an account that was deleted."""
    user = row.get(name)
    return "" if user is None else _text(_row(user), "login")


def _labels(row: JsonObject) -> tuple[str, ...]:
    return tuple(one if isinstance(one, str) else _text(_row(one), "name") for one in _list(row, "labels"))
