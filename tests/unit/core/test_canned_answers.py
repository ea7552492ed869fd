"""The canned answers of a sandbox are edited by hand: what is wrong in them is named by line or by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.errors import PermanentError
from planner.values import JsonObject
from providers.canned_answers import read_canned_answers


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("probes: []\nprobes: []\n", "probes.yaml:2", 'found duplicate key "probes"'),
        ("probes:\n  - {url: a\n", "probes.yaml:3", "but got"),
        ("- a\n", "probes.yaml", "it is no mapping"),
        ("probes: {url: a}\n", "probes.yaml", "probes is no list"),
        ("probes: [{url: a}, {uri: b}]\n", "probes.yaml: probes[1]", "this canned answer is incomplete"),
        ("probes: [a]\n", "probes.yaml: probes[0]", "this canned answer is incomplete"),
        ("probes: \x00\n", "probes.yaml", "it is no YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, where: str, message: str) -> None:
    (tmp_path / "probes.yaml").write_text(text)
    with pytest.raises(PermanentError) as caught:
        read_canned_answers(tmp_path / "probes.yaml", "probes", _row, fields="url")
    assert caught.value.where == where and message in caught.value.message


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n", "probes:\n", "other: [1]\n"])
def test_no_file_and_no_list_are_no_answers(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "probes.yaml").write_text(text)
    assert read_canned_answers(tmp_path / "probes.yaml", "probes", _row, fields="url") == {}


def _row(row: JsonObject) -> tuple[str, str]:
    return str(row["url"]), str(row.get("body", ""))
