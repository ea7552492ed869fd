"""What git prints, what the helpers around it read, and the texts of pull requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from planner.pull_requests.approval_file import parse_approval_file
from planner.pull_requests.approvals import plan_id_approved_by_comment
from planner.pull_requests.issue_sections import issue_body_of_sections, parse_issue_sections
from planner.pull_requests.lane_memory import LaneMemory, parse_lane_memory
from planner.rfc3339 import parse_time
from providers.git import git_client, git_merges, local_repository_reader
from providers.git.checked_names import RepositoryUrl
from providers.git.git_failures import classify_git_failure
from providers.git.push_job_manifest_and_report import parse_push_job_report
from providers.git.push_output import parse_push_output, remote_hook_output
from providers.git.remotes import GitRemoteUrls
from providers.git.run_command import CommandResult, CommandTermination
from providers.git.ssh_proxy_tunnel import TunnelError, _answer
from tests.fuzz.fuzz_target import FuzzTarget

_A, _B = "a" * 40, "b" * 40
_REFS = (f"{_A}\tHEAD\n{_A}\trefs/heads/main\n{_B}\trefs/tags/v1\n{_A}\trefs/tags/v1^{{}}\n".encode(), b"")
_PUSHES = (
    b"To ssh://git@a/b.git\n*\trefs/heads/x:refs/heads/main\t[new branch]\nDone\n",
    b"To x\n!\trefs/heads/x:refs/heads/main\t[rejected] (stale info)\nDone\n",
    b"To x\n \tx:refs/heads/main\taaaaaaa..bbbbbbb\nDone\n",
    b"To x\n!\tx:refs/heads/main\t[remote rejected] (pre-receive hook declined)\n",
)
_SAID = (
    b"remote: ---\nremote: denied by policy https://user:pass@x/\nremote:   \x1b[31mtoken=abc\nTo x\n ! [remote rejected]\n",
    b"ssh: connect to host a port 22: Connection refused\nfatal: Could not read from remote repository.\n",
    b"fatal: unable to access 'https://x/': The requested URL returned error: 503\n",
)
_BLAME = (
    f"{_A} 1 1 1\nauthor Ann\nauthor-mail <a@x>\nauthor-time 1793000000\nauthor-tz +0100\nsummary x\nfilename a\n\tline\n",
    f"{'0' * 40} 3 3 1\nauthor Not Committed Yet\nauthor-time 1793000000\nauthor-tz +0000\nfilename a\n\tx\n",
)
_PROXY = (b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nSSH-2.0-x\r\n", b"HTTP/1.1 407 No\r\n\r\n")
_LOGS = (f"{_A}\0Add a thing (#17)\0body\nCloses #3\n\0\n{_B}\0Second\0\0\n".encode(),)
_REMOTE = GitRemoteUrls("https://a/b.git", RepositoryUrl("https", "", "a", None, "/b.git"))
_APPROVAL = {
    "schemaVersion": 1, "seal": "s",
    "approval": {"plan": "sha256:" + "e" * 64, "head": _A, "who": "olga", "at": "2026-11-22T10:00:00Z", "until": "2026-11-23T10:00:00Z"},
}  # fmt: skip
_MEMORY = {
    **LaneMemory().document(), "statuses": {"17": [_A, "success", "ok"]}, "approved": {"17": [_A, "e", "olga"]}, "withdrawn": {"17": "x"},
    "facts": {"17": {"pull": {**dict.fromkeys((), "")}, "listed": "x", "checks": [], "reviews": [], "looked": 1, "conflicts": None}},
}  # fmt: skip
_DELIVERY = {
    "pull": 17,
    "head": _A,
    "step": "intended",
    "begun": "2026-11-22T10:00:00Z",
    "base": _B,
    "pending_flush": None,
}
_BODY = "text\n<!-- hwplan:section:d601:open -->\nsomething\n<!-- hwplan:section-end -->\n<!-- hwplan:section:d602:closed -->\nx\n<!-- hwplan:section-end -->"
_COMMENTS = (
    "hwplan approve " + "e" * 64,
    "> hwplan approve sha256:" + "e" * 64 + "\n\nhwplan approve " + "e" * 32 + "\r\n",
)
_TIMES = ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00+01:00", "2026-11-22T10:00:00.5Z")


@dataclass
class _Proxy:
    """A connection that has sent everything."""

    data: bytes

    def recv(self, size: int) -> bytes:
        piece, self.data = self.data[:size], self.data[size:]
        return piece


@dataclass
class _Objects:
    """Objects of which git says this."""

    out: bytes

    def local(self, commit: str, *_: str) -> CommandResult:
        return CommandResult(0, self.out, b"", CommandTermination.ITSELF)


def _memory(data: bytes) -> None:
    memory = parse_lane_memory(data.decode("utf-8", "replace"))
    assert isinstance(memory, LaneMemory)


def _sections(text: str) -> None:
    found = parse_issue_sections(text)
    assert [one.name for one in parse_issue_sections(issue_body_of_sections(found))] == [one.name for one in found]


def _listed(fields: Sequence[str]) -> None:
    git_merges._commit(" ".join(fields))


TARGETS = (
    FuzzTarget("git: ls-remote", _REFS, lambda data: git_client._parse_refs(data, _REMOTE)),
    FuzzTarget("git: push --porcelain", _PUSHES, lambda data: parse_push_output(data, "refs/heads/main")),
    FuzzTarget("git: words of a server", _SAID, lambda data: (
        remote_hook_output(data), classify_git_failure(CommandResult(128, b"", data, CommandTermination.ITSELF)))),
    FuzzTarget("git: blame --porcelain", _BLAME, local_repository_reader._blamed),
    FuzzTarget("git: log -z", _LOGS, lambda data: git_merges.commits_between(_Objects(data), _A, _B, 9)),  # type: ignore[arg-type]
    FuzzTarget("git: answer of a proxy", _PROXY, lambda data: _answer(_Proxy(data)), (TunnelError,)),  # type: ignore[arg-type]
    FuzzTarget("git: report of a push Job", (json.dumps({"result": "moved", "commit": _A, "tries": 2}),), parse_push_job_report),
    FuzzTarget("pulls: approval file", (_APPROVAL,), lambda data: parse_approval_file(
        data.decode("utf-8", "replace"), lambda _: "s", "x")),
    FuzzTarget("pulls: memory of a lane", (_MEMORY,), _memory),
    FuzzTarget("pulls: sections of an issue", (_BODY,), _sections),
    FuzzTarget("pulls: approval in a comment", _COMMENTS, plan_id_approved_by_comment),
    FuzzTarget("pulls: times", _TIMES, parse_time),
)  # fmt: skip
