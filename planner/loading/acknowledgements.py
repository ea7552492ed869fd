"""The file of acknowledged drift: what somebody accepts, why, and until when. Every problem at once, with its line.

    - address: Deployment.apps/shop/api     # a glob, as for --target
      fields: [spec.replicas]               # left out: all drift of the object, its deletion included
      reason: the autoscaler is being tried out
      expires: "2026-12-31"                 # the last day on which it holds, UTC

Reads one file and knows no clock: whether an entry still holds is decided by planner.planning.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, StringConstraints, ValidationError

from planner.drift import Acknowledgement
from planner.errors import SelectionError
from planner.loading.model_problems import report_errors
from planner.loading.origin import InputText, Origin
from planner.loading.problems import Problems
from planner.loading.yaml_source import CONFIG, decode_text, load_documents
from planner.path import parse
from planner.spec.base import Model, Text


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise ValueError('expected a day in quotes: "2026-12-31"')
    return text


def _path(text: str) -> str:
    try:
        parse(text)
    except ValueError:
        raise ValueError("expected a field path as plans show it: spec.containers[name=api].image") from None
    return text


def _glob(text: str) -> str:
    if "/" not in text:
        raise ValueError("expected an address or a glob of addresses: Kind.group/namespace/name")
    return text


_Address: TypeAlias = Annotated[str, StringConstraints(max_length=1024), AfterValidator(_glob)]
_Day: TypeAlias = Annotated[str, StringConstraints(max_length=20), AfterValidator(_day)]
_Path: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_path)]


class Entry(Model):
    """One acknowledgement as it is written down."""

    address: _Address
    reason: Text
    expires: _Day
    fields: tuple[_Path, ...] = ()


def load_acknowledgements(file: Path) -> tuple[Acknowledgement, ...]:
    """The entries of a file, in its order. Raises ConfigError with every problem, SelectionError without a file."""
    try:
        data = file.read_bytes()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise SelectionError(f"{file}: {reason}", where="--ack", remedy="name a file of acknowledgements") from None
    name = str(file)
    documents = load_documents(data, name, CONFIG)
    text = InputText(name, decode_text(data, name, CONFIG))
    problems = Problems()
    found: list[Acknowledgement] = []
    for index, document in enumerate(documents):
        if document.value is not None:
            found += _entries(document.value, Origin(text, index, document.line), problems)
    problems.raise_any()
    return tuple(found)


def _entries(value: Any, origin: Origin, problems: Problems) -> list[Acknowledgement]:
    if not isinstance(value, list):
        origin.problem(problems, (), "expected a list of acknowledgements", "each with address, reason and expires")
        return []
    found: list[Acknowledgement] = []
    for index, item in enumerate(value):
        if (entry := _entry(item, origin, index, problems)) is not None:
            paths = tuple(parse(path) for path in entry.fields)
            found.append(Acknowledgement(entry.address, entry.reason, entry.expires, paths, origin.at((index,))))
    return found


def _entry(item: Any, origin: Origin, index: int, problems: Problems) -> Entry | None:
    try:
        return Entry.model_validate(item)
    except ValidationError as error:
        report_errors(error, Entry, item, lambda at, *words: origin.problem(problems, (index, *at), *words))
        return None
