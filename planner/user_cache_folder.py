"""Where what can be made again is retained: one folder of the user for all commands. Owns the place, and no content."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache_folder(part: str) -> Path:
    """`$XDG_CACHE_HOME/hwplan/<part>`, or the same under ~/.cache (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "hwplan" / part
