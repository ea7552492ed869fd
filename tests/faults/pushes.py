"""What the tests of disturbed pushes share: a push as the executor makes it, faults at the next connection, a rival."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from planner.errors import OutcomeUnknown, ProviderError, TemporaryError
from planner.plan import Change
from planner.ports import Written
from tests.testbed.proxy import FaultProxy, Faults
from tests.unit.git.git_world import World


def settle(world: World, change: Change) -> Written | ProviderError:
    """As the executor does it: once more after a lost answer, and four times in all where it may help."""
    lost: ProviderError | None = None
    for _ in range(4):
        try:
            return world.apply(change)
        except OutcomeUnknown as error:
            if lost:
                return error
            lost = error
        except TemporaryError as error:
            last = error
        except ProviderError as error:
            return error
    return lost or last


def strike_next(proxy: FaultProxy, **faults: int) -> Callable[[], None]:
    """Called after the fresh reading: the next connection, that of the push, gets the faults, once."""

    def strike() -> None:
        if not proxy.faults.count:
            proxy.faults = Faults(count=proxy.traffic.connections + 1, **faults)  # type: ignore[arg-type]

    return strike


class Racer:
    """A process that plans and pushes when reported (git_racer.py)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        command = [sys.executable, "-m", "tests.faults.git_racer", str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def said(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(30) == 0
