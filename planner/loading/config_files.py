"""Where a configuration stands on the disk: its files, and the templates that go with it."""

from __future__ import annotations

from pathlib import Path

from planner.drift import ACKNOWLEDGEMENTS
from planner.errors import SelectionError
from planner.shipped_files import TEMPLATES

_NOT_CONFIG = frozenset({"manifests", "schema", "templates", "secrets"})  # subfolders that hold something else
_MOST_FILES = 200


def config_files(folder: Path) -> list[Path]:
    """The files of a configuration, in their order. Raises SelectionError where there is none, or far too many."""
    if not folder.is_dir():
        raise SelectionError(
            f"no configuration folder {folder}", where="--config", remedy="make one with: hwplan init, or name one"
        )
    found = [*folder.glob("*.yaml"), *folder.glob("*/*.yaml")]
    inside = (file for file in found if file.parent == folder or file.parent.name not in _NOT_CONFIG)
    files = sorted(file for file in inside if file.name != ACKNOWLEDGEMENTS)
    if not files:
        raise SelectionError(f"{folder} holds no *.yaml", where="--config", remedy="make a start with: hwplan init")
    if len(files) > _MOST_FILES:
        raise SelectionError(
            f"{folder} holds more than {_MOST_FILES} files", where="--config", remedy="name another folder"
        )
    return files


def templates_root(folder: Path) -> Path:
    """The root of the templates that go with a configuration: inside it, beside it, or those shipped with hwplan."""
    for candidate in (folder / "templates", folder.resolve().parent / "templates"):
        if candidate.is_dir():
            return candidate
    return TEMPLATES
