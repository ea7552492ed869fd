"""The canned answers of a sandbox, for providers that have nobody to ask there: one file, a list for each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from planner.errors import PermanentError
from planner.values import Json, JsonObject

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


def read_canned_answers(
    path: Path, part: str, read: Callable[[JsonObject], tuple[_Key, _Answer]], *, fields: str
) -> Mapping[_Key, _Answer]:
    """The list `part` of the file, each row as `read` understands it; nothing when there is no file or no such list.

    Raises PermanentError with the line where it is no YAML, or the row that lacks one of its `fields`.
    """
    answers = {}
    for index, row in enumerate(_rows(path, part)):
        try:
            key, answer = read(row)
        except (AttributeError, KeyError, TypeError, ValueError):
            where = f"{path.name}: {part}[{index}]"
            raise PermanentError("this canned answer is incomplete", where=where, remedy=f"write {fields}") from None
        answers[key] = answer
    return answers


def _rows(path: Path, part: str) -> list[Json]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(path.read_text()) if path.exists() else None
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        problem = error.problem or "it is no YAML"
        raise _unreadable(f"{path.name}{line}", problem) from None
    except (OSError, YAMLError, ValueError, TypeError, RecursionError):  # TypeError: a map as a key
        raise _unreadable(path.name, "it is no YAML") from None
    if document is not None and not isinstance(document, dict):
        raise _unreadable(path.name, "it is no mapping")
    rows = (document or {}).get(part) or []
    if not isinstance(rows, list):
        raise _unreadable(path.name, f"{part} is no list")
    return rows


def _unreadable(where: str, problem: str) -> PermanentError:
    return PermanentError(f"the canned answers of the sandbox cannot be read: {problem}", where=where)
