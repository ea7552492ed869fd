"""The pure parts: names on the allow-list, what a push said, which failure is which, the command line of ssh."""

from __future__ import annotations

import shlex
import stat
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from planner.errors import PermanentError
from planner.spec.kinds.git import GitRef
from providers.git.checked_names import RepositoryUrl, check_commit_id, check_ref_name, parse_repository_url
from providers.git.git_failures import (
    GitCommandFailed,
    GitFailureKind,
    classify_git_failure,
    is_transient_git_failure,
    may_have_pushed,
)
from providers.git.git_ssh import GitSshSettings, git_ssh_command
from providers.git.push_job_manifest_and_report import PushJobReport, parse_push_job_report
from providers.git.push_output import PushStatus, parse_push_output, remote_hook_output
from providers.git.remotes import RemoteLocations, UnknownSandboxRemote, resolve_remote
from providers.git.run_command import CommandResult, CommandTermination

CANARY = "s3cr3t-canary"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HOSTILE_URLS = [
    "--upload-pack=touch x",
    "ext::sh -c touch% x",
    "ssh://-oProxyCommand=touch/x",
    "ssh://host/-x",
    "ssh://host/a/../b",
    "ssh://host/a\nb",
    "ssh://host/a b",
    "ssh://host/a\x1b[31m",
    "ssh://host/$(id)",
    "ssh://host:99999/a",
    f"https://user:{CANARY}@host/a",
    f"https://{CANARY}@host/a",
    f"ssh://git:{CANARY}@host/a",
    "http:///a",
    "file://host/a",
    "file:///a;b",
    "git://host/a",
    "host:a/b",
    "/a/b",
    "",
    "ssh://host",
    "https://host/a?token=x",
    "https://host/a#x",
    "https://hоst/a",
    "ssh://host/a\x00b",
    "ssh://host/a\rb",
    "ssh://host/" + "a" * 5000,
    "ssh://" + "h" * 300 + "/a",
    "file:///../etc/x",
]
HOSTILE_REFS = [
    "--upload-pack=x",
    "refs/heads/--upload-pack=x",
    "refs/heads/-x",
    "refs/heads/a..b",
    "refs/heads/a\nb",
    "refs/heads/a b",
    "refs/heads/$(id)",
    "refs/heads/`id`",
    "refs/heads/a:b",
    "refs/heads/a*",
    "+refs/heads/a",
    "refs/heads/.a",
    "refs/heads/a.lock",
    "refs/heads/a.lock/b",
    "refs/heads//a",
    "refs/heads/a/",
    "refs/heads/a.",
    "refs/heads/a\u202eb",
    "refs/",
    "HEAD",
    "main",
    "refs/heads/" + "a" * 300,
    "refs/heads/a\x00b",
    "refs/heads/a@{1}",
    "refs/heads/a~1",
    "refs/heads/a^{}",
    "-refs/heads/a",
]


@pytest.mark.parametrize("text", HOSTILE_URLS)
def test_hostile_urls_are_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(PermanentError) as caught:
        parse_repository_url(text)
    said = f"{caught.value.message} {caught.value.remedy} {caught.value.where}"
    assert CANARY not in said and "\x1b" not in said and "\n" not in said


@pytest.mark.parametrize("text", HOSTILE_REFS)
def test_hostile_refs_are_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(PermanentError) as caught:
        check_ref_name(text)
    assert text not in caught.value.message


@pytest.mark.parametrize(
    "text", ["", "HEAD", "0123", COMMIT.upper(), COMMIT + "0", "-" + COMMIT[1:], COMMIT + "\n", None]
)
def test_only_full_commit_ids(text: object) -> None:
    with pytest.raises(PermanentError):
        check_commit_id(text)


def test_what_is_meant_to_pass() -> None:
    url = parse_repository_url("ssh://git@github.com:22/owner/repo-1_x.git")
    assert url == RepositoryUrl("ssh", "git", "github.com", 22, "/owner/repo-1_x.git")
    for text in ("ssh://git@github.com/o/r.git", "http://127.0.0.1:8080/r.git", "file:///tmp/r.git", "https://h/~u/r"):
        assert str(parse_repository_url(text)) == text
    assert str(parse_repository_url("ssh://[::1]:22/r.git")) == "ssh://[::1]:22/r.git"
    for ref in ("refs/heads/v0.3", "refs/tags/v1.0", f"refs/unidesk/snapshots/ci/main/{COMMIT}"):
        assert check_ref_name(ref) == ref
    assert check_commit_id(COMMIT) == COMMIT


