"""`hwplan` as a process of its own that asks a local GitHub: `python -m tests.integration.pulls.driver URL WORD...`."""

from __future__ import annotations

import sys

import pytest

from planner.cli.main import main
from tests.integration.pulls.pull_world import ask_locally

if __name__ == "__main__":
    ask_locally(pytest.MonkeyPatch(), sys.argv[1])
    main(sys.argv[2:])
