"""How commands are run, how listings are shared, and what reaches git at all. Without a network."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from planner.errors import PermanentError, TemporaryError
from planner.values import parse_output_ref
from providers.git import object_cache
from providers.git.git_client import GitClient
from providers.git.git_failures import GitCommandFailed, GitFailureKind
from providers.git.ref_listings import RefListings
from providers.git.remotes import GitRemoteUrls, RemoteLocations, open_remote_locations, resolve_remote
from providers.git.run_command import CommandTermination, run_command
from providers.git.ssh_proxy_tunnel import run_ssh_proxy_command
from providers.sandbox.git_repositories import SandboxRemote as Imitated
from providers.sandbox.git_repositories import create_repository
from tests.testbed.git_fixtures import BareRepository
from tests.unit.git.git_world import World, blocked, follow, side
from tests.unit.git.test_git_words import HOSTILE_REFS, HOSTILE_URLS

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def sh(script: str, tmp_path: Path, seconds: float = 30.0, most: int = 1000) -> object:
    return run_command(["sh", "-c", script], env=ENVIRONMENT, cwd=tmp_path, seconds=seconds, most=most)


def test_a_command_is_run_to_its_end(tmp_path: Path) -> None:
    done = run_command(["sh", "-c", "echo a; echo b >&2; exit 3"], env=ENVIRONMENT, cwd=tmp_path, seconds=30, most=9)
    assert (done.code, done.out, done.err, done.ended) == (3, b"a\n", b"b\n", CommandTermination.ITSELF)
    with pytest.raises(PermanentError, match="is not on the PATH"):
        run_command(["no-such-program"], env=ENVIRONMENT, cwd=tmp_path, seconds=30, most=9)


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    script = "sleep 600 & echo $! > child; wait"
    done = run_command(["sh", "-c", script], env=ENVIRONMENT, cwd=tmp_path, seconds=1.0, most=9)
    assert done.ended is CommandTermination.TIMED_OUT
    child = int((tmp_path / "child").read_text())
    _until(lambda: not _lives(child))


HOLDER = """
import fcntl, sys
from pathlib import Path
from providers.git.run_command import run_command
with open(sys.argv[1], "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    script = "echo $$ > child; exec sleep 600"
    run_command(["sh", "-c", script], env={"PATH": sys.argv[2]}, cwd=Path(sys.argv[1]).parent, seconds=600, most=9,
        hold=(file.fileno(),))
"""


def test_a_lock_lasts_as_long_as_the_command_when_we_are_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "lock"), os.environ["PATH"]])
    noted = tmp_path / "child"
    _until(lambda: noted.exists() and noted.read_text().strip() != "")
    child = int(noted.read_text())
    parent.kill()
    parent.wait(30)
    with (tmp_path / "lock").open("w") as file:
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.kill(child, signal.SIGKILL)
        _until(lambda: not _lives(child))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_lock_that_is_never_given_back_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_cache, "LOCK_SECONDS", 0.1)
    cache = object_cache.ObjectCache(GitClient(), tmp_path / "cache")
    cache.home()
    with (tmp_path / "cache" / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(TemporaryError, match="another git has been at work"):
            cache.home()


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_command_that_says_too_much_is_killed(tmp_path: Path) -> None:
    done = run_command(["sh", "-c", "yes"], env=ENVIRONMENT, cwd=tmp_path, seconds=30, most=100_000)
    assert done.ended is CommandTermination.TOO_LONG and len(done.out) == 100_000
    loud = run_command(["sh", "-c", "yes | head -c 300000 >&2"], env=ENVIRONMENT, cwd=tmp_path, seconds=30, most=9)
    assert loud.code == 0 and len(loud.err) == 64 * 1024


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_never_reaches_git(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _no_git(monkeypatch)
    look = World(tmp_path).look(follow(side(url), side(url), check=False))
    assert "git URL" in blocked(look)


@pytest.mark.parametrize("ref", HOSTILE_REFS)
def test_a_hostile_ref_never_reaches_git(ref: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that came from another resource was not there to be checked when the document was."""
    _no_git(monkeypatch)
    there = f"file://{tmp_path}/x.git"
    for origin, target in ((side(there, ref), side(there)), (side(there), side(there, ref))):
        assert "not a full ref name" in blocked(World(tmp_path).look(follow(origin, target, check=False)))
    named = follow({"remote": there, "commit": ref}, side(there), check=False)
    assert "not a full commit id" in blocked(World(tmp_path).look(named))


def _no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a command was started")

    monkeypatch.setattr("providers.git.git_client.run_command", refuse)


def test_git_knows_nothing_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configuration of the user, of a folder around us, of the environment: each would run a command or mislead."""
    canary = tmp_path / "canary"
    hostile = f'[core]\n\tsshCommand = "touch {canary}; false"\n\thooksPath = {tmp_path}\n'
    hostile += f'[url "file://{tmp_path}/elsewhere/"]\n\tinsteadOf = "file:///"\n'
    (tmp_path / ".gitconfig").write_text(hostile)
    around = BareRepository.create(tmp_path / "around")
    (around.path / "config").write_text((around.path / "config").read_text() + hostile)
    (tmp_path / "pre-push").write_text(f"#!/bin/sh\ntouch {canary}\n")
    (tmp_path / "pre-push").chmod(0o755)
    for name, value in {
        "HOME": str(tmp_path), "GIT_DIR": str(around.path), "GIT_SSH": f"touch {canary}", "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.sshCommand", "GIT_CONFIG_VALUE_0": f"touch {canary}", "GIT_TRACE": str(canary),
        "GIT_EXTERNAL_DIFF": f"touch {canary}", "TMPDIR": str(around.path),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(around.path)
    source = BareRepository.create(tmp_path / "source.git")
    source.grow("refs/heads/main", "first")
    world = World(tmp_path)
    world.converge(follow(side(source.url), side(source.url, "refs/heads/copy")))
    with pytest.raises(GitCommandFailed):
        world.provider._client.list_refs(
            resolve_remote({"remote": "ssh://127.0.0.1:1/x.git", "retry": {"attempts": 1}}, RemoteLocations(tmp_path))
        )
    assert not canary.exists()


def test_one_question_per_remote_from_many_threads(tmp_path: Path) -> None:
    asked: list[str] = []
    gate = threading.Event()

    def ask(remote: GitRemoteUrls) -> Mapping[str, str]:
        asked.append(remote.shown)
        gate.wait(30)
        raise GitCommandFailed(remote.shown, GitFailureKind.LOST)

    listings = RefListings(ask)
    remote = resolve_remote({"remote": "ssh://h/x.git"}, RemoteLocations(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(listings.of, remote) for _ in range(8)]
        gate.set()
        assert all(isinstance(future.exception(30), GitCommandFailed) for future in futures)
    assert len(asked) == 1
    listings.forget(remote)
    with pytest.raises(GitCommandFailed):
        listings.of(remote)
    assert len(asked) == 2


def test_an_answer_that_is_no_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from providers.git.run_command import CommandResult

    answer = CommandResult(0, b"hello\trefs/heads/main\n", b"")
    monkeypatch.setattr("providers.git.git_client.run_command", lambda *_, **__: answer)
    with pytest.raises(GitCommandFailed, match="cannot be understood"):
        GitClient().list_refs(resolve_remote({"remote": "ssh://h/x.git"}, RemoteLocations(tmp_path)))


def test_the_list_of_a_sandbox(tmp_path: Path) -> None:
    (tmp_path / "git").mkdir()
    first = Imitated("hwlab", ("v0.3", "v0.3-gitops"), "ssh://git@github.com/o/hwlab.git")
    create_repository(tmp_path / "git", first)
    create_repository(tmp_path / "git", Imitated("other", ("main",)))
    create_repository(tmp_path / "git", Imitated("mirror", (), "http://mirror.svc:8080/hwlab.git"))
    path = tmp_path / "git" / "remotes.yaml"
    assert path.read_text().splitlines()[2:] == [
        "remotes:",
        '  - url: "ssh://git@github.com/o/hwlab.git"',
        '    folder: "hwlab.git"',
        '  - url: "http://mirror.svc:8080/hwlab.git"',
        '    folder: "mirror.git"',
    ]
    known = open_remote_locations(tmp_path, tmp_path).simulated
    assert known == {
        first.url: tmp_path / "git" / "hwlab.git",
        "http://mirror.svc:8080/hwlab.git": tmp_path / "git" / "mirror.git",
    }
    for damage in (
        '  - url: "ssh://h/x"\n    folder: "../../x.git"\n',
        '    folder: "x.git"\n',
        "what: ever\n",
        '  - url: "\\"\n',
    ):
        path.write_text("remotes:\n" + damage)
        with pytest.raises(PermanentError):
            open_remote_locations(tmp_path, tmp_path)


def test_the_connector_says_what_is_wrong(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_ssh_proxy_command(["127.0.0.1", "1", "h", "22"]) == 1
    assert run_ssh_proxy_command(["127.0.0.1"]) == 2
    assert "hwplan-connect: the proxy cannot be reached\n" in capfd.readouterr().err


def test_the_connector_starts_without_the_project() -> None:
    """It is started for every connection: what it imports is what it costs."""
    heavy = ("planner", "ssl", "asyncio", "subprocess", "typing")
    code = (
        f"import sys; import providers.git.ssh_proxy_tunnel; print([n for n in sys.modules if n.startswith({heavy})])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_leaf_that_is_not_known_asks_only_the_other_side(tmp_path: Path) -> None:
    source = BareRepository.create(tmp_path / "source.git")
    world = World(tmp_path)
    leaf = parse_output_ref("GitHead/a#short")
    look = world.look(follow({"remote": source.url, "commit": leaf}, {"remote": source.url, "ref": leaf}))
    assert look.change is not None and look.change.precondition.absent and look.change.expects == ""