@given(st.text(alphabet=string.printable + "é\u202e\x00", max_size=60))
def test_whatever_passes_cannot_be_taken_for_an_option(text: str) -> None:
    for check, given_text in ((lambda it: str(parse_repository_url(it)), text), (check_ref_name, f"refs/{text}")):
        try:
            passed = check(given_text)
        except PermanentError:
            continue
        assert passed == given_text and passed.isascii() and passed.isprintable()
        assert not set(passed) & set(" \"'`$();|&<>*?[{\\^") - set("[]") and ".." not in passed.split("/")
        assert not passed.startswith("-") and "/-" not in passed


PORCELAIN = [
    (" \t%s:refs/heads/a\t1..2", PushStatus.UPDATED),
    ("*\t%s:refs/heads/a\t[new branch]", PushStatus.UPDATED),
    ("=\t%s:refs/heads/a\t[up to date]", PushStatus.SAME),
    ("+\t%s:refs/heads/a\t1...2 (forced update)", PushStatus.FORCED),
    ("!\t%s:refs/heads/a\t[rejected] (non-fast-forward)", PushStatus.MOVED),
    ("!\t%s:refs/heads/a\t[rejected] (fetch first)", PushStatus.MOVED),
    ("!\t%s:refs/heads/a\t[rejected] (stale info)", PushStatus.MOVED),
    ("!\t%s:refs/heads/a\t[remote rejected] (hook declined)", PushStatus.REFUSED),
    ("!\t%s:refs/heads/a\t[remote rejected] (failed to update ref)", PushStatus.BUSY),
    (f"!\t%s:refs/heads/a\t[remote rejected] ({CANARY} \x1b[31m)", PushStatus.REFUSED),
    (" \t%s:refs/heads/b\t1..2", PushStatus.SILENT),
    ("Everything up-to-date", PushStatus.SILENT),
    ("", PushStatus.SILENT),
]


@pytest.mark.parametrize(("line", "fate"), PORCELAIN)
def test_what_a_push_said(line: str, fate: PushStatus) -> None:
    text = line.replace("%s", COMMIT)
    pushed = parse_push_output(f"To ssh://host/x\n{text}\nDone\n".encode(), "refs/heads/a")
    assert (pushed.fate, pushed.complete) == (fate, True)
    assert CANARY not in pushed.why
    assert bool(pushed.why) is (fate in (PushStatus.MOVED, PushStatus.BUSY, PushStatus.REFUSED, PushStatus.FORCED))
    assert not parse_push_output(text.encode(), "refs/heads/a").complete


@given(st.binary(max_size=200))
def test_any_answer_to_a_push_can_be_read(data: bytes) -> None:
    assert parse_push_output(data, "refs/heads/a").fate in PushStatus


READ_ERROR = "fatal: Could not read from remote repository."
SAID = [
    (
        "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535",
        "UNREACHABLE",
    ),
    (f"kex_exchange_identification: read: Connection reset by peer\n{READ_ERROR}", "UNREACHABLE"),
    (f"ssh: connect to host h port 22: Connection refused\n{READ_ERROR}", "UNREACHABLE"),
    (f"Connection timed out during banner exchange\n{READ_ERROR}", "UNREACHABLE"),
    (f"ssh: Could not resolve hostname h: Name or service not known\n{READ_ERROR}", "UNREACHABLE"),
    (f"hwplan-connect: the proxy answered 503\nkex_exchange_identification: x\n{READ_ERROR}", "UNREACHABLE"),
    (f"hwplan-connect: the proxy answered 407\nkex_exchange_identification: x\n{READ_ERROR}", "PROXY"),
    ("fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF", "LOST"),
    ("fatal: the remote end hung up unexpectedly", "LOST"),
    ("client_loop: send disconnect: Broken pipe", "LOST"),
    (f"git@h: Permission denied (publickey).\n{READ_ERROR}", "DENIED"),
    ("fatal: could not read Username for 'http://h': terminal prompts disabled", "DENIED"),
    (f"Host key verification failed.\n{READ_ERROR}", "HOST_KEY"),
    (f"ERROR: Repository not found.\n{READ_ERROR}", "NOT_FOUND"),
    ("fatal: repository 'http://h/x/' not found", "NOT_FOUND"),
    ("fatal: remote error: upload-pack: not our ref 0123", "NO_OBJECT"),
    ("error: Server does not allow request for unadvertised object 0123", "NOT_OFFERED"),
    ("fatal: unable to access 'http://h/x/': The requested URL returned error: 503", "UNREACHABLE"),
    ("remote: Permission denied\nfatal: the remote end hung up unexpectedly", "LOST"),
    ("error: cannot run ssh: No such file or directory", "NO_SSH"),
    ("something new", "OTHER"),
]


