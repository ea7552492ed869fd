"""Commits of the simulated GitHub: their checks and statuses, branches with their rules, and comparisons."""

from __future__ import annotations

from typing import Any

from planner.values import JsonObject
from providers.simulated_github.bare_repository import CommitFields, SimulatedBareRepository
from providers.simulated_github.request_and_reply import (
    RequestRefused,
    SimulatedReply,
    SimulatedRequest,
    invalid_body_reply,
    not_found_reply,
)
from providers.simulated_github.store_file import StoredRepository

_STATES = ("error", "failure", "pending", "success")
_MOST = 140  # characters of a description


def list_check_runs(repo: StoredRepository, request: SimulatedRequest, sha: str) -> SimulatedReply:
    """GET commits/{ref}/check-runs, the latest of each name."""
    _commit(repo, sha)
    latest = {row["name"]: row for row in repo.rows("check_runs") if row["head_sha"] == sha}
    return SimulatedReply(200, {}, items=list(latest.values()))


def combined_status(repo: StoredRepository, request: SimulatedRequest, sha: str) -> SimulatedReply:
    """GET commits/{ref}/status: the latest of each context; `pending` when there is none."""
    _commit(repo, sha)
    latest = {row["context"]: _status(row) for row in repo.rows("statuses") if row["sha"] == sha}
    states = {row["state"] for row in latest.values()}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    return SimulatedReply(200, {"state": state, "sha": sha}, items=list(latest.values()))


def list_statuses(repo: StoredRepository, request: SimulatedRequest, sha: str) -> SimulatedReply:
    """GET commits/{ref}/statuses: all of them with who wrote them, the newest first."""
    _commit(repo, sha)
    rows = [row for row in reversed(repo.rows("statuses")) if row["sha"] == sha]
    return SimulatedReply(200, items=[{**_status(row), "creator": {"login": row["creator"]}} for row in rows])


def create_status(repo: StoredRepository, request: SimulatedRequest, sha: str) -> SimulatedReply:
    """POST statuses/{sha}."""
    if SimulatedBareRepository(repo.git).commit(sha) is None:
        raise RequestRefused(422, f"No commit found for SHA: {sha}")
    state, description = request.text("state"), request.body.get("description")
    if state not in _STATES:
        raise invalid_body_reply("state")
    if description is not None and len(description) > _MOST:
        raise invalid_body_reply("description")
    fields: dict[str, Any] = {
        "context": request.body.get("context", "default"),
        "state": state,
        "creator": request.login,
    }
    fields |= {"sha": sha, "description": description, "target_url": request.body.get("target_url")}
    row = repo.add("statuses", **fields)
    return SimulatedReply(201, {**_status(row), "creator": {"login": request.login}})


def get_branch(repo: StoredRepository, request: SimulatedRequest, name: str) -> SimulatedReply:
    """GET branches/{b}."""
    sha = SimulatedBareRepository(repo.git).branches().get(name)
    if sha is None:
        raise RequestRefused(404, "Branch not found")
    contexts = list(repo.data.get("required", {}).get(name, ()))
    protection = {"enabled": bool(contexts), "required_status_checks": {"contexts": contexts}}
    shown = commit_row(_commit(repo, sha))
    return SimulatedReply(200, {"name": name, "commit": shown, "protected": bool(contexts), "protection": protection})


def branch_rules(repo: StoredRepository, request: SimulatedRequest, name: str) -> SimulatedReply:
    """GET rules/branches/{b}: the rule of required checks, where there is one."""
    contexts = repo.data.get("required", {}).get(name, ())
    strict = name in repo.data.get("strict", ())
    checks = [{"context": one} for one in contexts]
    parameters = {"required_status_checks": checks, "strict_required_status_checks_policy": strict}
    rule = {"type": "required_status_checks", "parameters": parameters, "ruleset_id": 1}
    return SimulatedReply(200, items=[rule] if contexts else [])


def compare_commits(repo: StoredRepository, request: SimulatedRequest, text: str) -> SimulatedReply:
    """GET compare/{base}...{head}, by branch or commit."""
    git = SimulatedBareRepository(repo.git)
    branches = git.branches()
    base, dots, head = text.partition("...")
    sides = [branches.get(side, side) for side in (base, head)]
    if not dots or any(git.commit(side) is None for side in sides):
        raise not_found_reply()
    ahead, behind = git.distance(*sides)
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    common = git.merge_base(*sides)
    body = {
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "base_commit": commit_row(_commit(repo, sides[0])),
        "merge_base_commit": commit_row(_commit(repo, common)),
        "commits": [],
        "files": [{"filename": name, "status": "modified"} for name in git.changed_files(*sides)],
    }
    return SimulatedReply(200, body)


def commit_row(commit: CommitFields) -> JsonObject:
    """A commit as GitHub shows it."""
    parents = [{"sha": one} for one in commit.parents]
    return {"sha": commit.sha, "parents": parents, "commit": {"message": commit.message, "tree": {"sha": commit.tree}}}


def _commit(repo: StoredRepository, sha: str) -> CommitFields:
    found = SimulatedBareRepository(repo.git).commit(sha)
    if found is None:
        raise RequestRefused(422, f"No commit found for SHA: {sha}")
    return found


def _status(row: JsonObject) -> JsonObject:
    names = ("id", "context", "state", "description", "target_url", "created_at", "updated_at")
    return {name: row[name] for name in names}
