"""Drift as issues on GitHub: one for each finding and owned set, updated in place, closed when it is clean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from planner.app.drift_report import open_session_with_drift_report
from planner.app.github_issues_and_comments import (
    GitHubIssueOrCommentResult,
    LaneGitHubRepository,
    github_issue_or_comment_resource,
    lane_issue_repository,
    update_github_issues_and_comments,
)
from planner.app.request import Request
from planner.app.snapshot_records import is_saved_snapshot
from planner.dataclass import dataclass
from planner.drift import DriftReport
from planner.errors import ForeignPlan, SelectionError
from planner.plan import Action
from planner.render.drift_issue import DriftIssue, make_drift_issues
from planner.render.graph_groups import count_noun
from planner.resource import Resource


@dataclass(frozen=True, slots=True)
class DriftIssueResult:
    """One issue that is not as it should be: the issue, and what is done or became of it."""

    issue: DriftIssue
    written: GitHubIssueOrCommentResult

    @property
    def words(self) -> str:
        """What is done: opens, closes, updates."""
        if self.written.action is Action.CREATE:
            return "open"
        return "update" if self.issue.is_open else "close"


@dataclass(frozen=True, slots=True)
class DriftIssuesUpdate:
    """What updating the drift issues came to: the drift report, and the result for each issue. `right` counts those
    that are as they should be already."""

    report: DriftReport
    results: tuple[DriftIssueResult, ...]
    right: int

    @property
    def exit_code(self) -> int:
        """1 when an issue could not be written or read; else that of the report."""
        return 1 if any(one.written.problem for one in self.results) else self.report.exit_code


def update_drift_issues(
    request: Request, acknowledgements: Path | None, ignore: Path | None, *, confirm: bool
) -> DriftIssuesUpdate:
    """Detect drift, and open, update or close its issues on GitHub; without `confirm` only say what would be done.

    Raises SelectionError for a selection that is no whole lane or has no repository.
    """
    if request.plain or request.targets or request.exclude or request.scopes:
        raise SelectionError(
            "issues are about whole lanes: what is not looked at would count as clean",
            where="--issue",
            remedy="hwplan drift --issue --node NODE --lane LANE",
        )
    if confirm and is_saved_snapshot(request.live):
        raise ForeignPlan("a saved snapshot says nothing about now", where="--live", remedy="leave --confirm out")
    with open_session_with_drift_report(request, acknowledgements, ignore) as (report, session):
        stack = session.stack
        issues: dict[str, DriftIssue] = {}
        wanted: list[Resource] = []
        places = [(node, lane) for node in stack.nodes for lane in stack.lanes]
        for node, lane in places:
            rows = tuple(one for one in report.rows if len(places) == 1 or one.address.node_lane == f"{node}/{lane}")
            if not rows:
                continue
            owned = f"{stack.product}.{node}.{lane}"
            where = lane_issue_repository(request, stack.product, node, lane)
            for issue in make_drift_issues(
                replace(report, rows=rows), owned, f"hwplan drift --node {node} --lane {lane}"
            ):
                wanted.append(made := _resource(issue, owned, where))
                issues[made.address.name] = issue
        written = update_github_issues_and_comments(session, wanted, confirm=confirm)
    results = tuple(DriftIssueResult(issues[one.address.name], one) for one in written)
    return DriftIssuesUpdate(report, results, len(wanted) - len(results))


def _resource(issue: DriftIssue, owned: str, where: LaneGitHubRepository) -> Resource:
    state = "open" if issue.is_open else "closed"
    spec = {
        "repo": where.repo, "access": where.access, "marker": issue.marker, "title": issue.title, "body": issue.body,
        "state": state,
    }  # fmt: skip
    return github_issue_or_comment_resource("GitHubIssue", f"drift-{owned.lower()}-{issue.finding}", spec)


def drift_issue_result_lines(found: DriftIssuesUpdate, *, confirmed: bool) -> Sequence[str]:
    """The lines of the command's output: what became of each drift issue, or would with `--confirm`."""
    lines = []
    for one in found.results:
        done = {"open": "opened", "update": "updated", "close": "closed"}[one.words]
        said = (
            f"not {done}: {one.written.problem}" if one.written.problem else done if confirmed else f"would {one.words}"
        )
        where = f"  {one.written.url}" if one.written.url else ""
        lines.append(f"issue  {said}  {one.issue.title} ({count_noun(one.issue.objects, 'object')}){where}")
    return [*lines, f"{count_noun(found.right, 'issue')} right already"] if found.right or not lines else lines
