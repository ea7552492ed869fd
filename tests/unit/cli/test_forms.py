"""Answers as JSON or YAML: the same document, whatever the option is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from planner.cli.main import run_command_line as run

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\ndata: {k: v}\n"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(list(words)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [("explain",), ("explain", "GitRef"), ("why", "ConfigMap/default/a"), ("impact", "ConfigMap/*/a")]
)
def test_one_document_by_any_name(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(MANIFEST)
    plain = ("-f", "a.yaml", "--name", "x") if words[0] in ("why", "impact") else ()
    reported = json.loads(said(capsys, *words, *plain, "--json"))
    assert reported["schemaVersion"] == 1
    for option in (("-o", "json"), ("-ojson",), ("--output", "json"), ("--format", "json")):
        assert json.loads(said(capsys, *words, *plain, *option)) == reported
    assert YAML(typ="safe").load(said(capsys, *words, *plain, "-o", "yaml")) == reported


def test_explain_alone_lists_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    listed = {line.split()[0] for line in said(capsys, "explain").splitlines() if "  " in line}
    assert {"GitRef", "RegistryImage", "Restart", "Node", "Lane"} <= listed
    assert listed == set(json.loads(said(capsys, "explain", "--json"))["kinds"])
