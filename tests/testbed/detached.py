"""The one cluster that outlives the command that started it: `python -m tests.testbed up`.

Owns the record of what was started, below the user's cache folder. It stops only the process ids of that record, and
those only if the kernel says that they are still the same processes.
"""

import json
import shutil
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


def up(*, controllers: bool = True) -> TestCluster:
    """Start the cluster, or return the one that runs already."""
    if recorded() and all(process.alive() for process in recorded()):
        return load()
    down()
    _folder().mkdir(parents=True, mode=0o700)
    running = cluster.start(_folder(), controllers=controllers, detached=True)
    entries = [asdict(process) | {"log": str(process.log)} for process in running.processes.values()]
    (_folder() / "cluster.json").write_text(running.value.to_json())
    _record().write_text(json.dumps(entries, indent=2))
    return running.value


def down() -> None:
    """Stop what was recorded, last started first, and remove its files."""
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


def load() -> TestCluster:
    """Return the cluster that `up` started."""
    if not recorded():
        raise PartMissing("no testbed is up: run `python -m tests.testbed up`")
    dead = [process.name for process in recorded() if not process.alive()]
    if dead:
        raise TestbedError(f"the testbed is broken, these ended: {', '.join(dead)}; run `python -m tests.testbed up`")
    return TestCluster.from_json((_folder() / "cluster.json").read_text())