@pytest.mark.parametrize(("said", "kind"), SAID)
def test_which_failure_is_which(said: str, kind: str) -> None:
    assert classify_git_failure(CommandResult(128, b"", said.encode())) is GitFailureKind[kind]


def test_what_failures_mean() -> None:
    assert {kind for kind in GitFailureKind if is_transient_git_failure(kind)} == {
        GitFailureKind.UNREACHABLE,
        GitFailureKind.LOST,
    }
    assert (
        not may_have_pushed(GitFailureKind.UNREACHABLE)
        and may_have_pushed(GitFailureKind.LOST)
        and may_have_pushed(GitFailureKind.TIMED_OUT)
    )
    assert classify_git_failure(CommandResult(-9, b"", b"", CommandTermination.TIMED_OUT)) is GitFailureKind.TIMED_OUT
    error = GitCommandFailed("ssh://h/x", GitFailureKind.LOST, tries=4, exhausted=True)
    assert error.message == "ssh://h/x: the connection was lost on the way (exhausted: 4 tries)"


def test_the_command_line_of_ssh(tmp_path: Path) -> None:
    ssh = GitSshSettings(("proxy.example", 7890), ("h ssh-ed25519 AAAA",))
    words = shlex.split(git_ssh_command(ssh, parse_repository_url("ssh://git@h:2222/x.git"), tmp_path))
    assert words[:3] == ["ssh", "-F", "/dev/null"]
    for option in ("BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "PermitLocalCommand=no"):
        assert option in words
    proxied = next(word for word in words if word.startswith("ProxyCommand="))
    assert shlex.split(proxied.removeprefix("ProxyCommand="))[-4:] == ["proxy.example", "7890", "h", "2222"]
    known = tmp_path / "known_hosts"
    assert known.read_text() == "h ssh-ed25519 AAAA\n" and stat.S_IMODE(known.stat().st_mode) == 0o600
    assert f'UserKnownHostsFile="{known}"' in words
    (tmp_path / "2").mkdir()
    assert "ProxyCommand=none" in git_ssh_command(GitSshSettings(), parse_repository_url("ssh://h/x"), tmp_path / "2")


def test_a_remote_of_a_document(tmp_path: Path) -> None:
    places = RemoteLocations(tmp_path)
    side = {
        "remote": "ssh://git@h/x.git",
        "ssh": {"proxy": "http://10.0.0.1:7890", "knownHosts": ["h k"], "identityFile": "keys/id"},
        "retry": {"attempts": 2, "delay": "1s", "maxDelay": "3s"},
    }
    remote = resolve_remote(side, places, "ssh")
    assert remote.ssh == GitSshSettings(("10.0.0.1", 7890), ("h k",), str(tmp_path / "keys" / "id"))
    assert [remote.retry.pause(tried) for tried in (1, 2, 3)] == [1.0, 2.0, 3.0]
    with pytest.raises(PermanentError, match="is a name, not a URL"):
        resolve_remote({"remote": "hwlab"}, places)
    with pytest.raises(PermanentError, match="drift: the transport is ssh"):
        resolve_remote({"remote": "https://h/x.git"}, places, "ssh")
    assert resolve_remote({"remote": "http://h/x.git", "transport": "http"}, places, "ssh").url.scheme == "http"
    with pytest.raises(UnknownSandboxRemote, match="the sandbox has no repository for https:"):
        resolve_remote({"remote": "https://h/x.git"}, RemoteLocations(tmp_path, {}))
    with pytest.raises(PermanentError, match="is no proxy"):
        resolve_remote({"remote": "ssh://h/x", "ssh": {"proxy": "https://p:1"}}, places)


@pytest.mark.parametrize(
    "ssh",
    [
        {"knownHosts": ["a\nb"]},
        {"identityFile": "$HOME/id"},
        {"identityFile": "-x"},
        {"identityFile": "%d/id"},
        {"proxy": "p:1"},
        {"proxy": f"http://u:{CANARY}@p:1"},
        {"configFile": "x"},
    ],
)
def test_the_model_refuses(ssh: object) -> None:
    side = {"remote": "ssh://h/x.git", "ref": "refs/heads/a"}
    document = {
        "apiVersion": "hwplan.dev/v1", "kind": "GitRef", "metadata": {"name": "a"},
        "spec": {"from": {**side, "ssh": ssh}, "to": side, "mode": "mirror"},
    }  # fmt: skip
    with pytest.raises(ValidationError) as caught:
        GitRef.model_validate(document)
    assert CANARY not in str(caught.value)


JOB = {"image": "registry.example/git:1"}


@pytest.mark.parametrize(
    ("namespace", "spec"),
    [
        ("ci", {"via": "job"}),
        ("ci", {"via": "job", "job": JOB, "jobTemplate": {"spec": {}}}),
        ("ci", {"via": "direct", "job": JOB}),
        ("", {"via": "job", "job": JOB}),
        ("ci", {}),
        ("", {"to": {"reach": "cluster"}}),
        ("ci", {"via": "job", "job": JOB, "from": {"reach": "cluster"}}),
        ("ci", {"via": "job", "job": {**JOB, "image": "git"}}),
        ("ci", {"via": "job", "job": {**JOB, "sshKey": "../id"}}),
        ("ci", {"via": "job", "job": {**JOB, "sshSecret": "-x"}}),
        ("ci", {"via": "job", "job": {**JOB, "command": ["sh"]}}),
    ],
)
def test_a_job_that_is_not_whole(namespace: str, spec: dict[str, Any]) -> None:
    side = {"remote": "ssh://h/x.git", "ref": "refs/heads/a"}
    sides = {"from": {**side, **spec.pop("from", {})}, "to": {**side, **spec.pop("to", {})}}
    document = {
        "apiVersion": "hwplan.dev/v1", "kind": "GitRef",
        "metadata": {"name": "a", **({"namespace": namespace} if namespace else {})},
        "spec": {**sides, "mode": "mirror", **spec},
    }  # fmt: skip
    with pytest.raises(ValidationError):
        GitRef.model_validate(document)


@given(st.text(max_size=200) | st.binary(max_size=40) | st.none() | st.integers())
def test_any_last_word_of_a_pod_can_be_read(words: object) -> None:
    assert parse_push_job_report(words) is None or isinstance(words, str)


def test_only_known_last_words_count() -> None:
    said = f'{{"result":"moved","commit":"{COMMIT}","tries":1,"partialSuccess":false}}'
    assert parse_push_job_report(said) == PushJobReport("moved", COMMIT)
    assert parse_push_job_report(said.replace(COMMIT, "")) == PushJobReport("moved", "")
    assert parse_push_job_report(said.replace(COMMIT, f"$(id) {CANARY}")) == PushJobReport("moved", None)
    for other in ("[]", "{", '{"result":"x"}', '{"result":["moved"]}', said + " " * 5000, "[" * 4000):
        assert parse_push_job_report(other) is None


@pytest.mark.parametrize(
    ("err", "words"),
    [
        (b"remote: You may not push to main.\nTo file:///x\n ! [remote rejected]\n", "You may not push to main."),
        (b"remote: \nremote: =====\nremote: GitLab: no\nremote: -- ask\n", "GitLab: no | -- ask"),
        (b"remote: your token has expired\n", "your token has expired"),
        (b"remote: token s3cr3t-canary is bad\n", "token (masked) is bad"),
        (b"remote: see https://user:pw@host/a\n", "see https://(masked)@host/a"),
        (b"remote: ghp_0123456789abcdefghijABCDEFGHIJ012345 leaked\n", "(masked) leaked"),
        (b"remote: commit 0123456789abcdef0123456789abcdef01234567\n", f"commit {COMMIT}"),
        (b"remote: \x1b[31mred\x1b[0m\x07\n", "red"),
        (b"fatal: not of a hook\n", ""),
        (b"remote: line\n" * 9, " | ".join(["line"] * 6) + " | \u2026"),
    ],
)
def test_words_of_a_hook(err: bytes, words: str) -> None:
    assert remote_hook_output(err) == words
