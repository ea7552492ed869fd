"""`hwplan approve` and `apply --approved-by`: a quorum from the configuration, and what voids an approval."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.hwplan import Hwplan

ROOT = Path(__file__).resolve().parents[2]
LANE = ("--node", "D601", "--lane", "v03")
APP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '%s'}\n"
WORDS = ("-f", "app.yaml", "--name", "a")


def planned(box: Hwplan, value: str = "1") -> str:
    """The id of the plan of the small application."""
    (box.folder / "app.yaml").write_text(APP % value)
    return str(box.plan(*WORDS)["id"])


def test_an_approval_is_applied_and_one_of_another_plan_is_not(simulated: Hwplan) -> None:
    old = planned(simulated)
    new = planned(simulated, "2")
    for identifier, name in ((old, "old.json"), (new, "new.json")):
        said = simulated("approve", identifier, "--as", "olga", "--out", name).out
        assert said.startswith(f"olga approves {identifier[:39]} until ") and "ConfigMap a" in said
    refused = simulated("apply", *WORDS, "--approved-by", "old.json", "--confirm", code=3).err
    assert 'data.x: approved was "1", now it is "2"' in refused or "approved was" in refused
    both = simulated("apply", *WORDS, "--approved-by", "old.json", "--approved-by", "new.json", "--confirm", code=3)
    assert "these are approvals of several plans" in both.err
    simulated("apply", *WORDS, "--approved-by", "new.json", "--confirm")
    simulated.empty(*WORDS)


def test_an_edited_approval_and_one_of_another_state_are_refused(simulated: Hwplan) -> None:
    identifier = planned(simulated)
    simulated("approve", identifier, "--as", "olga", "--out", "a.json")
    file = simulated.folder / "a.json"
    document = json.loads(file.read_text())
    document["approval"]["who"] = "root"
    (simulated.folder / "edited.json").write_text(json.dumps(document))
    said = simulated("apply", *WORDS, "--approved-by", "edited.json", "--confirm", code=3).err
    assert "was edited, or recorded with another state" in said
    said = simulated("apply", *WORDS, "--approved-by", "a.json", "--state", "other/state.db", "--confirm", code=3).err
    assert "was edited, or recorded with another state" in said
    assert simulated.plan(*WORDS)["changes"]  # nothing was written


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("abc",), "is no id of a plan"),
        (("f" * 31,), "is no id of a plan"),
        (("f" * 32, "--as", "a b"), "names nobody"),
        (("f" * 32, "--as", "olga", "--until", "yesterday"), "is no time"),
        (("f" * 32, "--as", "olga", "--until", "2020-01-01T00:00:00Z"), "is over already"),
        (("f" * 32, "--as", "olga", "--head", "abc"), "is no whole commit"),
    ],
)
def test_what_approves_nothing(words: tuple[str, ...], said: str, simulated: Hwplan) -> None:
    refused = simulated("approve", *words, code=None)
    assert refused.code != 0 and said in refused.err


def test_a_quorum_is_the_rule_of_the_lane(tmp_path: Path) -> None:
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    lanes = tmp_path / "config" / "hwlab-node-lanes.yaml"
    text = lanes.read_text()
    Hwplan(tmp_path, ())("sandbox", "create", "box", *LANE)
    here = Hwplan(tmp_path, ("--live", "box"))
    part = (*LANE, "--scope", "infra")
    identifier = here.plan(*part)["id"]
    here("approve", identifier, "--as", "olga", "--out", "olga.json")
    said = here("apply", *part, "--approved-by", "olga.json", "--confirm", code=None)
    assert said.code != 0 and "has no rule about who approves its plans" in said.err
    lanes.write_text(text.replace("approvals: {quorum: 0}", "approvals: {quorum: 2, people: [Olga, ivan]}"))
    files: list[str] = []
    for who, code in (("olga", 3), ("mallory", 3), ("OLGA", 3), ("ivan", 0)):
        here("approve", identifier, "--as", who, "--out", f"{who}.json")
        files += ["--approved-by", f"{who}.json"]
        ran = here("apply", *part, *files, "--confirm", code=code)
        if code:
            assert "1 of 2 approvals for D601/v03" in ran.err
    assert "mallory may not approve here" in here("apply", *part, *files[:4], "--confirm", code=3).err


def test_a_rollout_takes_approvals_too(tmp_path: Path) -> None:
    """The same rules of the lane; the plan that `trigger` showed is the one that is approved."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    lanes = tmp_path / "config" / "hwlab-node-lanes.yaml"
    lanes.write_text(
        lanes.read_text().replace("approvals: {quorum: 0}", "approvals: {quorum: 2, people: [olga, ivan]}")
    )
    Hwplan(tmp_path, ())("sandbox", "create", "box", *LANE)
    here = Hwplan(tmp_path, ("--live", "box"))
    told = here("apply", *LANE, "--confirm", "-q").out
    assert told.count("\n") == 1 and told.startswith("all 110 done"), "-q: the verdict alone"
    identifier = json.loads(here("trigger", *LANE, "--json").out)["id"]
    said = here("approve", identifier, *LANE, "--as", "olga", "--out", "olga.json").out
    assert "hwplan trigger --node D601 --lane v03" in said.splitlines()[-1]
    here("approve", identifier, "--as", "ivan", "--out", "ivan.json")
    refused = here("trigger", *LANE, "--approved-by", "olga.json", "--confirm", code=3).err
    assert "1 of 2 approvals for D601/v03" in refused
    both = ("--approved-by", "olga.json", "--approved-by", "ivan.json")
    twice = here("trigger", *LANE, *both, "--plan-id", identifier, "--confirm", code=1).err
    assert "--approved-by goes without --plan-id" in twice
    assert "all 5 done" in here("trigger", *LANE, *both, "--confirm", "-q").out
    moved = here("trigger", *LANE, *both, "--confirm", code=3).err
    assert "run was in it, and is not wanted any more" in moved
    here("restart", *LANE, "--target", "Deployment/hwlab-v03/openfga", *both, "--confirm", code=3)


def test_an_undo_takes_approvals_by_the_rules_of_the_lane_of_its_run(tmp_path: Path) -> None:
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    lanes = tmp_path / "config" / "hwlab-node-lanes.yaml"
    lanes.write_text(lanes.read_text().replace("approvals: {quorum: 0}", "approvals: {quorum: 1, people: [olga]}"))
    Hwplan(tmp_path, ())("sandbox", "create", "box", *LANE)
    here = Hwplan(tmp_path, ("--live", "box"))
    here("apply", *LANE, "--scope", "infra", "--confirm")
    identifier = json.loads(here("undo", "1", "--json").out)["id"]
    for who in ("mallory", "olga"):
        here("approve", identifier, "--as", who, "--out", f"{who}.json")
    refused = here("undo", "1", "--approved-by", "mallory.json", "--confirm", code=3).err
    assert "0 of 1 approvals for D601/v03" in refused and "mallory may not approve here" in refused
    here("approve", "f" * 32, "--as", "olga", "--out", "other.json")
    here("undo", "1", "--approved-by", "other.json", "--confirm", "--allow", "mass-delete", code=3)
    assert here.plan(*LANE, "--scope", "infra")["changes"] == [], "nothing was written"
    here("undo", "1", "--approved-by", "olga.json", "--confirm", "--allow", "mass-delete")
    assert here.plan(*LANE, "--scope", "infra")["summary"]["create"] > 0
