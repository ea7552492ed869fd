"""Issues, their comments and labels in the simulated GitHub. A pull request is an issue too, as on GitHub."""

from __future__ import annotations

from planner.values import JsonObject
from providers.simulated_github.request_and_reply import (
    RequestRefused,
    SimulatedReply,
    SimulatedRequest,
    invalid_body_reply,
    not_found_reply,
)
from providers.simulated_github.store_file import StoredRepository

WEB = "https://github.com"
_CHANGEABLE = ("title", "body", "state", "state_reason", "labels")


def list_issues(repo: StoredRepository, request: SimulatedRequest) -> SimulatedReply:
    """GET issues: the newest first; pull requests are among them."""
    _refuse_disabled(repo)
    state, creator = request.query.get("state", "open"), request.query.get("creator", "")
    labels = {name for name in request.query.get("labels", "").split(",") if name}
    rows = [
        row
        for kind in ("issues", "pulls")
        for row in repo.rows(kind)
        if state in ("all", row["state"]) and creator in ("", row["author"]) and labels <= set(row.get("labels", ()))
    ]
    rows.sort(key=lambda row: int(row["number"]), reverse=request.query.get("direction", "desc") == "desc")
    return SimulatedReply(200, items=[_issue(repo, row) for row in rows])


def get_issue(repo: StoredRepository, request: SimulatedRequest, number: int) -> SimulatedReply:
    """GET issues/{n}."""
    return SimulatedReply(200, _issue(repo, issue_row(repo, number)))


def create_issue(repo: StoredRepository, request: SimulatedRequest) -> SimulatedReply:
    """POST issues."""
    _refuse_disabled(repo)
    title, labels = request.text("title"), request.body.get("labels", [])
    row = repo.add(
        "issues",
        number=repo.next_number(),
        title=title,
        body=request.body.get("body"),
        author=request.login,
        state="open",
        state_reason=None,
        labels=list(labels),
    )
    return SimulatedReply(201, _issue(repo, row))


def update_issue(repo: StoredRepository, request: SimulatedRequest, number: int) -> SimulatedReply:
    """PATCH issues/{n}: title, body, state, labels."""
    row = issue_row(repo, number)
    if request.body.get("state", "open") not in ("open", "closed"):
        raise invalid_body_reply("state")
    row |= {
        key: request.body[key] for key in ("title", "body", "state", "state_reason", "labels") if key in request.body
    }
    row["updated_at"] = repo.now()
    row["closed_at"] = row.get("closed_at") or repo.now() if row["state"] == "closed" else None
    return SimulatedReply(200, _issue(repo, row))


def list_labels(repo: StoredRepository, request: SimulatedRequest, number: int) -> SimulatedReply:
    """GET issues/{n}/labels."""
    return SimulatedReply(200, items=[{"name": name} for name in issue_row(repo, number).get("labels", ())])


def add_labels(repo: StoredRepository, request: SimulatedRequest, number: int) -> SimulatedReply:
    """POST issues/{n}/labels."""
    row = issue_row(repo, number)
    row["labels"] = list(dict.fromkeys([*row.get("labels", ()), *request.body.get("labels", ())]))
    return SimulatedReply(200, [{"name": name} for name in row["labels"]])


def remove_label(repo: StoredRepository, request: SimulatedRequest, number: int, name: str | int) -> SimulatedReply:
    """DELETE issues/{n}/labels/{name}."""
    row = issue_row(repo, number)
    if name not in row.get("labels", ()):
        raise RequestRefused(404, "Label does not exist")
    row["labels"] = [one for one in row["labels"] if one != name]
    return SimulatedReply(200, [{"name": one} for one in row["labels"]])


def list_comments(repo: StoredRepository, request: SimulatedRequest, number: int) -> SimulatedReply:
    """GET issues/{n}/comments: by ascending id."""
    issue_row(repo, number)
    rows = [row for row in repo.rows("comments") if row["issue"] == number]
    return SimulatedReply(200, items=[_comment(repo, row) for row in sorted(rows, key=lambda row: int(row["id"]))])


def create_comment(repo: StoredRepository, request: SimulatedRequest, number: int) -> SimulatedReply:
    """POST issues/{n}/comments."""
    issue_row(repo, number)
    row = repo.add("comments", issue=number, author=request.login, body=request.text("body"))
    return SimulatedReply(201, _comment(repo, row))


def update_comment(repo: StoredRepository, request: SimulatedRequest, identifier: int) -> SimulatedReply:
    """PATCH issues/comments/{id}."""
    row = _comment_row(repo, identifier)
    row |= {"body": request.text("body"), "updated_at": repo.now()}
    return SimulatedReply(200, _comment(repo, row))


def delete_comment(repo: StoredRepository, request: SimulatedRequest, identifier: int) -> SimulatedReply:
    """DELETE issues/comments/{id}."""
    repo.rows("comments").remove(_comment_row(repo, identifier))
    return SimulatedReply(204)


def issue_row(repo: StoredRepository, number: int) -> JsonObject:
    """The row of an issue or pull request. Raises RequestRefused (404)."""
    for kind in ("issues", "pulls"):
        for row in repo.rows(kind):
            if row["number"] == number:
                return row
    raise not_found_reply()


def _comment_row(repo: StoredRepository, identifier: int) -> JsonObject:
    for row in repo.rows("comments"):
        if row["id"] == identifier:
            return row
    raise not_found_reply()


def _refuse_disabled(repo: StoredRepository) -> None:
    if not repo.data.get("issues_enabled", True):
        raise RequestRefused(410, "Issues has been disabled in this repository.")


def _comment(repo: StoredRepository, row: JsonObject) -> JsonObject:
    shown = {key: row[key] for key in ("id", "body", "created_at", "updated_at")}
    url = f"{WEB}/{repo.name}/issues/{row['issue']}#issuecomment-{row['id']}"
    return {**shown, "user": {"login": row["author"]}, "issue_number": row["issue"], "html_url": url}


def _issue(repo: StoredRepository, row: JsonObject) -> JsonObject:
    shown = {
        "number": row["number"],
        "id": row["id"],
        "title": row["title"],
        "body": row.get("body"),
        "html_url": f"{WEB}/{repo.name}/issues/{row['number']}",
        "state": row["state"],
        "state_reason": row.get("state_reason"),
        "locked": False,
        "user": {"login": row["author"]},
        "labels": [{"name": name} for name in row.get("labels", ())],
        "comments": sum(one["issue"] == row["number"] for one in repo.rows("comments")),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "closed_at": row.get("closed_at"),
    }
    return {**shown, "pull_request": {"number": row["number"]}} if row in repo.rows("pulls") else shown
