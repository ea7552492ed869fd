"""Where what can be made again is retained: one folder of the user for all commands. Owns the place, and no content."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache_folder(part: str) -> Path:
    """`$XDG_CACHE_HOME/hwplan/<part>`, or the same under ~/.cache (XDG Base Directory Specification).

    For a user without a home (a pod with any number as user) it is a folder that cannot be made: nothing is retained.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if base.startswith("/"):
        return Path(base) / "hwplan" / part
    try:
        return Path.home() / ".cache" / "hwplan" / part
    except RuntimeError:
        return Path(os.devnull) / "hwplan" / part
