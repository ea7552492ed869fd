"""Adopting drift: what lives becomes what the configuration says, as a patch of its YAML. Writes files only on request.

Nothing is written to a cluster or to the state, and never a secret: a sensitive field is refused before its value gets
anywhere near a patch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from planner.app.drift_report import detect_drift
from planner.app.load_desired import load_configuration
from planner.app.request import Request
from planner.drift import DriftState, ObjectDrift
from planner.drift_adoption import ConfigurationPatch, DriftAdoption, FieldToAdopt
from planner.errors import RefusedError, SelectionError
from planner.field_path import FieldPath
from planner.plan import FieldChange, FieldOp
from planner.redaction.redactor import REDACTOR
from planner.render.drift_fields import drifted_fields, undeclared_drift_fields
from planner.values import JsonValue, SealedSecret, value_leaves
from planner.whole_file import write_whole_file

_SECRETIVE = re.compile(r"token|passw|secret|credential|api[-_]?key|private[-_]?key", re.IGNORECASE)
_USER_INFO = re.compile(r"://[^/\s@]+@")
_REFUSED = "a secret never gets into YAML: change it where its source is"


def make_drift_adoption_patch(
    request: Request, address: str, acknowledgements: Path | None, ignore: Path | None
) -> DriftAdoption:
    """The patch of the configuration that declares the live values of the drifted objects matching `address`.
    Nothing is written.

    Raises SelectionError when nothing matches, ConfigError, StateError and ProviderError as a drift report does.
    """
    from planner.loading.drift_adoption.adopt_fields import adopt_live_fields

    if request.plain or request.name:
        raise SelectionError(
            "only a product has keys that feed its fields", where="--adopt", remedy="change the manifest itself"
        )
    report = detect_drift(request, acknowledgements, ignore)
    rows = [row for row in report.rows if row.address.matches(address)]
    if not rows:
        raise SelectionError(f"nothing declared matches {address}", where="--adopt", remedy="see: hwplan drift -v")
    wanted = [one for row in rows for one in _live_fields(row)]
    return adopt_live_fields(load_configuration(request), report.selection, wanted)


def write_configuration_patch(patch: ConfigurationPatch) -> None:
    """Write the files of a patch, each whole or not at all. Raises RefusedError when one changed meanwhile."""
    for file, before in patch.before.items():
        if file.read_bytes() != before:
            raise RefusedError(f"{file.name} changed meanwhile", where="--adopt", remedy="run the command again")
    for file, after in patch.after.items():
        write_whole_file(file, after, mode=file.stat().st_mode & 0o777)


def _live_fields(row: ObjectDrift) -> Iterator[FieldToAdopt]:
    if row.state in (DriftState.INCOMPLETE, DriftState.PENDING, DriftState.IN_SYNC):
        if row.state is DriftState.INCOMPLETE:
            yield FieldToAdopt(row.address, (), None, f"it could not be determined: {row.reason}", row.source)
        return
    declared = [one for one in drifted_fields(row) if one.op is not FieldOp.DISOWN]
    if not declared and not row.undeclared and row.state is DriftState.DRIFTED:
        yield FieldToAdopt(row.address, (), None, f"{row.reason or 'gone'}: no value of a key says that", row.source)
    for change in declared:
        yield _live_field(row, change)
    for change in undeclared_drift_fields(row):
        yield FieldToAdopt(row.address, change.path, None, "nobody declared it: no template renders it", row.source)


def _live_field(row: ObjectDrift, change: FieldChange) -> FieldToAdopt:
    """One field: a plan goes from what lives (`before`) to what is declared (`after`)."""
    if change.sensitive or _is_secret(change.path, change.before):
        return FieldToAdopt(row.address, change.path, None, _REFUSED, row.source)
    if change.op is not FieldOp.CHANGE:
        gone = change.op is FieldOp.ADD
        reason = "it was removed by hand, and no value of a key removes it" if gone else "no template renders it"
        return FieldToAdopt(row.address, change.path, None, reason, row.source)
    return FieldToAdopt(row.address, change.path, change.before, source=row.source)


def _is_secret(path: FieldPath, value: JsonValue) -> bool:
    """Whether a value is a secret, is known to be one, or stands where one would stand."""
    for _, leaf in value_leaves(value):
        if isinstance(leaf, SealedSecret):
            return True
        if isinstance(leaf, str) and (REDACTOR.clean(leaf) != leaf or _USER_INFO.search(leaf)):
            return True
    words = [str(part) for part in path]
    holds_text = words[-1:] == ["value"] or words[:1] in (["data"], ["stringData"])
    return holds_text and any(_SECRETIVE.search(word) for word in words)
