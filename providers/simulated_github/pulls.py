"""Pull requests of the simulated GitHub: listed, read, reviewed, merged by git."""

from __future__ import annotations

from planner.values import JsonObject
from providers.simulated_github.bare_repository import MergeFailed, SimulatedBareRepository
from providers.simulated_github.request_and_reply import (
    RequestRefused,
    SimulatedReply,
    SimulatedRequest,
    invalid_body_reply,
    not_found_reply,
)
from providers.simulated_github.store_file import StoredRepository

_METHODS = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}


def pull_request_row(repo: StoredRepository, number: int) -> JsonObject:
    """The row of a pull request. Raises RequestRefused (404)."""
    for row in repo.rows("pulls"):
        if row["number"] == number:
            return row
    raise not_found_reply()


def list_pulls(repo: StoredRepository, request: SimulatedRequest) -> SimulatedReply:
    """GET pulls: open ones by default, the newest first."""
    state, base = request.query.get("state", "open"), request.query.get("base", "")
    rows = [row for row in repo.rows("pulls") if state in ("all", row["state"]) and base in ("", row["base"])]
    by_change = request.query.get("sort") == "updated"
    rows.sort(
        key=lambda row: (row["updated_at"] if by_change else "", int(row["number"])),
        reverse=request.query.get("direction", "desc") == "desc",
    )
    branches = SimulatedBareRepository(repo.git).branches()
    return SimulatedReply(200, items=[_shown(row, branches) for row in rows])


def get_pull(repo: StoredRepository, request: SimulatedRequest, number: int) -> SimulatedReply:
    """GET pulls/{n}: with mergeability."""
    git = SimulatedBareRepository(repo.git)
    shown = _shown(pull_request_row(repo, number), git.branches())
    state = "unknown" if shown["merged"] or shown["state"] == "closed" else mergeable_state(repo, git, shown)
    mergeable = None if state == "unknown" else state != "dirty"
    return SimulatedReply(200, {**shown, "mergeable": mergeable, "mergeable_state": state})


def list_pulls_of_commit(repo: StoredRepository, request: SimulatedRequest, sha: str) -> SimulatedReply:
    """GET commits/{sha}/pulls: those that it is the merge of, and those that brought it."""
    git = SimulatedBareRepository(repo.git)
    if git.commit(sha) is None:
        raise RequestRefused(422, f"No commit found for SHA: {sha}")
    merged = [row for row in repo.rows("pulls") if row.get("merged")]
    rows = [row for row in merged if sha in git.brought(str(row["merge_commit_sha"]))]
    branches = git.branches()
    return SimulatedReply(200, items=[_shown(row, branches) for row in rows])


def list_reviews(repo: StoredRepository, request: SimulatedRequest, number: int) -> SimulatedReply:
    """GET pulls/{n}/reviews: in the order of time."""
    pull_request_row(repo, number)
    rows = [row for row in repo.rows("reviews") if row["pull"] == number]
    shown = [{key: row[key] for key in ("id", "user", "body", "state", "commit_id", "submitted_at")} for row in rows]
    return SimulatedReply(200, items=[{**row, "user": {"login": row["user"]}} for row in shown])


def merge_pull(repo: StoredRepository, request: SimulatedRequest, number: int) -> SimulatedReply:
    """PUT pulls/{n}/merge: 200, 405, 409 or 422, each for the reason for which GitHub gives it."""
    row, git = pull_request_row(repo, number), SimulatedBareRepository(repo.git)
    method, wanted = str(request.body.get("merge_method", "merge")), str(request.body.get("sha", ""))
    if method not in _METHODS:
        raise invalid_body_reply("merge_method")
    shown = _shown(row, git.branches())
    base, head = shown["base"]["sha"], shown["head"]["sha"]
    if shown["state"] != "open":
        raise RequestRefused(405, "Pull Request is not mergeable")
    if wanted and wanted != head:
        raise RequestRefused(409, "Head branch was modified. Review and try the merge again.")
    if method not in repo.data.get("allowed_methods", list(_METHODS)):
        raise RequestRefused(405, f"{_METHODS[method]} are not allowed on this repository.")
    state = mergeable_state(repo, git, shown)
    if state == "blocked":
        raise RequestRefused(405, "Required status check is expected.")
    if state in ("dirty", "draft"):
        raise RequestRefused(405, "Pull Request is not mergeable")
    try:
        made = git.merge(row["base"], base, head, method, f"Merge pull request #{number}\n\n{row['title']}")
    except MergeFailed as failed:
        moved = "Base branch was modified. Review and try the merge again."
        raise RequestRefused(405, moved if failed.moved else "Pull Request is not mergeable") from None
    close_as_merged(repo, row, head, made, request.login)
    return SimulatedReply(200, {"sha": made, "merged": True, "message": "Pull Request successfully merged"})


def close_as_merged(repo: StoredRepository, row: JsonObject, head: str, made: str, login: str) -> None:
    """Note that a pull request is merged as the commit `made`, by `login`."""
    row |= {"state": "closed", "merged": True, "merge_commit_sha": made, "head_sha": head, "merged_by": login}
    row |= {"closed_at": repo.now(), "updated_at": repo.now()}


def mergeable_state(repo: StoredRepository, git: SimulatedBareRepository, shown: JsonObject) -> str:
    """The word of `mergeable_state` for an open pull request."""
    base, head = shown["base"]["sha"], shown["head"]["sha"]
    if not base or not head:
        return "unknown"
    if shown["draft"]:
        return "draft"
    if not git.mergeable(base, head):
        return "dirty"
    good, bad = _contexts(repo, head)
    required = set(repo.data.get("required", {}).get(shown["base"]["ref"], ()))
    if required - good:
        return "blocked"
    if shown["base"]["ref"] in repo.data.get("strict", ()) and git.distance(base, head)[1]:
        return "behind"
    return "unstable" if bad else "clean"


def _contexts(repo: StoredRepository, head: str) -> tuple[set[str], set[str]]:
    """Names of checks and statuses of a commit that passed, and of those that did not; the latest of a name counts."""
    latest = {row["context"]: row["state"] == "success" for row in repo.rows("statuses") if row["sha"] == head}
    passed = ("success", "neutral", "skipped")
    latest |= {row["name"]: row["conclusion"] in passed for row in repo.rows("check_runs") if row["head_sha"] == head}
    return {name for name, good in latest.items() if good}, {name for name, good in latest.items() if not good}


def _shown(row: JsonObject, branches: dict[str, str]) -> JsonObject:
    head = row.get("head_sha") or branches.get(row["head"], "")
    merged = bool(row.get("merged"))
    return {
        "number": row["number"],
        "id": row["id"],
        "title": row["title"],
        "body": row.get("body", ""),
        "state": row["state"],
        "draft": bool(row.get("draft")),
        "locked": False,
        "user": {"login": row["author"]},
        "labels": [{"name": name} for name in row.get("labels", ())],
        "head": {"ref": row["head"], "sha": head},
        "base": {"ref": row["base"], "sha": branches.get(row["base"], "")},
        "auto_merge": row.get("auto_merge"),
        "merged": merged,
        "merged_at": row.get("closed_at") if merged else None,
        "merged_by": {"login": row["merged_by"]} if merged else None,
        "merge_commit_sha": row.get("merge_commit_sha"),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "closed_at": row.get("closed_at"),
    }
