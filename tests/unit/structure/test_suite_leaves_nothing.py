"""What tests and the commands that they start leave behind goes with the temporary folder of the run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def test_the_run_has_a_temporary_folder_of_its_own() -> None:
    here = Path(tempfile.gettempdir())
    command = [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"]
    of_a_command = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert str(here) == of_a_command == os.environ["TMPDIR"]
    assert here.name.startswith("hwplan-testbed-") and (here / "owner.lock").exists(), (
        "the next run removes it if killed"
    )


def test_what_failed_can_still_be_looked_at(tmp_path: Path) -> None:
    assert not tmp_path.is_relative_to(tempfile.gettempdir())
