"""The mirror's own scripts, as rendered for D601, run against real bare repositories on this machine (no network)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.loading.fakes import shipped

BRANCH, GITOPS = "v0.3", "v0.3-gitops"
TOOLS = ("git", "bash", "flock")


class Mirror:
    """An upstream, a mirror of it, and the scripts between them. `fail` lines make git talk like a broken ssh."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.upstream, self.cache = folder / "upstream.git", folder / "cache" / "hwlab.git"
        self.git("init", "-q", "--bare", str(self.upstream))
        (folder / "cache").mkdir()
        scripts = next(
            one
            for one in shipped("D601", "v03", ("git-mirror",)).resources
            if str(one.address) == "ConfigMap/devops-infra/git-mirror"
        )
        (folder / "scripts").mkdir()
        for name, text in scripts.manifest["data"].items():
            (folder / "scripts" / name).write_text(text)
            (folder / "scripts" / name).chmod(0o755)
        (folder / "remotes").mkdir()
        (folder / "remotes" / "settings.env").write_text(
            "TRANSPORT=ssh:file\nRETRY_ATTEMPTS=3\nRETRY_DELAY=0\nRETRY_MAX_DELAY=0\n"
        )
        (folder / "remotes" / "remotes.txt").write_text(
            f"remote hwlab file://{self.upstream}\nsource hwlab {BRANCH} hwlab-node-runtime\ngitops hwlab {GITOPS}\n"
        )
        (folder / "bin").mkdir()

    def git(self, *arguments: str) -> str:
        base = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]
        return subprocess.run([*base, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, repository: Path, branch: str) -> str:
        """A new commit on top of a branch of a bare repository."""
        tree = self.git("-C", str(repository), "mktree")
        tip = subprocess.run(
            ["git", "-C", str(repository), "rev-parse", "-q", "--verify", f"refs/heads/{branch}"],
            capture_output=True,
            text=True,
        ).stdout.strip()
        parents = ["-p", tip] if tip else []
        made = self.git("-C", str(repository), "commit-tree", "-m", f"{repository.name} {branch} {tip}", *parents, tree)
        self.git("-C", str(repository), "update-ref", f"refs/heads/{branch}", made)
        return made

    def tip(self, repository: Path, ref: str) -> str:
        return self.git("-C", str(repository), "rev-parse", ref)

    def break_git(self, verb: str, times: int, message: str) -> None:
        """Make the next `times` calls of `git ... <verb>` fail with `message`."""
        real = shutil.which("git")
        counter = self.folder / "counter"
        counter.write_text(str(times))
        (self.folder / "bin" / "git").write_text(
            f"#!/bin/bash\nleft=$(cat {counter})\n"
            f'if [[ " $* " == *" {verb} "* && $left -gt 0 ]]; then\n'
            f'echo $((left - 1)) >{counter}; echo "{message}" >&2; exit 128; fi\n'
            f'exec {real} "$@"\n'
        )
        (self.folder / "bin" / "git").chmod(0o755)

    def run(self, script: str) -> tuple[int, list[dict[str, Any]]]:
        environment = {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "MIRROR_ROOT": str(self.folder / "cache"),
            "REMOTES": str(self.folder / "remotes"),
            "SCRIPTS": str(self.folder / "scripts"),
            "SSH_DIR": str(self.folder),
        }
        done = subprocess.run(
            ["bash", str(self.folder / "scripts" / script)], env=environment, capture_output=True, text=True, timeout=60
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    made = Mirror(tmp_path)
    made.commit(made.upstream, BRANCH)
    made.commit(made.upstream, GITOPS)
    yield made


def test_a_new_mirror_has_its_repositories_before_the_first_sync(mirror: Mirror) -> None:
    for _ in range(2):
        code, events = mirror.run("init.sh")
        assert (code, [event["event"] for event in events]) == (0, ["ready"])
    assert mirror.git("ls-remote", str(mirror.cache)) == ""
    mirror.git("-C", str(mirror.upstream), "push", "-q", str(mirror.cache), f"refs/heads/{BRANCH}")
    assert mirror.run("sync.sh")[0] == 0


def test_sync_pins_each_commit_once(mirror: Mirror) -> None:
    first = mirror.tip(mirror.upstream, BRANCH)
    for _ in range(2):
        code, events = mirror.run("sync.sh")
        assert code == 0
        assert [event["event"] for event in events] == ["snapshot", "gitops"]
    second = mirror.commit(mirror.upstream, BRANCH)
    assert mirror.run("sync.sh")[0] == 0
    for commit in (first, second):
        assert mirror.tip(mirror.cache, f"refs/unidesk/snapshots/hwlab-node-runtime/{BRANCH}/{commit}") == commit
    assert mirror.tip(mirror.cache, BRANCH) == second


def test_flush_goes_forward_and_says_so(mirror: Mirror) -> None:
    mirror.run("sync.sh")
    made = mirror.commit(mirror.cache, GITOPS)
    _, events = mirror.run("sync.sh")
    assert (events[-1]["pendingFlush"], events[-1]["githubInSync"]) == ("true", "false")
    code, events = mirror.run("flush.sh")
    assert (code, events[-1]["event"], events[-1]["pushed"]) == (0, "flushed", "true")
    assert mirror.tip(mirror.upstream, GITOPS) == made
    assert mirror.run("flush.sh")[1][-1]["pushed"] == "false"


def test_a_diverged_branch_is_never_forced(mirror: Mirror) -> None:
    mirror.run("sync.sh")
    ours = mirror.commit(mirror.cache, GITOPS)
    theirs = mirror.commit(mirror.upstream, GITOPS)
    code, events = mirror.run("flush.sh")
    assert (code, events[-1]["reason"]) == (1, "not-fast-forward")
    assert mirror.run("sync.sh")[1][-1]["reason"] == "diverged"
    assert (mirror.tip(mirror.upstream, GITOPS), mirror.tip(mirror.cache, GITOPS)) == (theirs, ours)


def test_a_rewritten_upstream_stops_the_branch_and_no_other(mirror: Mirror) -> None:
    mirror.run("sync.sh")
    held = mirror.tip(mirror.cache, BRANCH)
    tree = mirror.git("-C", str(mirror.upstream), "mktree")
    rewritten = mirror.git("-C", str(mirror.upstream), "commit-tree", "-m", "history made anew", tree)
    mirror.git("-C", str(mirror.upstream), "update-ref", f"refs/heads/{BRANCH}", rewritten)
    code, events = mirror.run("sync.sh")
    assert (code, [event.get("reason") for event in events]) == (1, ["upstream-rewritten", None])
    assert (events[0]["mirror"], events[0]["upstream"]) == (held, rewritten)
    assert mirror.tip(mirror.cache, BRANCH) == held


def test_a_snapshot_may_be_pushed_once_and_never_moves(mirror: Mirror) -> None:
    """hwplan itself makes snapshots there by a push."""
    for _ in range(2):
        mirror.run("sync.sh")
    hidden = mirror.git("-C", str(mirror.cache), "config", "--get-all", "receive.hideRefs").split()
    assert hidden == ["refs/mirror-stage"], "one line, however often it ran"
    newer = mirror.commit(mirror.upstream, BRANCH)
    where, ref = ["-C", str(mirror.upstream), "push", "-q", str(mirror.cache)], "refs/unidesk/snapshots/x/v0.3/y"
    mirror.git(*where, f"{newer}~1:{ref}")
    for move in (f"{newer}:{ref}", f":{ref}"):
        with pytest.raises(subprocess.CalledProcessError) as caught:
            mirror.git(*where, move)
        assert "rejected" in caught.value.stderr
    assert mirror.tip(mirror.cache, ref) == mirror.tip(mirror.upstream, f"{newer}~1")


def test_a_transport_that_is_not_ssh_is_not_tried_again(mirror: Mirror) -> None:
    settings = mirror.folder / "remotes" / "settings.env"
    settings.write_text(settings.read_text().replace("ssh:file", "file"))
    mirror.break_git("fetch", 1, "Connection reset by peer")
    code, events = mirror.run("sync.sh")
    assert (code, events[0]["reason"]) == (1, "permanent")


def test_nothing_to_flush_when_the_upstream_is_ahead(mirror: Mirror) -> None:
    mirror.run("sync.sh")
    mirror.commit(mirror.upstream, GITOPS)
    code, events = mirror.run("flush.sh")
    assert (code, events[-1]["pendingFlush"], events[-1]["pushed"]) == (0, "false", "false")


def test_only_transport_errors_are_tried_again(mirror: Mirror) -> None:
    mirror.break_git("fetch", 2, "kex_exchange_identification: Connection closed by remote host")
    code, events = mirror.run("sync.sh")
    assert (code, [event["event"] for event in events]) == (0, ["retry", "retry", "snapshot", "gitops"])
    mirror.break_git("fetch", 1, "Permission denied (publickey).")
    code, events = mirror.run("sync.sh")
    assert (code, events[0]["reason"]) == (1, "permanent")


def test_retries_end_in_exhausted(mirror: Mirror) -> None:
    mirror.break_git("fetch", 99, "ssh: connect to host x port 443: Connection timed out")
    code, events = mirror.run("sync.sh")
    assert code == 1
    assert events[2]["reason"] == "exhausted"


@pytest.mark.parametrize(("failures", "code", "recovered"), [(3, 0, "true"), (6, 1, None)])
def test_a_push_that_cannot_be_confirmed_is_looked_at_again(
    failures: int, code: int, recovered: str | None, mirror: Mirror
) -> None:
    mirror.run("sync.sh")
    made = mirror.commit(mirror.cache, GITOPS)
    marker = mirror.folder / "pushed"
    mirror.break_git("fetch", failures, "Connection reset by peer")
    wrapper = mirror.folder / "bin" / "git"
    wrapper.write_text(
        wrapper.read_text()
        .replace('" fetch "*', f'" fetch "* && -e {marker}')
        .replace("exec ", f'[[ " $* " == *" push "* ]] && touch {marker}\nexec ')
    )
    found, events = mirror.run("flush.sh")
    assert found == code
    assert any(event.get("partialSuccess") == "push-succeeded-fetch-failed" for event in events)
    assert events[-1].get("partialSuccessRecovered") == recovered
    assert mirror.tip(mirror.upstream, GITOPS) == made
