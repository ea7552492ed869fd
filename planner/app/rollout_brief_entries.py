"""The brief of a lane: one entry for each rollout, appended once, by the rollout itself or by hand (S25).

An entry that stands there is left as it is, whoever asks how often: it is found by its marker.
"""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from planner.app.github_issues_and_comments import (
    github_issue_or_comment_resource,
    lane_issue_repository,
    update_github_issues_and_comments,
)
from planner.app.lane.lane_evidence import CommitOrRunToReport
from planner.app.lane.lane_status import read_lane_status
from planner.app.pull_requests.monitored_lane import find_monitored_lane
from planner.app.read_and_preview import read_with_all_providers
from planner.app.request import Request
from planner.app.runtime import state_folder
from planner.app.session import Session
from planner.app.snapshot_records import is_saved_snapshot
from planner.app.trigger.rollout_plan import RolloutSession, open_rollout_session
from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import ForeignPlan, HwplanError, SelectionError
from planner.ports import AbsentObject, PresentObject
from planner.pull_requests.text_markers import marker_line
from planner.redaction.redactor import REDACTOR
from planner.render.rollout_brief_entry import (
    RolloutBriefEntry,
    changelog_commits_of_git_log,
    render_rollout_brief_entry,
    rollout_brief_marker,
)
from planner.resource import Resource
from planner.spec.rollout_brief_location import RolloutBriefLocation
from planner.user_cache_folder import user_cache_folder
from planner.values import JsonObject
from planner.whole_file import write_whole_file
from providers.git.git_client import GitClient
from providers.git.git_merges import commits_between
from providers.git.object_cache import ObjectCache
from providers.git.remotes import GitRemoteUrls, open_remote_locations, resolve_remote
from providers.github_provider_with_git import create_github_provider_without_cluster

_MOST_COMMITS = 400
_PAST = 50  # closeout records among which the rollout before is looked for
_OF_PULL = re.compile(r"^Merge pull request #([0-9]{1,9})\b|\(#([0-9]{1,9})\)$")


@dataclass(frozen=True, slots=True)
class RolloutBriefEntryResult:
    """An entry of the brief with the place where it stands: `written` is false where it stood there already, or
    nobody confirmed."""

    text: str
    place: str
    written: bool
    known: bool


def append_brief_entry_of_ended_rollout(
    session: Session, head: Resource, brief: RolloutBriefLocation, record: JsonObject
) -> RolloutBriefEntryResult:
    """Append the entry of a rollout that has just ended. Raises HwplanError where it cannot be written."""
    with _history(session, head) as history:
        entry = _entry(session, history, record, 0)
    return _append(session, brief, entry, confirm=True)


def append_brief_entry_by_hand(request: Request, number: int, commit: str, *, confirm: bool) -> RolloutBriefEntryResult:
    """Append the entry of a rollout by hand. Raises SelectionError where the lane has no brief, the pull request is not
    merged or not in `commit`, or no run of the commit is known."""
    if confirm and is_saved_snapshot(request.live):
        raise ForeignPlan("a saved snapshot cannot be written", where="--live", remedy="leave --confirm out")
    place = find_monitored_lane(request)
    brief = place.spec.brief
    if brief is None:
        raise SelectionError(
            f"{place.node}/{place.lane} has no brief",
            where="brief",
            remedy="write `brief: {issue: N}` or `brief: {file: PATH}` of the lane",
        )
    with open_rollout_session(place.request) as parts, _history(parts.session, parts.head) as history:
        session = parts.session
        pull = (
            create_github_provider_without_cluster(request.config, session.world.sandbox)
            .clients.of(place.access)
            .pull(place.repo, number)
        )
        whole = history.whole(commit)
        if not pull.merged:
            raise SelectionError(f"pull request {number} is not merged", where="--pr")
        if not history.contains(whole, pull.merge_commit):
            raise SelectionError(
                f"commit {whole[:12]} does not contain pull request {number}, merged as {pull.merge_commit[:12]}",
                where="--source-commit",
                remedy="name the commit that was rolled out",
            )
        record = _record(parts, place.request, whole)
        return _append(session, brief, _entry(session, history, record, number), confirm=confirm)


def _record(parts: RolloutSession, request: Request, commit: str) -> JsonObject:
    """The closeout record of the commit: as it was written at the end of its rollout, else as it is read now."""
    session = parts.session
    stack = session.stack
    known = session.store.closeouts(f"{stack.nodes[0]}/{stack.lanes[0]}", commit, 1)
    found: JsonObject | None = json.loads(known[0].record) if known else None
    if found is None:
        found = read_lane_status(request, CommitOrRunToReport(commit=commit), closeout=True).record
    if found is None or not found["run"]:
        raise SelectionError(
            f"no run of commit {commit[:12]} is known", where="--source-commit", remedy="hwplan status --source-commit"
        )
    return found


