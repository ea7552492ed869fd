"""A lane in a sandbox whose GitHub is the local one: asked over HTTP, merges by git, rollouts in the sandbox."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from planner.app import pull_request_plan
from planner.app.apply_plan import ApplyChoices
from planner.app.pull_requests import monitor
from planner.app.pull_requests.apply_cycle import PlannedCycle
from planner.app.pull_requests.monitor import MonitorLoopChoices, run_pull_request_monitor
from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.executor import ErrorPolicy, ExecutionOptions, WaitPolicy
from planner.pull_requests.cycle_record import CycleRecord
from providers import github_provider_with_git
from providers.git.git_client import GitClient
from providers.git.git_merges import RemoteGitMergePredictor
from providers.git.object_cache import ObjectCache
from providers.git.remotes import open_remote_locations
from providers.github.credentials import GitHubCredential, TokenFileCredential, WebSender
from providers.github.github_clients import GitHubClientsByAccount
from providers.github.provider import GitHubProvider
from providers.github.rate_limits import WritePace
from providers.github.send_requests import GitHubConnection
from providers.http.retries import RetryLimits
from providers.web.bounded_http_client import BoundedHttpClient
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.github_server import BOT, BOT_TOKEN, LocalGitHub

REPO = "pikasTech/HWLAB"
OWNER = "pikasTech"


def no_sleep(seconds: float) -> None:
    """Time passes at once."""


def local_provider(url: str, folder: Path, sandbox: Path) -> GitHubProvider:
    """The provider of GitHub's kinds that asks the local GitHub at `url`, and loses no time."""
    token = sandbox / "token"
    if not token.exists():
        token.write_text(BOT_TOKEN)

    def connect(web: WebSender, base: str, credential: GitHubCredential) -> GitHubConnection:
        pace = WritePace(between=0.0)
        return GitHubConnection(web, url, TokenFileCredential(token), pace, RetryLimits(sleep=no_sleep), sleep=no_sleep)

    git = GitClient()
    merges = RemoteGitMergePredictor(git, ObjectCache(git, sandbox / "objects"), open_remote_locations(folder, sandbox))
    return GitHubProvider(GitHubClientsByAccount(folder, BoundedHttpClient(), connect), merges, no_sleep)


def ask_locally(patch: pytest.MonkeyPatch, url: str) -> None:
    """Every provider of GitHub's kinds from now on asks the local GitHub."""

    def create_for(folder: Path, sandbox: Path | None) -> GitHubProvider:
        assert sandbox is not None
        return local_provider(url, folder, sandbox)

    patch.setattr(github_provider_with_git, "create_github_provider_without_cluster", create_for)
    patch.setattr(monitor, "create_github_provider_without_cluster", create_for)
    patch.setattr(pull_request_plan, "create_github_provider_without_cluster", create_for)


@dataclass
class PullWorld:
    """The lane of `place` in the sandbox `box`. `records` are its cycles, `errors` those that could not be had."""

    box: Path
    github: LocalGitHub
    place: MonitoredLane
    records: list[CycleRecord] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    lies_told: int = 0

    @property
    def bare(self) -> BareRepository:
        """The repository."""
        return BareRepository(self.box / "git" / "hwlab.git")

    @property
    def branch(self) -> str:
        """The base branch."""
        return self.place.branch

    def tip(self) -> str:
        """Where the base stands."""
        return self.bare.at(f"refs/heads/{self.branch}")

    def pull(self, name: str, files: dict[str, str] | None = None, **fields: Any) -> tuple[int, str]:
        """Open a pull request of a new branch with a passed check; its number and head."""
        ref = f"refs/heads/{name}"
        self.bare.put(ref, self.tip())
        head = self.bare.write(ref, files or {f"{name}.txt": f"{name}\n"}, f"change {name}")
        number = self.github.open_pull(name, self.branch, repo=REPO, **{"author": OWNER, **fields})
        self.check(head)
        return number, head

    def check(self, head: str, name: str = "ci", conclusion: str | None = "success") -> None:
        """A check run on a head."""
        self.github.add_check(head, name, conclusion, repo=REPO)

    def cycle(
        self, *, dry_run: bool = False, timeout: float = 60.0, between: Callable[[], object] | None = None
    ) -> CycleRecord:
        """One cycle, as `--once` runs it; `between` is called when it has decided and planned. Raises what it does."""
        self.run(cycles=1, purpose=monitor.ONCE, dry_run=dry_run, timeout=timeout, between=between)
        return self.records[-1]

    def run(
        self,
        cycles: int,
        purpose: str = monitor.MONITOR,
        *,
        dry_run: bool = False,
        timeout: float = 60.0,
        between: Callable[[], object] | None = None,
    ) -> int:
        """Cycles of a monitor that pauses for no time; its exit code."""
        once = [between] if between else []

        def show(planned: PlannedCycle) -> None:
            if once:
                once.pop()()

        options = ExecutionOptions(
            parallelism=4,
            wait=WaitPolicy.NEEDED,
            timeout=timeout,
            on_error=ErrorPolicy.CONTINUE,
            cancel=threading.Event(),
        )
        choices = MonitorLoopChoices(
            ApplyChoices(options, (), 5.0), purpose, self.records.append, self.errors.append,
            show=show, dry_run=dry_run, cycles=cycles, interval=0.0, sleep=no_sleep,
        )  # fmt: skip
        return run_pull_request_monitor(self.place, choices)

    def rule(self, **changes: Any) -> None:
        """Change rules of the lane, as its configuration would."""
        self.place = replace(self.place, rules=self.place.rules.model_copy(update=changes))

    def unmet(self, number: int) -> list[str]:
        """Codes of what a pull request lacked in the newest cycle."""
        found = {one.number: [lack.code for lack in one.unmet] for one in self.records[-1].decision.verdicts}
        return found[number]

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Rows of GitHub: pulls, issues, comments, statuses."""
        with self.github.stored(REPO) as rows:
            return json.loads(json.dumps(rows.rows(kind)))  # type: ignore[no-any-return]

    @contextmanager
    def pull_request_row(self, number: int) -> Iterator[dict[str, Any]]:
        """The row of a pull request, to be changed."""
        with self.github.stored(REPO) as rows:
            row = next(one for one in rows.rows("pulls") if one["number"] == number)
            yield row
            row["updated_at"] = rows.now()

    def comments(self, number: int) -> list[str]:
        """Bodies of our comments on a pull request."""
        return [one["body"] for one in self.rows("comments") if one["issue"] == number and one.get("author") == BOT]

    def issues(self) -> list[dict[str, Any]]:
        """Our issues."""
        return [one for one in self.rows("issues") if one.get("author") == BOT]

    def runs(self) -> list[str]:
        """Names of the PipelineRuns in the cluster."""
        prefix = f"hwlab-{self.place.lane}-ci-poll-"
        found = [
            path
            for path in (self.box / "cluster").rglob(f"*{prefix}*.yaml")
            if "\nkind: PipelineRun\n" in path.read_text()
        ]
        return sorted(path.stem.split("_")[-1] for path in found)

    def merges(self) -> int:
        """How often the merge of a pull request was asked for and done."""
        return sum(one.method == "PUT" and one.path.endswith("/merge") and one.status == 200 for one in self.github.log)
