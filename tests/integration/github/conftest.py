"""A local GitHub with one repository for each test, and clients of it that lose no time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.github.github_world import GitHubWorld
from tests.testbed.github_server import local_github


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitHubWorld]:
    """The GitHub and its repository `demo/shop`."""
    folder = tmp_path / "github"
    folder.mkdir()
    with local_github(folder) as github:
        yield GitHubWorld(github, github.repository(), tmp_path)
