"""The table from imperative commands to verbs names only what is there (A16)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from planner.cli.verbs import VERBS

DOCS = Path(__file__).parent.parent.parent.parent / "docs"
FORMER = (
    "codex-pool validate", "codex-pool expose", "codex-pool configure-local", "wechat-archive pull",
    "wechat-archive wcf-host-status", "wechat-archive collector-plan", "collector-apply", "collector-status",
)  # fmt: skip


def test_a16_each_former_verb_has_its_row() -> None:
    text = (DOCS / "commands.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for former in FORMER:
        assert [row for row in rows if f"`{former}" in row], former
    assert "`hwplan validate` means the files" in text


@pytest.mark.parametrize("page", ["commands.md", "products.md"])
def test_a16_every_verb_that_the_tables_name_exists(page: str) -> None:
    named = set(re.findall(r"`hwplan ([a-z-]+)", (DOCS / page).read_text()))
    assert named and named <= set(VERBS), named - set(VERBS)
