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
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, StringConstraints

from planner.drift import DriftAcknowledgement
from planner.field_path import parse_path
from planner.loading.entry_list_file import load_entry_list_file
from planner.spec.base import StrictModel, Text


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
        parse_path(text)
    except ValueError:
        raise ValueError("expected a field path as plans show it: spec.containers[name=api].image") from None
    return text


def _glob(text: str) -> str:
    if "/" not in text:
        raise ValueError("expected an address or a glob of addresses: Kind.group/namespace/name")
    return text


_Address: TypeAlias = Annotated[str, StringConstraints(max_length=1024), AfterValidator(_glob)]
_Day: TypeAlias = Annotated[str, StringConstraints(max_length=20), AfterValidator(_day)]
FieldName: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=1024), AfterValidator(_path)]


class DriftAcknowledgementEntry(StrictModel):
    """One acknowledgement as it is written down."""

    address: _Address
    reason: Text
    expires: _Day
    fields: tuple[FieldName, ...] = ()


def load_drift_acknowledgements(file: Path) -> tuple[DriftAcknowledgement, ...]:
    """The entries of a file, in its order. Raises ConfigError with every problem, SelectionError without a file."""
    return tuple(
        DriftAcknowledgement(entry.address, entry.reason, entry.expires, tuple(map(parse_path, entry.fields)), source)
        for entry, source in load_entry_list_file(
            file, DriftAcknowledgementEntry, what="acknowledgements", option="--ack"
        )
    )
