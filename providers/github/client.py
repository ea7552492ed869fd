"""The endpoints of GitHub that hwplan uses, each a method that gives facts of planner.pull_requests. Decides nothing.

All methods raise ProviderError: TemporaryError when GitHub is busy or a limit is reached, PermanentError when it
refuses, OutcomeUnknown for a write of which nobody knows whether it took effect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from planner.dataclass import dataclass
from planner.errors import OutcomeUnknown
from planner.pull_requests.github_facts import (
    BranchComparison,
    BranchRules,
    CheckResult,
    IssueComment,
    IssueFacts,
    MergeMethod,
    PullRequestReview,
    PullRequestState,
)
from planner.pull_requests.merge_answers import GitHubMergeReply, classify_merge_answer
from planner.values import Json, JsonObject, JsonValue
from providers.github import parse_answers
from providers.github.send_requests import GitHubConnection

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class GitHubClient:
    """A client of GitHub's REST API, as one account. `repo` is `owner/name` throughout."""

    connection: GitHubConnection

    def login(self) -> str:
        """The account in whose name is written."""
        return self.connection.login()

    # Pull requests

    def open_pulls(self, repo: str, base: str = "") -> tuple[PullRequestState, ...]:
        """All open pull requests (into one branch), by ascending number; without what only a single reading tells:
        whether they can be merged."""
        query = {"base": base} if base else {}
        path = f"/repos/{repo}/pulls"
        rows = self.connection.pages(path, state="open", sort="created", direction="asc", **query)
        return self._all(path, rows, parse_answers.parse_pull_request)

    def closed_pulls(self, repo: str, base: str) -> tuple[PullRequestState, ...]:
        """The closed pull requests into a branch that were changed last, at most 100, merged or not."""
        path = f"/repos/{repo}/pulls"
        document = self.connection.get(
            path, state="closed", base=base, sort="updated", direction="desc", per_page="100"
        ).document
        if not isinstance(document, list):
            raise self.connection.broken(path, "a list was expected")
        return tuple(self._read(path, row, parse_answers.parse_pull_request) for row in document)

    def pull(self, repo: str, number: int) -> PullRequestState:
        """One pull request."""
        path = f"/repos/{repo}/pulls/{number}"
        return self._read(path, self.connection.get(path).document, parse_answers.parse_pull_request)

    def pulls_of_commit(self, repo: str, commit: str) -> tuple[PullRequestState, ...]:
        """The pull requests that brought a commit, or that it is the merge of; at most 30."""
        path = f"/repos/{repo}/commits/{commit}/pulls"
        document = self.connection.get(path).document
        if not isinstance(document, list):
            raise self.connection.broken(path, "a list was expected")
        return tuple(self._read(path, row, parse_answers.parse_pull_request) for row in document)

    def merge(self, repo: str, number: int, head: str, method: MergeMethod) -> GitHubMergeReply:
        """Ask for the merge of exactly the commit `head`. Every answer is a reply, also none at all."""
        path, body = f"/repos/{repo}/pulls/{number}/merge", {"sha": head, "merge_method": method}
        try:
            answer = self.connection.write("PUT", path, body, (200, 403, 404, 405, 409, 422))
        except OutcomeUnknown as lost:
            return GitHubMergeReply(classify_merge_answer(0, ""), lost.message)
        document = answer.document if isinstance(answer.document, dict) else {}
        meaning = classify_merge_answer(answer.status, answer.message, merged=document.get("merged") is True)
        commit = document.get("sha") if answer.status == 200 else ""
        return GitHubMergeReply(meaning, answer.message, commit if isinstance(commit, str) else "")

    def reviews(self, repo: str, number: int) -> tuple[PullRequestReview, ...]:
        """All reviews of a pull request, in the order of time."""
        path = f"/repos/{repo}/pulls/{number}/reviews"
        return self._all(path, self.connection.pages(path), parse_answers.parse_review)

    # Commits and branches

    def checks(self, repo: str, commit: str) -> tuple[CheckResult, ...]:
        """The latest check runs and commit statuses of a commit. A name may come twice: as a run and as a status."""
        runs, status = f"/repos/{repo}/commits/{commit}/check-runs", f"/repos/{repo}/commits/{commit}/status"
        found = self._all(
            runs, self.connection.pages(runs, "check_runs", filter="latest"), parse_answers.parse_check_run
        )
        return (
            *found,
            *self._all(status, self.connection.pages(status, "statuses"), parse_answers.parse_commit_status),
        )

    def statuses(self, repo: str, commit: str) -> tuple[CheckResult, ...]:
        """The latest commit status of each context, with who wrote it."""
        path = f"/repos/{repo}/commits/{commit}/statuses"
        latest: dict[str, CheckResult] = {}
        for one in self._all(path, self.connection.pages(path), parse_answers.parse_commit_status):
            latest.setdefault(one.name, one)  # the newest come first
        return tuple(latest.values())

    def set_status(self, repo: str, commit: str, context: str, state: str, description: str, url: str = "") -> int:
        """Write a commit status; gives its id. `state` is error, failure, pending or success."""
        path = f"/repos/{repo}/statuses/{commit}"
        body = {"context": context, "state": state, "description": description}
        answer = self.connection.write("POST", path, body | ({"target_url": url} if url else {}), (201,))
        return self._read(path, answer.document, parse_answers.parse_commit_status).identifier

    def branch_rules(self, repo: str, branch: str) -> BranchRules:
        """What has to be green before GitHub merges into a branch."""
        name = quote(branch, safe="/")
        rules = self.connection.pages(f"/repos/{repo}/rules/branches/{name}")
        path = f"/repos/{repo}/branches/{name}"
        document = self.connection.get(path).document
        return self._read(path, document, lambda branch: parse_answers.parse_branch_rules(branch, rules))

    def compare(self, repo: str, base: str, head: str) -> BranchComparison:
        """How far two commits or branches are apart."""
        path = f"/repos/{repo}/compare/{quote(base, safe='/')}...{quote(head, safe='/')}"
        return self._read(path, self.connection.get(path).document, parse_answers.parse_comparison)

    # Comments and issues

    def comments(self, repo: str, number: int) -> tuple[IssueComment, ...]:
        """All comments on an issue or pull request, by ascending id."""
        path = f"/repos/{repo}/issues/{number}/comments"
        return self._all(path, self.connection.pages(path), parse_answers.parse_comment_json)

    def create_comment(self, repo: str, number: int, body: str) -> IssueComment:
        """Add a comment."""
        path = f"/repos/{repo}/issues/{number}/comments"
        answer = self.connection.write("POST", path, {"body": body}, (201,))
        return self._read(path, answer.document, parse_answers.parse_comment_json)

    def update_comment(self, repo: str, identifier: int, body: str) -> IssueComment:
        """Replace the text of a comment."""
        path = f"/repos/{repo}/issues/comments/{identifier}"
        answer = self.connection.write("PATCH", path, {"body": body}, (200,))
        return self._read(path, answer.document, parse_answers.parse_comment_json)

    def delete_comment(self, repo: str, identifier: int) -> None:
        """Delete a comment; one that is gone already counts as deleted."""
        self.connection.write("DELETE", f"/repos/{repo}/issues/comments/{identifier}", {}, (204, 404))

    def issues(self, repo: str, creator: str = "", labels: str = "", state: str = "all") -> tuple[IssueFacts, ...]:
        """All issues (no pull requests), by ascending number: of one author, with all of `labels` (split by commas)."""
        query = {name: value for name, value in (("creator", creator), ("labels", labels)) if value}
        path = f"/repos/{repo}/issues"
        rows = self.connection.pages(path, state=state, sort="created", direction="asc", **query)
        return tuple(one for one in self._all(path, rows, parse_answers.parse_issue) if not one.is_pull)

    def create_issue(self, repo: str, title: str, body: str, labels: tuple[str, ...] = ()) -> IssueFacts:
        """Open an issue. GitHub drops the labels without a word when the token may not set them."""
        path = f"/repos/{repo}/issues"
        answer = self.connection.write("POST", path, {"title": title, "body": body, "labels": list(labels)}, (201,))
        return self._read(path, answer.document, parse_answers.parse_issue)

    def update_issue(self, repo: str, number: int, fields: JsonObject) -> IssueFacts:
        """Change `title`, `body`, `state`, `state_reason` or `labels` of an issue."""
        path = f"/repos/{repo}/issues/{number}"
        answer = self.connection.write("PATCH", path, fields, (200,))
        return self._read(path, answer.document, parse_answers.parse_issue)

    def _all(self, path: str, rows: list[JsonObject], parse: Callable[[Json], _T]) -> tuple[_T, ...]:
        return tuple(self._read(path, row, parse) for row in rows)

    def _read(self, path: str, document: JsonValue, parse: Callable[[Json], _T]) -> _T:
        try:
            return parse(document)
        except parse_answers.UnexpectedAnswer as error:
            raise self.connection.broken(path, str(error)) from None
