"""What holds for every test: the fixtures of the testbed, and a marker by the folder that a test is in."""

from pathlib import Path

import pytest

pytest_plugins = ["tests.testbed.fixtures"]

collect_ignore = ["plugin"]  # a distribution of its own: tests/e2e/test_plugin.py installs it and runs its tests

_TESTS = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with the name of its folder below `tests/`, where a marker of that name is registered."""
    registered = {line.partition(":")[0].strip() for line in config.getini("markers")}
    for item in items:
        folder = item.path.relative_to(_TESTS).parts[0]
        if folder in registered:
            item.add_marker(folder)
