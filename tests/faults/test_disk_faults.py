"""A full disk and an I/O error at each system call that writes to a disk: a named error or success, nothing half
written, and the same command finishes the work afterwards. `HWPLAN_FAULTS=long` takes every call, the gate a spread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from planner.disk_errors import disk_error_text
from planner.errors import HwplanError
from planner.plan import Plan
from state import StateStore
from tests.faults.failing_syscalls import SUPPORTED, DiskFaults, run_with_disk_faults
from tests.faults.kill_world import apply, check, shape

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="numbers of system calls are those of x86-64 Linux")

LONG = os.environ.get("HWPLAN_FAULTS") == "long"
MODES = [(errno.ENOSPC, False), (errno.ENOSPC, True), (errno.EIO, False), (errno.EIO, True)]
ROOT = Path(__file__).parents[2]
LANE = ("--node", "D601", "--lane", "v03")
_NAMED = re.compile(
    r"the disk is full|the disk reported an error|the file cannot be (opened|written)"
)  # SQLite does not say why it cannot open


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder on a memory disk where there is one."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="hwplan-disk-", dir=base))
    yield folder
    shutil.rmtree(folder)


def _spread(calls: int, most: int) -> list[int]:
    """Numbers of calls: all of them in the long run, else so many, evenly."""
    return list(range(1, calls + 1, 1 if LONG else max(1, calls // most)))


@pytest.mark.parametrize(("error", "lasting"), MODES)
def test_an_apply_over_the_state_alone(memory: Path, error: int, lasting: bool) -> None:
    plan = shape("diamond")
    counted = DiskFaults(error=error)
    assert _applied(memory / "undisturbed", plan, counted) == (0, "")
    for number in _spread(len(counted.calls), 60):
        folder = memory / str(number)
        faults = DiskFaults(number, error, lasting)
        code, said = _applied(folder, plan, faults)
        at = f"call {number} of {len(counted.calls)} ({faults.calls[number - 1 :][:1]}): {code} {said}"
        assert faults.failed or number > len(faults.calls), at
        assert code in (0, 1), at
        assert code == 0 or _NAMED.search(said), at
        assert _may_be_left(error, lasting) or _litter(folder) == [], at
        apply(folder, plan, 4)
        check(folder, plan)
        shutil.rmtree(folder)


def _applied(folder: Path, plan: Plan, faults: DiskFaults) -> tuple[int, str]:
    """Exit code and error of an apply in a fork; the error comes by a pipe, which no disk error concerns."""
    folder.mkdir()
    read, write = os.pipe()

    def child() -> int:
        try:
            apply(folder, plan, 1)
        except HwplanError as error:
            os.write(write, error.message.encode())
            return 1
        except OSError as error:  # the command line names it, see planner.cli.main
            os.write(write, disk_error_text(error).encode())
            return 1
        return 0

    code = run_with_disk_faults(child, faults)
    os.close(write)
    said = os.read(read, 1 << 16)
    os.close(read)
    return code, said.decode()


def _may_be_left(error: int, lasting: bool) -> bool:
    """Whether nothing can be removed either; the next command does."""
    return lasting and error == errno.EIO


def _litter(folder: Path) -> list[str]:
    """What a write that did not end left behind."""
    return [str(one) for one in folder.rglob("*") if one.name.endswith((".partial", ".tmp", ".new"))]


# --- whole commands in a sandbox -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """A command that changes a sandbox, what is done before it, and what finishes it after an error."""

    name: str
    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    again: tuple[tuple[str, ...], ...] = ()
    open_work: int = 0  # exit code of the last of `again`


_APPLY = ("apply", *LANE, "--live", ".sandbox", "--confirm")
_TRIGGER = ("trigger", *LANE, "--live", ".sandbox", "--confirm", "--wait")
_PRS = ("prs", "--lane", "v03", "--once", "--live", ".sandbox")
COMMANDS = (
    Command("apply", _APPLY, (), (_APPLY, ("plan", *LANE, "--live", ".sandbox", "--detailed-exitcode"))),
    Command("trigger", _TRIGGER, (_APPLY,), (_TRIGGER,)),
    Command("prs", _PRS, (_APPLY,), (_PRS,)),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
@pytest.mark.parametrize(("error", "lasting"), MODES if LONG else MODES[1:3])
def test_a_command_in_a_sandbox(memory: Path, command: Command, error: int, lasting: bool) -> None:
    made = memory / "made"
    made.mkdir()
    for words in (("sandbox", "create", ".sandbox", *LANE), *command.before):
        assert _run(made, words)[0] == 0
    counted = DiskFaults(error=error)
    copy = _copy(made, memory / "undisturbed")
    assert _run(copy, command.words, counted)[0] == 0
    for number in _spread(len(counted.calls), 2):
        folder = _copy(made, memory / str(number))
        faults = DiskFaults(number, error, lasting)
        code, said = _run(folder, command.words, faults)
        at = f"{command.name}, call {number} of {len(counted.calls)} ({faults.calls[number - 1 :][:1]}): {code} {said}"
        assert "Traceback" not in said and "inside hwplan" not in said and "internal error" not in said, at
        assert 0 <= code <= 5, at
        assert code == 0 or _NAMED.search(said), at
        assert _may_be_left(error, lasting) or _litter(folder) == [], at
        with contextlib.suppress(FileNotFoundError), StateStore.open(_state(folder)) as store:
            store.check()
        for words in command.again:
            code, said = _run(folder, words)
            assert code == 0, f"{at}\n\nthen {' '.join(words)}: {code} {said}"
        shutil.rmtree(folder)


def _state(folder: Path) -> Path:
    found = [one for one in folder.rglob("state.db") if one.is_file()]
    if not found:
        raise FileNotFoundError
    return found[0]


def _copy(source: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", source, target], check=True)
    return target


def _run(folder: Path, words: Sequence[str], faults: DiskFaults | None = None) -> tuple[int, str]:
    """Exit code and both outputs of a command, run in a fork of this process."""
    read, write = os.pipe2(0)
    out = tempfile.TemporaryFile()  # noqa: SIM115 (the child writes it through a pipe of `cat`)
    carrier = subprocess.Popen(["cat"], stdin=read, stdout=out)
    os.close(read)
    try:
        code = run_with_disk_faults(lambda: _as_command(folder, words, write), faults or DiskFaults(), 120.0)
    finally:
        os.close(write)
        carrier.wait()
    out.seek(0)
    said = out.read().decode(errors="replace")
    out.close()
    return code, said


def _as_command(folder: Path, words: Sequence[str], output: int) -> int:
    """In the child: become the command. Its output goes through a pipe, which no disk error concerns."""
    from planner.cli.main import run_command_line

    signal.alarm(110)
    os.chdir(folder)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    os.environ |= {"NO_COLOR": "1", "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder)}
    tempfile.tempdir = None
    return run_command_line(list(words))
