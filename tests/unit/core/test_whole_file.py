"""A file is written whole, or is what it was, without anything left beside it."""

from __future__ import annotations

import resource
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from planner.whole_file import write_whole_file


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_whole_file(path, b"one")
    write_whole_file(path, b"two")
    assert path.read_bytes() == b"two" and [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def test_no_room_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(b"old")
    program = "import sys; from pathlib import Path; from planner.whole_file import write_whole_file; "
    program += "write_whole_file(Path(sys.argv[1]), b'x' * 100_000)"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, check=False, preexec_fn=_small_files
    )
    assert done.returncode != 0 and b"OSError" in done.stderr
    assert path.read_bytes() == b"old" and [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def _small_files() -> None:
    """Writes beyond 4 KiB fail, as they do on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_a_full_device_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    program = "from planner.cli.main import main; main(['explain', 'GitRef'])"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[0] == "error: the disk is full"


def test_two_writers_at_once_leave_one_of_their_files(tmp_path: Path) -> None:
    path, texts = tmp_path / ("é" * 120), [bytes([65 + index]) * 200_000 for index in range(8)]
    threads = [threading.Thread(target=write_whole_file, args=(path, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in texts and list(tmp_path.iterdir()) == [path]


def test_the_mode_is_that_which_was_asked_for(tmp_path: Path) -> None:
    for mode in (0o600, 0o644):
        write_whole_file(tmp_path / "a", (b"x", b"y"), mode=mode, durable=True)
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode and (tmp_path / "a").read_bytes() == b"xy"
