"""`hwplan fleet` that is ended by a signal to it alone, while its shards wait for a server that never answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import two_nodes

CONTEXT = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:PORT", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: none}}]
contexts:
  - {name: east, context: {cluster: c, user: u}}
  - {name: west, context: {cluster: c, user: u}}
"""


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """A folder with a configuration of two nodes, whose server takes connections and says nothing."""
    two_nodes.write(tmp_path, "silent", password="correct-horse-battery-staple")
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        (tmp_path / "kubeconfig").write_text(CONTEXT.replace("PORT", str(server.getsockname()[1])))
        (tmp_path / "kubeconfig").chmod(0o600)
        yield tmp_path


def _children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()] + [
        int(word)
        for task in Path(f"/proc/{process}/task").iterdir()
        if task.name != str(process)
        for word in (task / "children").read_text().split()
    ]


def _wait_for_children(process: subprocess.Popen[bytes], count: int) -> list[int]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if len(found := _children(process.pid)) == count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{count} shards did not begin: {found}")


@pytest.mark.parametrize(
    ("number", "code", "words", "shards"),
    [
        (signal.SIGTERM, 143, (), 4),
        (signal.SIGINT, 130, (), 4),
        (signal.SIGHUP, 129, (), 4),
        (signal.SIGTERM, 143, ("--node", "east", "--lane", "blue"), 1),
    ],
)
def test_a_signal_to_the_command_alone_ends_its_shards(
    silent: Path, number: signal.Signals, code: int, words: tuple[str, ...], shards: int
) -> None:
    argv = [sys.executable, "-m", "planner", "fleet", "--kubeconfig", "kubeconfig", "--state", "state.db", *words]

    def reset() -> None:
        for one in (signal.SIGINT, signal.SIGHUP):
            signal.signal(one, signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL)

    with subprocess.Popen(
        argv, cwd=silent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=reset
    ) as process:
        children = _wait_for_children(process, shards)
        time.sleep(1.5)  # they have begun to read
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, b""), err
    assert b"Traceback" not in err, err
    left = [child for child in children if Path(f"/proc/{child}").exists()]
    assert not left, "they are ended and reaped"


def test_a_single_shard_has_no_more_time_than_it_is_given(silent: Path) -> None:
    argv = [sys.executable, "-m", "planner", "fleet", "--kubeconfig", "kubeconfig", "--state", "state.db"]
    one = ("--node", "east", "--lane", "blue", "--timeout", "3s")
    began = time.monotonic()
    ran = subprocess.run([*argv, *one], cwd=silent, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 1 and "not done after 3 s" in ran.stdout, ran.stdout + ran.stderr
    assert time.monotonic() - began < 20
