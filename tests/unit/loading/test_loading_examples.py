"""The documents in the pages of docs/ are in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.loading.fakes import ROOT, manifests

DOCS = ROOT / "docs"
EXAMPLES = {
    f"{page.name}-{number}": text
    for page in sorted(DOCS.glob("*.md"))
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL), 1)
    if "apiVersion: hwplan.dev/v1" in text
}


def test_there_are_some() -> None:
    assert {name.rpartition("-")[0] for name in EXAMPLES} >= {"images.md", "rest-objects.md", "runs.md"}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_in_order(name: str, tmp_path: Path) -> None:
    assert manifests(EXAMPLES[name], tmp_path).resources
