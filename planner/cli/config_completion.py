"""What the command line takes from the configuration before a verb runs: its folder, and the words that complete."""

from __future__ import annotations

import os
from pathlib import Path

import click

from planner.shipped_files import shipped_config_folder


def find_configuration_folder(given: str | None) -> Path:
    """Find the configuration folder: --config, HWPLAN_CONFIG, ./config, or the one shipped with the package."""
    named = given or os.environ.get("HWPLAN_CONFIG")
    if named:
        return Path(named)
    local = Path("config")
    return local if local.is_dir() else shipped_config_folder()


def completion_candidates(ctx: click.Context, what: str) -> list[str]:
    """Words for an option: nodes, lanes, products, scopes or addresses. Empty when the configuration is broken."""
    from planner.app.completion_values import completion_words
    from planner.errors import HwplanError

    try:
        return completion_words(
            find_configuration_folder(ctx.params.get("config")), what, tuple(ctx.params.get("nodes") or ())
        )
    except (HwplanError, OSError):
        return []
