"""Lanes in sandboxes, made once and copied for each test, with the local GitHub in place of the simulated one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from planner.app.pull_requests.monitored_lane import find_monitored_lane
from planner.app.request import Request
from tests.e2e.hwplan import Hwplan
from tests.integration.pulls.pull_world import REPO, PullWorld, ask_locally
from tests.testbed.github_server import local_github

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "config"


@pytest.fixture(scope="session")
def lane_boxes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Sandboxes of lanes that are applied, each made once."""
    made: dict[tuple[str, str], Path] = {}

    def box(node: str, lane: str) -> Path:
        if (node, lane) not in made:
            folder = tmp_path_factory.mktemp(f"{node}-{lane}")
            where = ("--config", str(CONFIG), "--node", node, "--lane", lane)
            Hwplan(folder, ())("sandbox", "create", "box", *where)
            Hwplan(folder, ("--live", "box"))("apply", *where, "--confirm", "-q")
            made[node, lane] = folder / "box"
        return made[node, lane]

    return box


@pytest.fixture
def open_world(
    lane_boxes: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., PullWorld]]:
    """Opens the world of a lane: `open_world("D601", "v03")`, with the pull request of the sandbox closed."""
    with ExitStack() as stack:

        def opened(node: str = "D601", lane: str = "v03", **options: object) -> PullWorld:
            box = tmp_path / "box"
            shutil.copytree(lane_boxes(node, lane), box)
            shutil.copy(box / "github.json", box / "git" / "github.json")
            config = tmp_path / "config"
            shutil.copytree(CONFIG, config)
            shutil.copytree(ROOT / "templates", tmp_path / "templates")
            github = stack.enter_context(local_github(box / "git", **options))
            ask_locally(monkeypatch, github.url)
            with github.stored(REPO) as rows:
                rows.rows("pulls").clear()
            place = find_monitored_lane(Request(config=config, nodes=(node,), lanes=(lane,), live=box))
            return PullWorld(box, github, place)

        yield opened


@pytest.fixture
def world(open_world: Callable[..., PullWorld]) -> PullWorld:
    """D601/v03."""
    return open_world()
