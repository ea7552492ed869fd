"""The canned answers of a sandbox, for providers that have nobody to ask there: one file, a list for each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from planner.errors import PermanentError
from planner.values import JsonObject

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


def read_answers(
    path: Path, part: str, read: Callable[[JsonObject], tuple[_Key, _Answer]], *, fields: str
) -> Mapping[_Key, _Answer]:
    """The list `part` of the file, each row as `read` understands it; nothing when there is no file or no such list.

    Raises PermanentError, which names the `fields` of a row, when it cannot be read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(path.read_text()) if path.exists() else None
        return dict(read(row) for row in (document or {}).get(part) or ())
    except (OSError, YAMLError, AttributeError, KeyError, TypeError, ValueError):
        raise PermanentError(
            "the canned answers of the sandbox cannot be read", where=path.name, remedy=f"{part}: a list of {fields}"
        ) from None
