"""The GitHub of a sandbox as a client sees it: requests are answered from the folder, and none goes over a network."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from planner.dataclass import dataclass
from providers.http.read_answer import HttpAnswer
from providers.simulated_github.request_and_reply import SimulatedRequest
from providers.simulated_github.request_routes import SimulatedGitHub
from providers.simulated_github.store_file import GitHubStoreFile

LOGIN = "hwplan-sandbox"


@dataclass(frozen=True, slots=True)
class SandboxGitHubWeb:
    """Answers requests to any GitHub from `folder`, the folder of a sandbox."""

    folder: Path

    def request(self, method: str, url: str, headers: dict[str, str], body: bytes) -> HttpAnswer:
        """See providers.web.bounded_http_client.BoundedHttpClient. Headers do not count: whoever asks is `LOGIN`."""
        parts = urlsplit(url)
        document = json.loads(body) if body else {}
        request = SimulatedRequest(method, parts.path, dict(parse_qsl(parts.query)), document, LOGIN)
        reply = SimulatedGitHub(GitHubStoreFile(self.folder, self.folder / "git")).answer(request)
        data = b"" if reply.body is None else json.dumps(reply.body).encode()
        return HttpAnswer(reply.status, {name.lower(): value for name, value in reply.headers.items()}, data)
