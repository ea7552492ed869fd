"""How the process ends: what was registered is called, what was printed has left, and nothing is freed before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys, weakref
import planner.cli.main
entry = sys.modules["planner.cli.main"]

class Held:
    def __del__(self):
        print("freed")

def command(arguments):
    entry.held = Held()
    weakref.finalize(entry.held, print, "called at the end")
    print("printed")
    {end}

entry.run_command_line = command
entry.main([])
"""


def ended(end: str, output: Path) -> tuple[int, str, str]:
    """Exit code and both outputs of a process whose command ends so."""
    with output.open("w") as file:
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(end=end)], stdout=file, stderr=subprocess.PIPE, text=True, timeout=60
        )
    return run.returncode, output.read_text() if output.is_file() else "", run.stderr


@pytest.mark.parametrize("code", [0, 4, 130])
def test_what_is_registered_is_called_and_nothing_is_freed(tmp_path: Path, code: int) -> None:
    assert ended(f"return {code}", tmp_path / "output") == (code, "printed\ncalled at the end\n", "")


def test_an_error_that_nobody_caught_is_shown(tmp_path: Path) -> None:
    code, output, errors = ended("raise SystemError('what')", tmp_path / "output")
    assert (code, "called at the end\n" in output, "SystemError: what" in errors) == (1, True, True)


def test_output_that_cannot_leave_is_an_error() -> None:
    code, _, errors = ended("return 0", Path("/dev/full"))
    assert code != 0
    assert "No space left" in errors
