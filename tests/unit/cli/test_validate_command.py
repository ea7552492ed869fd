"""`validate`: files that look like templates and are not read are named; the JSON form holds problems too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from planner.cli.main import run_command_line as run
from planner.loading import config

ROOT = Path(__file__).parents[3]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The shipped configuration with its templates, to be broken."""
    for name in ("config", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", ["more.yml.j2", "more.yaml", "more.j2", "more.tpl"])
def test_a_template_with_another_suffix_is_named(name: str, copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copied / "templates" / "hwlab" / "infra" / name).write_text("kind: ConfigMap\n")
    assert run(["validate", "--config", str(copied / "config"), "--node", "D601", "--lane", "v03", "--json"]) == 0
    reported = json.loads(capsys.readouterr().out)
    assert reported["warnings"] == [f"templates/hwlab/infra/{name} is not read: templates end in .yaml.j2"]
    assert reported["valid"] and reported["resources"] > 100


def test_problems_as_json(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = copied / "templates" / "hwlab" / "infra" / "99-broken.yaml.j2"
    file.write_text("apiVersion: v1\nkind: ConfigMap\n")
    assert run(["validate", "--config", str(copied / "config"), "--node", "D601", "--lane", "v03", "--json"]) == 1
    reported = json.loads(capsys.readouterr().out)
    assert not reported["valid"]
    assert {one["file"] for one in reported["problems"]} == {"templates/hwlab/infra/99-broken.yaml.j2"}


def test_the_configuration_is_read_once_for_all_selections(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nine nodes of products are checked; to read it for each was a tenth of the time."""
    read: list[Path] = []
    load = config.load_config

    def counted(folder: Path, *given: Any, **named: Any) -> config.Config:
        read.append(folder)
        return load(folder, *given, **named)

    monkeypatch.setattr(config, "load_config", counted)
    assert run(["validate", "--config", str(ROOT / "config")]) == 0
    assert capsys.readouterr().out.count(" resources") > 5 and len(read) == 1, read
