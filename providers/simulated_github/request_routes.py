"""Routes each request to its endpoint in the simulated GitHub, and how lists are cut into pages. Knows no network.

The names of fields and the reasons of refusals are GitHub's; fields that hwplan never reads are left out. The testbed
serves it over HTTP, with all fields, limits and faults; a sandbox asks it directly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlencode

from planner.dataclass import dataclass
from planner.values import JsonObject
from providers.simulated_github import commits, issues, pulls
from providers.simulated_github.request_and_reply import (
    RequestRefused,
    SimulatedReply,
    SimulatedRequest,
    invalid_body_reply,
    not_found_reply,
)
from providers.simulated_github.store_file import GitHubStoreFile, StoredRepository

_NUMBER, _WORD, _REST = r"(\d{1,9})", r"([^/]+)", r"(.+)"
_ROUTES: tuple[tuple[str, str, Callable[..., SimulatedReply]], ...] = (
    ("GET", "pulls", pulls.list_pulls),
    ("GET", f"pulls/{_NUMBER}", pulls.get_pull),
    ("GET", f"pulls/{_NUMBER}/reviews", pulls.list_reviews),
    ("PUT", f"pulls/{_NUMBER}/merge", pulls.merge_pull),
    ("GET", "issues", issues.list_issues),
    ("POST", "issues", issues.create_issue),
    ("PATCH", f"issues/comments/{_NUMBER}", issues.update_comment),
    ("DELETE", f"issues/comments/{_NUMBER}", issues.delete_comment),
    ("GET", f"issues/{_NUMBER}", issues.get_issue),
    ("PATCH", f"issues/{_NUMBER}", issues.update_issue),
    ("GET", f"issues/{_NUMBER}/comments", issues.list_comments),
    ("POST", f"issues/{_NUMBER}/comments", issues.create_comment),
    ("GET", f"issues/{_NUMBER}/labels", issues.list_labels),
    ("POST", f"issues/{_NUMBER}/labels", issues.add_labels),
    ("DELETE", f"issues/{_NUMBER}/labels/{_WORD}", issues.remove_label),
    ("GET", f"commits/{_WORD}/check-runs", commits.list_check_runs),
    ("GET", f"commits/{_WORD}/pulls", pulls.list_pulls_of_commit),
    ("GET", f"commits/{_WORD}/status", commits.combined_status),
    ("GET", f"commits/{_WORD}/statuses", commits.list_statuses),
    ("POST", f"statuses/{_WORD}", commits.create_status),
    ("GET", f"branches/{_REST}", commits.get_branch),
    ("GET", f"rules/branches/{_REST}", commits.branch_rules),
    ("GET", f"compare/{_REST}", commits.compare_commits),
)
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)/(.+)")
_IN_OBJECT = {"check-runs": "check_runs", "status": "statuses"}  # lists that stand in an object, beside `total_count`
_MOST = 100


@dataclass(frozen=True, slots=True)
class SimulatedGitHub:
    """Answers requests from what `store` holds."""

    store: GitHubStoreFile

    def answer(self, request: SimulatedRequest) -> SimulatedReply:
        """The reply to one request. Raises PermanentError when the store is damaged."""
        try:
            return _paged(request, self._reply(request))
        except RequestRefused as refused:
            return refused.reply

    def _reply(self, request: SimulatedRequest) -> SimulatedReply:
        if request.path == "/user":
            return SimulatedReply(200, {"login": request.login})
        if request.path == "/rate_limit":
            free = {"limit": 5000, "remaining": 5000, "used": 0, "reset": 0}
            return SimulatedReply(200, {"rate": free, "resources": {"core": free, "search": free}})
        match = _REPOSITORY.fullmatch(request.path)
        with self.store.open() as repositories:
            repo = repositories.get(match[1]) if match else None
            if repo is None or match is None:
                raise not_found_reply()
            return _routed(repo, request, match[2])


def _routed(repo: StoredRepository, request: SimulatedRequest, rest: str) -> SimulatedReply:
    for method, pattern, handler in _ROUTES:
        found = re.fullmatch(pattern, rest)
        if method == request.method and found:
            words: list[Any] = [
                int(word) if word.isdigit() and len(word) < 10 else unquote(word) for word in found.groups()
            ]
            return handler(repo, request, *words)
    raise not_found_reply()


def _word(text: str) -> Any:
    """A part of a path: a number, or a text."""
    return int(text) if text.isdigit() and len(text) < 10 else unquote(text)


def _paged(request: SimulatedRequest, reply: SimulatedReply) -> SimulatedReply:
    """The page that was asked for, with a Link header as on GitHub."""
    if reply.items is None:
        return reply
    size, page = _counted(request.query, "per_page", 30), _counted(request.query, "page", 1)
    size = min(size, _MOST)
    last = max(1, -(-len(reply.items) // size))
    part = reply.items[(page - 1) * size : page * size]
    links = [f'<{_at(request, page + 1)}>; rel="next"', f'<{_at(request, last)}>; rel="last"'] if page < last else []
    name = _IN_OBJECT.get(request.path.rpartition("/")[2], "")
    counted = {**(reply.body or {}), "total_count": len(reply.items), name: part}
    body: JsonObject | list[JsonObject] = counted if name else part
    return SimulatedReply(reply.status, body, headers={"Link": ", ".join(links)} if links else {})


def _counted(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise invalid_body_reply(name)
    return int(text)


def _at(request: SimulatedRequest, page: int) -> str:
    return f"{request.path}?{urlencode({**request.query, 'page': str(page)})}"
