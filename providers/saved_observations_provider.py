"""What is on record of other systems than the cluster: written when a snapshot is saved, read back instead of asking.

A plan against a snapshot must ask nobody. What was seen of a resource is believed only for the very document that it
was seen for; anything else is unreadable, and says so. Owns the JSON form of the records, not the file they are in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, assert_never

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.plan import Change, VerifiedBy
from planner.plan_document import field_change_document
from planner.plan_from_document import parse_field_change
from planner.ports import (
    AbsentObject,
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
from planner.values import (
    Json,
    JsonObject,
    JsonValue,
    SealedSecret,
    Vault,
    decode_special_leaves,
    document_digest,
    encode_special_leaves,
    outputs_in_document,
)


def observation_records_to_save(
    resources: Collection[Resource],
    observations: Mapping[Address, Observation],
    previews: Mapping[Address, Preview],
) -> JsonObject:
    """Make the records to save of what was seen and predicted of `resources`, as `SavedObservationsProvider` takes
    it."""
    return {
        _key(resource): {
            "address": str(resource.address),
            "scope": resource.scope,
            "observation": _observation_document(observations[resource.address]),
            "preview": _preview_document(previews[resource.address]) if resource.address in previews else None,
        }
        for resource in resources
        if resource.address in observations
    }


@dataclass(frozen=True, slots=True)
class SavedObservationsProvider:
    """Answers with saved observations instead of asking (planner.ports.Provider). Answers for every hwplan kind, from
    the records; writes nothing."""

    rows: Mapping[str, JsonObject]

    def declared(self) -> list[tuple[Address, str]]:
        """What was declared when the snapshot was saved, with its scope."""
        return sorted((Address.parse(row["address"]), str(row["scope"])) for row in self.rows.values())

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider."""
        return ReadResult({resource.address: self._observe(resource) for resource in wanted})

    def _observe(self, resource: Resource) -> Observation:
        row = self.rows.get(_key(resource))
        if row is not None:
            return _read_observation(resource.address, row["observation"])
        if outputs_in_document(resource.manifest["spec"]):
            return AbsentObject(resource.address)  # it comes again when they are filled in
        return UnreadableObject(
            resource.address, "not in the snapshot: it holds what was seen of another declaration, or none"
        )

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider."""
        return {resource.address: self._preview(resource) for resource, _ in items}

    def _preview(self, resource: Resource) -> Preview:
        row = self.rows.get(_key(resource))
        if row is None or row["preview"] is None:
            return Preview(PreviewEffect.NONE, blocked="not in the snapshot")
        return _read_preview(row["preview"])

    def apply(self, change: Change, vault: Vault) -> Written:
        """Always raises PermanentError."""
        raise PermanentError("a snapshot of other systems cannot be written", where=str(change.address))

    def delete(self, change: Change) -> Written:
        """Always raises PermanentError."""
        raise PermanentError("a snapshot of other systems cannot be written", where=str(change.address))

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """Nothing is waited for."""
        return {change.address: Readiness(done=True, ok=True) for change in changes}


def _key(resource: Resource) -> str:
    return document_digest([str(resource.address), encode_special_leaves(_without_secrets(resource.manifest))])


def _without_secrets(value: JsonValue) -> Json:
    """The document without what only those know who have the secrets: it names them elsewhere."""
    match value:
        case dict():
            return {key: _without_secrets(item) for key, item in value.items()}
        case list():
            return [_without_secrets(item) for item in value]
        case SealedSecret():
            return None
        case _:
            return value


def _observation_document(seen: Observation) -> JsonObject:
    match seen:
        case PresentObject():
            return {
                "present": {
                    "uid": seen.uid,
                    "content": str(seen.content),
                    "outputs": encode_special_leaves(seen.outputs),
                }
            }
        case AbsentObject():
            return {"absent": True}
        case UnreadableObject(reason=reason):
            return {"unreadable": reason}
        case _ as never:
            assert_never(never)


def _read_observation(address: Address, row: JsonObject) -> Observation:
    if "unreadable" in row:
        return UnreadableObject(address, row["unreadable"])
    if "absent" in row:
        return AbsentObject(address)
    found = row["present"]
    return PresentObject(address, found["uid"], found["content"], outputs=decode_special_leaves(found["outputs"]))


def _preview_document(preview: Preview) -> JsonObject:
    causes = None if preview.on_change is None else [str(cause) for cause in preview.on_change]
    return {
        "effect": str(preview.effect),
        "fields": [field_change_document(one) for one in preview.fields],
        "verified": str(preview.verified),
        "desired": encode_special_leaves(preview.desired),
        "expects": preview.expects,
        "blocked": preview.blocked,
        "evidence": preview.evidence,
        "remedy": preview.remedy,
        "outputs": encode_special_leaves(preview.outputs),
        "warnings": list(preview.warnings),
        "awaiting": preview.awaiting,
        "onChange": causes,
        "lacks": [str(one) for one in preview.lacks],
    }


def _read_preview(row: Any) -> Preview:
    causes = row["onChange"]
    return Preview(
        PreviewEffect(row["effect"]),
        fields=tuple(parse_field_change(one) for one in row["fields"]),
        verified=VerifiedBy(row["verified"]),
        desired=decode_special_leaves(row["desired"]),
        expects=row["expects"],
        blocked=row["blocked"],
        evidence=row["evidence"],
        remedy=row["remedy"],
        outputs=decode_special_leaves(row["outputs"]),
        warnings=tuple(row["warnings"]),
        awaiting=row["awaiting"],
        on_change=None if causes is None else tuple(Address.parse(cause) for cause in causes),
        lacks=tuple(Address.parse(one) for one in row.get("lacks", ())),
    )
