"""What holds for every test: the fixtures of the testbed, and a marker by the folder that a test is in."""

import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.testbed import scratch
from tests.testbed.dealing import dealt
from tests.testbed.listening import leftovers, listening_ports

# Each worker imports every test module. Where PYTHONDONTWRITEBYTECODE is set, pytest would compile them all each time,
# 9 s of each worker; the commands that tests start still obey the variable.
sys.dont_write_bytecode = False

# The gate draws the same examples each time, HYPOTHESIS_PROFILE=random new ones. No property is about time: what is
# slow is found by the timeout of the test.
settings.register_profile(
    "any-machine", derandomize=True, database=None, deadline=None, suppress_health_check=(HealthCheck.too_slow,)
)
settings.register_profile("random", deadline=None, suppress_health_check=(HealthCheck.too_slow,))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "any-machine"))

pytest_plugins = ["tests.testbed.fixtures"]

collect_ignore = ["plugin"]  # a distribution of its own: tests/e2e/test_plugin.py installs it and runs its tests

_TESTS = Path(__file__).parent


_ended = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a temporary folder of its own, also to its workers and to every command: a worker of xdist ends by
    os._exit and a killed command ends at once, so that neither removes what it made. That of tests (`tmp_path`) stays
    where pytest has it, for who looks at a failure."""
    if hasattr(config, "workerinput"):
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    os.environ["TMPDIR"] = str(_ended.enter_context(scratch.folder()))
    tempfile.tempdir = None  # asked for again


def pytest_unconfigure() -> None:
    """Remove it."""
    _ended.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with the name of its folder below `tests/`, where a marker of that name is registered; and deal
    the tests out to the workers."""
    registered = {line.partition(":")[0].strip() for line in config.getini("markers")}
    for item in items:
        folder = item.path.relative_to(_TESTS).parts[0]
        if folder in registered:
            item.add_marker(folder)
    if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        items[:] = dealt(items, workers, lambda one: _TESTS / "unit" in one.path.parents, _shared_set_up)


def _shared_set_up(item: pytest.Item) -> Path:
    """What its tests should stay with one worker: the folder of the shared lane, or the module."""
    return item.path.parent if item.path.parent.name == "rollout" else item.path


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Take what was collected out of garbage collection: it lives to the end, and a full collection, or the copy that a
    fork makes of what a collection touches, would go through all of it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a thread or a listening socket of its own behind.

    Set up after the fixtures of wider scope and before those of the test, so that it ends after the latter.
    """
    threads, ports = frozenset(threading.enumerate()), listening_ports()
    yield
    if left := leftovers(threads, ports):
        pytest.fail(f"the test left behind: {', '.join(left)}", pytrace=False)


@pytest.fixture(autouse=True)
def processor_seconds(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that takes more processor time than its marker `cpu` allows: a busy machine takes none of it. What
    never ends is found by the timeout of every test."""
    marker = request.node.get_closest_marker("cpu")
    began = time.process_time()
    yield
    taken = time.process_time() - began
    if marker is not None and taken > marker.args[0]:
        pytest.fail(f"{taken:.1f} s of processor time, allowed are {marker.args[0]}", pytrace=False)
