"""The real lane with the local GitHub in front of its upstream: pull requests are merged there by git."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.rollout.real_lane import SOURCE, RealLane
from tests.testbed.github_server import BOT_TOKEN, LocalGitHub, local_github

REPO = "pikasTech/HWLAB"
_PULLS = "pulls: {authority: D601, freshness: merge}"


@dataclass
class LaneOnGitHub:
    """The lane and its GitHub. `home` is a home folder with the token and no secrets."""

    lane: RealLane
    github: LocalGitHub
    home: Path
    pulls: int = 0

    def pull(self, *paths: str) -> int:
        """Open a pull request that changes these files and may be merged; its number."""
        self.pulls += 1
        ref = f"refs/heads/change-{self.pulls}"
        self.lane.upstream.put(ref, self.lane.tip())
        head = self.lane.upstream.write(ref, dict.fromkeys(paths, f"{ref}\n"), f"Change {self.pulls}")
        branch = SOURCE.removeprefix("refs/heads/")
        number = self.github.open_pull(ref.removeprefix("refs/heads/"), branch, repo=REPO)
        self.github.add_check(head, repo=REPO)
        return number


@contextmanager
def lane_on_github(lane: RealLane) -> Iterator[LaneOnGitHub]:
    """Has the configuration ask the local GitHub, and no other rule keep a pull request back, while the block lasts."""
    box, folder = Path(lane.upstream.path).parent, Path(lane.hwplan.folder)
    shutil.copy(box.parent / "github.json", box / "github.json")
    with local_github(box) as github:
        with github.stored(REPO) as rows:
            rows.rows("pulls").clear()
        config = Path(lane.words[1]) / "hwlab-node-lanes.yaml"
        before = config.read_text()
        assert _PULLS in before
        access = f"access: {{url: {json.dumps(github.url)}, tokenFile: ~/.config/hwplan/github-token}}"
        rules = f"pulls: {{authority: D601, freshness: head, authors: [], pauseAfter: 100, {access}}}"
        config.write_text(before.replace(_PULLS, rules))
        for home in (folder, folder / "pod"):
            token = home / ".config" / "hwplan" / "github-token"
            token.parent.mkdir(parents=True, exist_ok=True)
            token.write_text(BOT_TOKEN)
        try:
            yield LaneOnGitHub(lane, github, folder / "pod")
        finally:
            config.write_text(config.read_text().replace(rules, _PULLS))
