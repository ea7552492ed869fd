"""What the command line takes from the configuration before a verb runs: its folder, and the words that complete."""

from __future__ import annotations

import os
from pathlib import Path

import click


def config_dir(given: str | None) -> Path:
    """The configuration folder: --config, HWPLAN_CONFIG, ./config, or the one shipped with the package."""
    named = given or os.environ.get("HWPLAN_CONFIG")
    if named:
        return Path(named)
    local = Path("config")
    if local.is_dir():
        return local
    package = Path(__file__).parent.parent
    shipped = package / "shipped" / "config"
    return shipped if shipped.is_dir() else package.parent / "config"


def candidates(ctx: click.Context, what: str) -> list[str]:
    """Words for an option: nodes, lanes, products, scopes or addresses. Empty when the configuration is broken."""
    from planner.app.words import known_words
    from planner.errors import HwplanError

    try:
        return known_words(config_dir(ctx.params.get("config")), what)
    except (HwplanError, OSError):
        return []
