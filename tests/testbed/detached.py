"""The one cluster that outlives the command that started it: `python -m tests.testbed up`.

Owns the record of what was started, below the user's cache folder. It stops only the process ids of that record, and
those only if the kernel says that they are still the same processes.
"""

import json
import shutil
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from tests.testbed import binaries, cluster, processes
from tests.testbed.cluster import TestCluster
from tests.testbed.errors import PartMissing, TestbedError
from tests.testbed.processes import Process


def _folder() -> Path:
    return binaries.CACHE / "run"


def _record() -> Path:
    return _folder() / "processes.json"


def _value() -> Path:
    return _folder() / "cluster.json"


def up(*, controllers: bool = True) -> TestCluster:
    """Start the cluster, or return the one that runs already."""
    with binaries.locked(_folder()):
        with suppress(TestbedError):
            return load()
        _stop()
        _folder().mkdir(parents=True, mode=0o700)
        running = cluster.start(_folder(), controllers=controllers, detached=True, on_start=_add_to_record)
        _value().write_text(running.value.to_json())
        return running.value


def down() -> None:
    """Stop what was recorded, last started first, and remove its files."""
    with binaries.locked(_folder()):
        _stop()


def _stop() -> None:
    for process in reversed(recorded()):
        processes.stop(process)
    shutil.rmtree(_folder(), ignore_errors=True)


def recorded() -> list[Process]:
    """Return the recorded processes in the order of their start, whether they still run or not."""
    try:
        entries = json.loads(_record().read_text())
    except FileNotFoundError:
        return []
    return [Process(**(entry | {"log": Path(entry["log"])})) for entry in entries]


def _add_to_record(process: Process) -> None:
    """Record a process the moment it runs, so that `down` finds it also if the start was interrupted."""
    entries = [asdict(known) | {"log": str(known.log)} for known in (*recorded(), process)]
    fresh = _record().with_suffix(".new")
    fresh.write_text(json.dumps(entries, indent=2))
    fresh.replace(_record())


def load() -> TestCluster:
    """Return the cluster that `up` started."""
    if not recorded():
        raise PartMissing("no testbed is up: run `python -m tests.testbed up`")
    dead = [process.name for process in recorded() if not process.alive()]
    if dead or not _value().exists():
        why = f"these ended: {', '.join(dead)}" if dead else "its start was interrupted"
        raise TestbedError(f"the testbed is broken ({why}): run `python -m tests.testbed up`")
    return TestCluster.from_json(_value().read_text())
