"""The provider of Note: see planner.ports.Provider for what each method promises."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hwplan_note.shelf import Sheet, locked, look, put
from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.errors import PermanentError, PreconditionError
from planner.plan import Change, FieldChange, FieldOp, VerifiedBy
from planner.ports import (
    AbsentObject,
    NeverDeletes,
    Observation,
    PresentObject,
    Preview,
    PreviewEffect,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import JsonObject, OutputRef, OutputTemplate, SealedSecret, Vault


@dataclass(frozen=True, slots=True)
class NoteProvider(NeverDeletes):
    """Notes in the folder `shelf`. `reveal` gives the value of a sealed leaf."""

    shelf: Path
    reveal: Callable[[SealedSecret, Vault], bytes] = field(repr=False)

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """One look at each file."""
        return ReadResult({one.address: self._observe(one.address) for one in wanted})

    def _observe(self, address: Address) -> Observation:
        try:
            sheet = look(self._path(address))
        except PermanentError as error:
            return UnreadableObject(address, f"{error.message} ({error.where})")
        if sheet is None:
            return AbsentObject(address)
        return PresentObject(address, "", sheet.digest, _shown(sheet), outputs=_outputs(sheet))

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """What changes, field by field."""
        return {
            one.address: _preview(one.manifest["spec"], seen)
            for one, seen in items
            if not isinstance(seen, UnreadableObject)
        }

    def apply(self, change: Change, vault: Vault) -> Written:
        """Write the note, or find it written."""
        spec = (change.desired or {})["spec"]
        sheet, leaf = _sheet(spec), _leaf(spec)
        if change.expects not in ("", sheet.digest):
            raise PreconditionError("the note is not the one that was planned", where=str(change.address))
        with locked(self.shelf):
            path = self._path(change.address)
            now = look(path)
            if now == sheet:
                return Written("", _outputs(sheet), already=True)
            seen = change.precondition
            if (now is None) is not seen.absent or (now is not None and now.digest != seen.content):
                raise PreconditionError("the note is not as the plan saw it", where=str(change.address))
            put(path, sheet, self.reveal(leaf, vault) if leaf else b"")
        return Written("", _outputs(sheet))

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """A note that is written is there."""
        return {one.address: Readiness(done=True, ok=True) for one in changes}

    def _path(self, address: Address) -> Path:
        return self.shelf / f"{address.name}.json"


def _preview(spec: JsonObject, seen: Observation) -> Preview:
    before = seen.value if isinstance(seen, PresentObject) and seen.value else {}
    effect = PreviewEffect.UPDATE if before else PreviewEffect.CREATE
    leaf = _leaf(spec)
    if leaf is not None and not leaf.fingerprint:
        return Preview(
            effect, blocked=f"the value of {leaf.ref} is not known yet", remedy="declare its Secret in the same stack"
        )
    if isinstance(spec["text"], OutputRef | OutputTemplate):  # an output of something that is not applied yet
        return Preview(effect, tuple(_fields(before, {**_shown(_sheet({**spec, "text": ""})), "text": spec["text"]})))
    sheet = _sheet(spec)
    if isinstance(seen, PresentObject) and seen.content == sheet.digest:
        return Preview(PreviewEffect.NONE, verified=VerifiedBy.SERVER, outputs=_outputs(sheet))
    fields = tuple(_fields(before, _shown(sheet)))
    return Preview(effect, fields, VerifiedBy.SERVER, expects=sheet.digest, outputs=_outputs(sheet))


def _fields(before: JsonObject, after: JsonObject) -> list[FieldChange]:
    return [
        FieldChange(
            (name,), FieldOp.CHANGE if before.get(name) else FieldOp.ADD, before.get(name), value,
            sensitive=name == "signature",
        )
        for name, value in after.items()
        if value and value != before.get(name)
    ]  # fmt: skip


def _sheet(spec: JsonObject) -> Sheet:
    leaf = _leaf(spec)
    return Sheet(str(spec["text"]), str(spec.get("color", "yellow")), leaf.fingerprint if leaf else "")


def _leaf(spec: JsonObject) -> SealedSecret | None:
    found = (spec.get("signature") or {}).get("value")
    return found if isinstance(found, SealedSecret) else None


def _shown(sheet: Sheet) -> JsonObject:
    return {"text": sheet.text, "color": sheet.color, "signature": sheet.signature}


def _outputs(sheet: Sheet) -> JsonObject:
    return {"digest": sheet.digest, "length": len(sheet.text)}
