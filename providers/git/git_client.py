"""Git and its remotes: list the refs, fetch, push. The one place where the git binary is started.

Owns arguments, environment and limits of every call, and tries again what may be tried again: transport errors of ssh,
as often as the remote's `retry` says. A push is tried once; only its caller can determine what became of it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from planner.commit_id import is_commit_id
from planner.dataclass import dataclass
from providers.git import push_output
from providers.git.checked_names import RepositoryUrl, check_commit_id, check_ref_name
from providers.git.git_failures import GitCommandFailed, GitFailureKind, classify_git_failure, is_transient_git_failure
from providers.git.git_ssh import git_ssh_command as git_ssh_command
from providers.git.remotes import GitRemoteUrls
from providers.git.run_command import CommandResult, run_command

_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.helper=",
    "submodule.recurse=false",
    "transfer.bundleURI=false",
    "transfer.fsckObjects=true",
    "protocol.ext.allow=never",
    "http.followRedirects=false",
    "http.maxRetries=0",
    "gc.auto=0",
    "maintenance.auto=false",
    "push.gpgSign=false",
    "advice.detachedHead=false",
)


@dataclass(frozen=True, slots=True)
class GitLimits:
    """Limits of git commands: seconds for a listing and for moving objects, seconds after which an HTTP server that
    sends nothing has failed (a git that outlives us ends then as well: it holds our lock), and the longest answer in
    bytes."""

    listing: float = 60.0
    moving: float = 600.0
    silence: int = 60
    answer: int = 64 * 1024 * 1024


_LIMITS = GitLimits()
# The first packet of smart HTTP, by version (gitprotocol-http, gitprotocol-v2), as GIT_TRACE_PACKET shows it.
_SPOKEN = re.compile(rb"packet: +[a-z-]+< (?:version [12]|# service=git-upload-pack)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class GitClient:
    """Runs git commands (ls-remote, fetch, push) with limits and typed errors. `sleep` lets time pass between two
    tries."""

    limits: GitLimits = _LIMITS
    sleep: Callable[[float], None] = time.sleep

    def list_refs(self, remote: GitRemoteUrls, *, patiently: bool = True) -> Mapping[str, str]:
        """All refs of a remote with their object ids, peeled tags as `ref^{}`. Not `patiently` is one try.

        Raises GitCommandFailed.
        """
        words = ["ls-remote", "--quiet", "--", str(remote.url)]
        done = self._tried(remote, words, self.limits.listing, patiently)
        refs = _parse_refs(done.out, remote)
        if refs or remote.url.scheme not in ("http", "https"):
            return refs
        # When the header of an answer is cut off, git takes the server for a plain web server without any ref. So an
        # empty answer is believed only with the proof that git's own protocol was spoken.
        done = self._tried(remote, words, self.limits.listing, patiently, trace=True)
        if not _SPOKEN.search(done.err):
            raise GitCommandFailed(remote.shown, GitFailureKind.LOST)
        return _parse_refs(done.out, remote)

    def fetch(
        self,
        remote: GitRemoteUrls,
        repository: Path,
        commit: str,
        keep: str,
        *options: str,
        hold: tuple[int, ...] = (),
    ) -> None:
        """Fetch `commit` with its history into `repository`, retained by the ref `keep`. Raises GitCommandFailed.

        `hold` are descriptors whose locks last until git has ended.
        """
        words = ["--git-dir", str(repository), "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force"]
        words += ["--no-recurse-submodules", *options, "--", str(remote.url), f"{check_commit_id(commit)}:{keep}"]
        self._tried(remote, words, self.limits.moving, True, hold=hold)

    def push(
        self, remote: GitRemoteUrls, repository: Path, commit: str, ref: str, *, lease: str
    ) -> push_output.PushResult:
        """Push `commit` to `ref`, one try, if the ref still stands on `lease` ("": if there is no such ref).

        The lease makes the push compare-and-swap on the value that the plan saw; git by itself would compare with what
        the server advertises at this moment. It also implies force for that ref, so that **the caller has to know that
        `commit` descends from `lease`**. Raises GitCommandFailed when nothing was said about the ref.
        """
        words = ["--git-dir", str(repository), "push", "--porcelain", "--no-verify", "--no-follow-tags"]
        expected = check_commit_id(lease) if lease else ""
        words += ["--recurse-submodules=no", f"--force-with-lease={check_ref_name(ref)}:{expected}"]
        words += ["--", str(remote.url), f"{check_commit_id(commit)}:{check_ref_name(ref)}"]
        done = self._once(remote, words, self.limits.moving)
        pushed = push_output.parse_push_output(done.out, ref)
        if pushed.fate is push_output.PushStatus.SILENT or (done.code != 0 and pushed.why == ""):
            raise GitCommandFailed(remote.shown, classify_git_failure(done))
        said = push_output.remote_hook_output(done.err) if pushed.fate is push_output.PushStatus.REFUSED else ""
        return replace(pushed, why=f'{pushed.why}: "{said}"') if said else pushed

    def local(
        self, repository: Path | None, *words: str, environment: Mapping[str, str] = MappingProxyType({})
    ) -> CommandResult:
        """Run git on a repository of our own, without any remote. `environment` names an index, or who commits."""
        place = ["--git-dir", str(repository)] if repository else []
        with TemporaryDirectory(prefix="hwplan-git-") as scratch:
            known = {**_environment(Path(scratch)), **environment}
            return self._run([*place, *words], known, Path(scratch), self.limits.listing)

    def _tried(
        self,
        remote: GitRemoteUrls,
        words: Sequence[str],
        seconds: float,
        patiently: bool,
        *,
        trace: bool = False,
        hold: tuple[int, ...] = (),
    ) -> CommandResult:
        tries = 0
        while True:
            tries += 1
            done = self._once(remote, words, seconds, trace=trace, hold=hold)
            if done.code == 0:
                return done
            kind = classify_git_failure(done)
            again = remote.url.scheme == "ssh" and is_transient_git_failure(kind)
            if not (again and patiently) or tries >= remote.retry.attempts:
                raise GitCommandFailed(remote.shown, kind, tries=tries, exhausted=again and patiently)
            self.sleep(remote.retry.pause(tries))

    def _once(
        self,
        remote: GitRemoteUrls,
        words: Sequence[str],
        seconds: float,
        *,
        trace: bool = False,
        hold: tuple[int, ...] = (),
    ) -> CommandResult:
        with TemporaryDirectory(prefix="hwplan-git-") as scratch:
            environment = _environment(Path(scratch), remote.url)
            if trace:
                environment["GIT_TRACE_PACKET"] = "2"  # to standard error
            if remote.url.scheme == "ssh":
                environment["GIT_SSH_COMMAND"] = git_ssh_command(remote.ssh, remote.url, Path(scratch))
                environment["GIT_SSH_VARIANT"] = "ssh"
                if not remote.ssh.identity and (agent := os.environ.get("SSH_AUTH_SOCK")):
                    environment["SSH_AUTH_SOCK"] = agent
            return self._run(words, environment, Path(scratch), seconds, hold)

    def _run(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        seconds: float,
        hold: tuple[int, ...] = (),
    ) -> CommandResult:
        argv = ["git"]
        for setting in (*_CONFIG, "http.lowSpeedLimit=1", f"http.lowSpeedTime={self.limits.silence}"):
            argv += ["-c", setting]
        most = self.limits.answer
        return run_command([*argv, *words], env=environment, cwd=folder, seconds=seconds, most=most, hold=hold)


def _environment(folder: Path, url: RepositoryUrl | None = None) -> dict[str, str]:
    """All that git gets to know: an empty home, no repository around it, one protocol."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_ALLOW_PROTOCOL": url.scheme if url else "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def _parse_refs(output: bytes, remote: GitRemoteUrls) -> Mapping[str, str]:
    refs: dict[str, str] = {}
    for line in output.decode("utf-8", "surrogateescape").splitlines():
        commit, tab, name = line.partition("\t")
        if not tab or not is_commit_id(commit):
            raise GitCommandFailed(remote.shown, GitFailureKind.GARBLED)
        refs[name] = commit
    return refs
