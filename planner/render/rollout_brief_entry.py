"""One entry of a lane's brief: what was rolled out, how long it took, and what it changes. Pure, safe to show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from planner.dataclass import dataclass
from planner.duration import render_duration
from planner.rollout import lane_evidence as names
from planner.rollout.changelog import ChangelogCommit, group_commits_by_meaning
from planner.text_safe import markdown_safe
from planner.values import JsonObject, JsonValue

_SHORT = 12
_MOST_COMMITS = 60  # of one entry
_MOST_SUBJECT = 120
_SLOWEST = 8  # TaskRuns that are named
_STAGES = (
    ("totalSeconds", "total"),
    ("pipelineSeconds", "CI (PipelineRun)"),
    ("buildSeconds", "builds"),
    ("waitSeconds", "waiting for Argo CD"),
    ("syncSeconds", "CD (sync)"),
    ("probeSeconds", "probe"),
)


@dataclass(frozen=True, slots=True)
class RolloutBriefEntry:
    """An entry of a lane's brief about one rollout: its closeout record, the pull request (0 for none), and the
    commits that it brought, newest first. `since` is the commit that was rolled out before, "" where none is known."""

    record: JsonObject
    pull: int
    commits: tuple[ChangelogCommit, ...]
    since: str = ""


def rollout_brief_marker(lane: str, commit: str) -> str:
    """What finds the entry of a rollout again: `brief:node/lane:commit`, as a marker of GitHub's kinds."""
    return f"brief:{lane.lower()}:{commit[:40]}"


def render_rollout_brief_entry(entry: RolloutBriefEntry) -> str:
    """The text of an entry of a lane's brief, without its marker and without a newline at its end. The same record
    gives the same text."""
    record = entry.record
    commit, lane = str(record["key"]["commit"]), str(record["key"]["lane"])
    run = record["run"] or {}
    state = str(record["verdict"]["targetValidation"]["state"])
    pull = f", pull request #{entry.pull}" if entry.pull else ""
    lines = [
        f"### {markdown_safe(lane)} {markdown_safe(commit[:_SHORT])}{pull}: {state}",
        "",
        f"{_when(run)}run {markdown_safe(str(run.get('name') or 'none'))}, "
        f"GitOps {markdown_safe(str(record['gitops']['commit'] or 'unknown')[:_SHORT])}",
        "",
        *_times(record["counters"]),
        *_tasks(record),
        "",
        *_changes(entry),
    ]
    return "\n".join(lines).rstrip()


def _when(run: JsonObject) -> str:
    begin, end = run.get("startTime"), run.get("completionTime")
    return f"{markdown_safe(str(begin))} to {markdown_safe(str(end))}, " if begin and end else ""


def _times(counters: JsonObject) -> Iterator[str]:
    known = [(title, counters[name]) for name, title in _STAGES if counters.get(name) is not None]
    if not known:
        yield "No times were recorded."
        return
    yield "| " + " | ".join(title for title, _ in known) + " |"
    yield "|" + "---|" * len(known)
    yield "| " + " | ".join(render_duration(float(seconds)) for _, seconds in known) + " |"


def _tasks(record: JsonObject) -> Iterator[str]:
    """The TaskRuns: how many, how many did not succeed, the slowest with their time in the queue."""
    entry = record["evidence"].get(names.TASKS) or {}
    tasks: list[JsonObject] = [one for one in entry.get("value") or () if isinstance(one, dict)]
    if not tasks:
        return
    failed = [one for one in tasks if one.get("state") not in ("succeeded", "skipped")]
    slowest = sorted(tasks, key=lambda one: -_number(one.get("seconds")))[:_SLOWEST]
    shown = [f"{markdown_safe(str(one.get('task')))} {_task_times(one)}" for one in slowest]
    yield ""
    bad = f", {len(failed)} without success" if failed else ""
    yield f"{len(tasks)} TaskRuns{bad}; the slowest: {', '.join(shown)}."


def _task_times(one: JsonObject) -> str:
    queue = _number(one.get("queueSeconds"))
    waited = f" (queued {render_duration(queue)})" if queue >= 1 else ""
    return f"{render_duration(_number(one.get('seconds')))}{waited}"


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _changes(entry: RolloutBriefEntry) -> Iterator[str]:
    if not entry.commits:
        yield "No new commit: it was rolled out before."
        return
    since = f" since {markdown_safe(entry.since[:_SHORT])}" if entry.since else ""
    yield f"{len(entry.commits)} commit{'s' * (len(entry.commits) != 1)}{since}:"
    for meaning, found in group_commits_by_meaning(entry.commits[:_MOST_COMMITS]).items():
        yield ""
        yield f"**{meaning}**"
        yield from (f"- {_subject(one)} {markdown_safe(one.commit[:_SHORT])}" for one in found)
    if len(entry.commits) > _MOST_COMMITS:
        yield ""
        yield f"and {len(entry.commits) - _MOST_COMMITS} older ones"


def _subject(one: ChangelogCommit) -> str:
    cut = one.subject if len(one.subject) <= _MOST_SUBJECT else f"{one.subject[:_MOST_SUBJECT]}…"
    return markdown_safe(cut)


def changelog_commits_of_git_log(rows: Sequence[tuple[str, str, str]]) -> tuple[ChangelogCommit, ...]:
    """The commits of the changelog from rows of `git log`: id, subject and the rest of the message."""
    return tuple(ChangelogCommit(commit, subject, "BREAKING CHANGE" in rest) for commit, subject, rest in rows)