# --- what a rollout brought ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _History:
    """The history of the lane's branch, as far as it was fetched."""

    objects: ObjectCache
    remote: GitRemoteUrls
    ref: str

    def bring(self, commit: str) -> None:
        self.objects.bring(self.remote, commit, self.ref)

    def whole(self, commit: str) -> str:
        """The whole id of a commit of the branch. Raises SelectionError for one that it does not have."""
        tip = GitClient().list_refs(self.remote).get(self.ref, "")
        if tip:
            self.bring(tip)
            done = self.objects.local(
                tip, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}"
            )
            found = done.out.decode().strip()
            if not done.code and self.objects.contains(tip, found):
                return found
        raise SelectionError(
            f"{commit} is no commit of {self.ref.removeprefix('refs/heads/')}", where="--source-commit"
        )

    def contains(self, new: str, old: str) -> bool:
        return new == old or self.objects.contains(new, old) is True


@contextmanager
def _history(session: Session, head: Resource) -> Iterator[_History]:
    spec, sandbox = head.manifest["spec"], session.world.sandbox
    remote = resolve_remote(spec, open_remote_locations(session.request.config, sandbox))
    with TemporaryDirectory(prefix="hwplan-git-") as scratch:
        folder = Path(scratch) if sandbox is not None else user_cache_folder("git")
        yield _History(ObjectCache(GitClient(), folder), remote, f"refs/heads/{spec['branch']}")


def _entry(session: Session, history: _History, record: JsonObject, pull: int) -> RolloutBriefEntry:
    """The entry, with the commits since the rollout before it that went well, where that is in its history."""
    commit, lane = str(record["key"]["commit"]), str(record["key"]["lane"])
    history.bring(commit)
    past = [json.loads(one.record) for one in session.store.closeouts(lane, limit=_PAST)]
    rolled = [str(one["key"]["commit"]) for one in past if one["verdict"]["targetValidation"]["state"] == "passed"]
    since = next((one for one in rolled if one != commit and history.contains(commit, one)), "")
    rows = commits_between(history.objects, commit, since, _MOST_COMMITS)
    number = pull or _pull_of(history, commit)
    return RolloutBriefEntry(
        record, number, changelog_commits_of_git_log([(one.commit, one.subject, one.rest) for one in rows]), since
    )


def _pull_of(history: _History, commit: str) -> int:
    """The pull request that the subject of a merge names; 0 for none."""
    done = history.objects.local(commit, "log", "-1", "--format=%s", commit, "--")
    found = _OF_PULL.search(done.out.decode(errors="replace").strip()) if not done.code else None
    return int(found[1] or found[2]) if found else 0


# --- where it stands -------------------------------------------------------------------------------------------------


def _append(
    session: Session, brief: RolloutBriefLocation, entry: RolloutBriefEntry, *, confirm: bool
) -> RolloutBriefEntryResult:
    text = REDACTOR.clean(render_rollout_brief_entry(entry))
    marker = rollout_brief_marker(str(entry.record["key"]["lane"]), str(entry.record["key"]["commit"]))
    if brief.file is not None:
        return _append_to_file(session, session.request.config / brief.file, text, marker, confirm=confirm)
    assert brief.issue is not None
    stack = session.stack
    where = lane_issue_repository(session.request, stack.product, stack.nodes[0], stack.lanes[0])
    spec = {"repo": where.repo, "access": where.access, "number": brief.issue, "marker": marker, "body": text}
    comment = github_issue_or_comment_resource("GitHubComment", "brief", spec)
    place = f"{where.repo}#{brief.issue}"
    seen, _ = read_with_all_providers(session.world.providers, [comment], (), ())
    found = seen.observations[comment.address]
    if isinstance(found, PresentObject):
        return RolloutBriefEntryResult(text, place, written=False, known=True)
    if not isinstance(found, AbsentObject):
        raise HwplanError(f"the brief cannot be read: {found.reason}", where=place)
    if not confirm:
        return RolloutBriefEntryResult(text, place, written=False, known=False)
    for one in update_github_issues_and_comments(session, [comment], confirm=True):
        if one.problem:
            raise HwplanError(f"the brief was not written: {one.problem}", where=place)
        place = one.url or place
    return RolloutBriefEntryResult(text, place, written=True, known=False)


def _append_to_file(session: Session, path: Path, text: str, marker: str, *, confirm: bool) -> RolloutBriefEntryResult:
    try:
        with _locked(session):
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            if marker_line(marker) in before.splitlines():
                return RolloutBriefEntryResult(text, str(path), written=False, known=True)
            if confirm:
                gap = "\n" if before and not before.endswith("\n\n") else ""
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole_file(path, f"{before}{gap}{text}\n\n{marker_line(marker)}\n".encode())
    except (OSError, UnicodeDecodeError) as error:
        reason = disk_error_text(error) if isinstance(error, OSError) else "it is no text"
        raise HwplanError(f"the brief cannot be written: {reason}", where=str(path)) from error
    return RolloutBriefEntryResult(text, str(path), written=confirm, known=False)


@contextmanager
def _locked(session: Session) -> Iterator[None]:
    """One writer at a time: two rollouts may end together. The system gives the lock of a killed process back."""
    folder = state_folder(session.request)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "brief.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
