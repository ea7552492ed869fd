"""The brief of a lane: a rollout adds one entry, the same rollout again none, and by hand it is the same entry."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.hwplan import Hwplan
from tests.e2e.manifests import PULL
from tests.testbed.git_fixtures import BareRepository

ROOT = Path(__file__).resolve().parents[2]
LANE = ("--node", "D601", "--lane", "v03")


def lane(tmp_path: Path, brief: str) -> Hwplan:
    """A lane that stands in a sandbox, with a brief."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    lanes = tmp_path / "config" / "hwlab-node-lanes.yaml"
    text = lanes.read_text()
    before = "      publicUrl: https://hwlab.pikapython.com\n"
    assert before in text
    lanes.write_text(text.replace(before, f"{before}      brief: {brief}\n"))
    Hwplan(tmp_path, ())("sandbox", "create", "box", *LANE)
    here = Hwplan(tmp_path, ("--live", "box"))
    here("apply", *LANE, "--confirm")
    return here


def merged(here: Hwplan) -> str:
    """The merge commit of the example pull request."""
    upstream = BareRepository(here.folder / "box" / "git" / "hwlab.git")
    (here.folder / "pull.yaml").write_text(PULL.format(head=upstream.at("refs/heads/example")))
    here("apply", "-f", "pull.yaml", "--name", "pulls", "--confirm")
    return upstream.at("refs/heads/v0.3")


@pytest.mark.parametrize("brief", ["{file: brief/v03.md}", "{issue: 1}"])
def test_one_rollout_is_one_entry(brief: str, tmp_path: Path) -> None:
    here = lane(tmp_path, brief)

    def entries() -> list[str]:
        if "file" in brief:
            file = tmp_path / "config" / "brief" / "v03.md"
            return file.read_text().split("### ")[1:] if file.exists() else []
        store = json.loads((tmp_path / "box" / "github.json").read_text())
        return [one["body"] for one in store["repositories"]["pikasTech/HWLAB"]["comments"]]

    said = here("trigger", *LANE, "--confirm").out
    assert "brief: entry added to " in said and len(entries()) == 1
    commit = merged(here)
    by_hand = (*LANE, "--pr", "1", "--source-commit")
    early = here("record-rollout", *by_hand, commit, "--confirm", code=None)
    assert early.code != 0 and f"no run of commit {commit[:12]} is known" in early.err
    here("trigger", *LANE, "--confirm")
    first, second = entries()
    assert "EXAMPLE.md" in second or "example" in second.lower()
    assert f"since `{first.split('`')[3]}`" in second and "TaskRuns" in second and "| total |" in second
    again = here("record-rollout", *by_hand, commit[:12], "--confirm").out
    assert "it stands there already" in again and entries() == [first, second]


def test_by_hand_what_is_not_merged_or_has_no_brief(tmp_path: Path) -> None:
    here = lane(tmp_path, "{file: brief.md}")
    tip = BareRepository(tmp_path / "box" / "git" / "hwlab.git").at("refs/heads/v0.3")
    words = ("record-rollout", *LANE, "--pr", "1", "--source-commit")
    refused = here(*words, tip, "--confirm", code=None)
    assert refused.code != 0 and "pull request 1 is not merged" in refused.err
    unknown = here(*words, "f" * 40, code=None)
    assert unknown.code != 0 and "is no commit of v0.3" in unknown.err
    lanes = tmp_path / "config" / "hwlab-node-lanes.yaml"
    lanes.write_text(lanes.read_text().replace("      brief: {file: brief.md}\n", ""))
    nowhere = here(*words, tip, code=None)
    assert nowhere.code != 0 and "has no brief" in nowhere.err
