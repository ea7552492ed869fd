"""Where the files are that come with hwplan beside its code: in a checkout as in an installed package. Reads none."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent
TEMPLATES: Final = _PACKAGE.parent / "templates"


def shipped_config_folder() -> Path:
    """The folder with the configuration of products that is shipped with hwplan."""
    installed = _PACKAGE / "shipped" / "config"
    return installed if installed.is_dir() else _PACKAGE.parent / "config"
