"""A local GitHub with a repository, and how a test grows branches in it and asks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from providers.github.client import GitHubClient
from providers.github.credentials import GitHubCredential, TokenFileCredential
from providers.github.rate_limits import WritePace
from providers.github.send_requests import GitHubConnection
from providers.http.retries import RetryLimits
from providers.web.bounded_http_client import BoundedHttpClient
from tests.testbed.git_fixtures import BareRepository
from tests.testbed.github_server import BOT_TOKEN, LocalGitHub

REPO = "demo/shop"


@dataclass
class GitHubWorld:
    """`pauses` are the seconds that clients asked for, in order; they pass at once."""

    github: LocalGitHub
    bare: BareRepository
    folder: Path
    pauses: list[float] = field(default_factory=list)

    def client(self, token: str = BOT_TOKEN) -> GitHubClient:
        """A client with the token of an account, as a new command has it."""
        path = self.folder / f"token-{len(token)}"
        path.write_text(token + "\n")
        return self.client_of(TokenFileCredential(path))

    def client_of(self, credential: GitHubCredential) -> GitHubClient:
        """A client with a credential."""
        retries = RetryLimits(sleep=self.pauses.append)
        pace = WritePace(sleep=self.pauses.append, clock=lambda: float(sum(self.pauses)))
        connection = GitHubConnection(
            BoundedHttpClient(), self.github.url, credential, pace, retries, sleep=self.pauses.append
        )
        return GitHubClient(connection)

    def branch(self, name: str = "feature", files: dict[str, str] | None = None, base: str = "main") -> str:
        """Start a branch on `base` (or go on with it) with a commit that writes files; gives the commit."""
        ref = f"refs/heads/{name}"
        if not self.bare.at(ref):
            self.bare.put(ref, self.bare.at(f"refs/heads/{base}"))
        return self.bare.write(ref, files or {f"{name}.txt": f"{name}\n"}, f"change {name}")

    def pull(
        self, name: str = "feature", files: dict[str, str] | None = None, *, base: str = "main"
    ) -> tuple[int, str]:
        """Open a pull request of a new branch; gives its number and its head."""
        head = self.branch(name, files, base)
        return self.github.open_pull(name, base), head

    def tip(self, branch: str = "main") -> str:
        """Where a branch stands."""
        return self.bare.at(f"refs/heads/{branch}")
