"""What other systems than the cluster looked like when a snapshot was saved: read back instead of asking them.

A plan against a snapshot must ask nobody. What was seen of a resource is believed only for the very document that it
was seen for; anything else is unreadable, and says so. Of the sources of secrets there are keyed fingerprints.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, assert_never

from planner.address import Address
from planner.errors import PermanentError
from planner.loading.recorded_secrets import KEY_CHECK, RecordedSecrets, inline_of
from planner.plan import Change, Verified
from planner.plan_document import field_document, read_field
from planner.ports import (
    Absent,
    Effect,
    Fingerprinter,
    Observation,
    Present,
    Preview,
    Readiness,
    ReadResult,
    Unreadable,
    Written,
)
from planner.resource import Resource
from planner.snapshot import KindPlace
from planner.values import Json, JsonObject, Sealed, Vault, decode, digest, encode, open_outputs
from providers.kubernetes.snapshot.layout import CLUSTER_FOLDER
from providers.kubernetes.snapshot.store import SYSTEMS_FILE, systems_of

SCHEMA_VERSION = 1


def records(
    resources: Collection[Resource],
    observations: Mapping[Address, Observation],
    previews: Mapping[Address, Preview],
    secrets: JsonObject,
) -> JsonObject:
    """What was seen and predicted of `resources`, and what `secret_records` says of their secrets."""
    rows = {
        _key(resource): {
            "address": str(resource.address),
            "scope": resource.scope,
            "observation": _observation_document(observations[resource.address]),
            "preview": _preview_document(previews[resource.address]) if resource.address in previews else None,
        }
        for resource in resources
        if resource.address in observations
    }
    return {"schemaVersion": SCHEMA_VERSION, "secrets": secrets, "resources": rows}


def secret_records(fingerprints: Mapping[str, str], inline: Vault, fingerprinter: Fingerprinter) -> JsonObject:
    """The `fingerprints` of the sources of secrets by reference, and how values in templates are recognized again.

    `key` is there to tell whether a fingerprint of another machine was made with the same key.
    """
    key = fingerprinter.fingerprint(KEY_CHECK)
    return {"key": key, "sources": dict(fingerprints), "inline": inline_of(inline, fingerprinter, key)}


def is_snapshot(live: Path | None) -> TypeGuard[Path]:
    """Whether `--live` names a saved cluster, of which other systems are recorded, and no sandbox, which has them."""
    if live is None:
        return False
    return not (live / CLUSTER_FOLDER).is_dir() or (live / SYSTEMS_FILE).is_file()


def open_records(live: Path) -> RecordedProvider:
    """The provider over the records of a snapshot; without any it knows nothing. Raises PermanentError for damaged
    ones."""
    return RecordedProvider(_part(live, "resources"))


def recorded_secrets(live: Path, fingerprinter: Fingerprinter) -> RecordedSecrets:
    """What the snapshot knows of secrets. Raises PermanentError for damaged records."""
    found = _part(live, "secrets")
    key = found.get("key")
    same = key is None or key == fingerprinter.fingerprint(KEY_CHECK)
    return RecordedSecrets(found.get("sources", {}), same, found.get("inline", {}), str(key))


def _part(live: Path, name: str) -> JsonObject:
    found = (systems_of(live) or {}).get(name, {})
    if not isinstance(found, dict):
        raise PermanentError("the records of the snapshot are damaged", where=str(live), remedy="save it again")
    return found


@dataclass(frozen=True, slots=True)
class RecordedProvider:
    """See planner.ports.Provider. Answers for every hwplan kind, from the records; writes nothing."""

    rows: Mapping[str, JsonObject]

    def declared(self) -> list[tuple[Address, str]]:
        """What was declared when the snapshot was saved, with its scope."""
        return sorted((Address.parse(row["address"]), str(row["scope"])) for row in self.rows.values())

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindPlace]) -> ReadResult:
        """See Provider."""
        return ReadResult({resource.address: self._observe(resource) for resource in wanted})

    def _observe(self, resource: Resource) -> Observation:
        row = self.rows.get(_key(resource))
        if row is not None:
            return _read_observation(resource.address, row["observation"])
        if open_outputs(resource.manifest["spec"]):
            return Absent(resource.address)  # it comes again when they are filled in
        return Unreadable(
            resource.address, "not in the snapshot: it holds what was seen of another declaration, or none"
        )

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider."""
        return {resource.address: self._preview(resource) for resource, _ in items}

    def _preview(self, resource: Resource) -> Preview:
        row = self.rows.get(_key(resource))
        if row is None or row["preview"] is None:
            return Preview(Effect.NONE, blocked="not in the snapshot")
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
    return digest([str(resource.address), encode(_without_secrets(resource.manifest))])


def _without_secrets(value: Json) -> Json:
    """The document without what only those know who have the secrets: it names them elsewhere."""
    match value:
        case dict():
            return {key: _without_secrets(item) for key, item in value.items()}
        case list():
            return [_without_secrets(item) for item in value]
        case Sealed():
            return None
        case _:
            return value


def _observation_document(seen: Observation) -> JsonObject:
    match seen:
        case Present():
            return {"present": {"uid": seen.uid, "content": seen.content, "outputs": encode(seen.outputs)}}
        case Absent():
            return {"absent": True}
        case Unreadable(reason=reason):
            return {"unreadable": reason}
        case _ as never:
            assert_never(never)


def _read_observation(address: Address, row: JsonObject) -> Observation:
    if "unreadable" in row:
        return Unreadable(address, row["unreadable"])
    if "absent" in row:
        return Absent(address)
    found = row["present"]
    return Present(address, found["uid"], found["content"], outputs=decode(found["outputs"]))


def _preview_document(preview: Preview) -> JsonObject:
    causes = None if preview.on_change is None else [str(cause) for cause in preview.on_change]
    return {
        "effect": str(preview.effect),
        "fields": [field_document(one) for one in preview.fields],
        "verified": str(preview.verified),
        "desired": encode(preview.desired),
        "expects": preview.expects,
        "blocked": preview.blocked,
        "evidence": preview.evidence,
        "remedy": preview.remedy,
        "outputs": encode(preview.outputs),
        "warnings": list(preview.warnings),
        "awaiting": preview.awaiting,
        "onChange": causes,
        "lacks": [str(one) for one in preview.lacks],
    }


def _read_preview(row: Any) -> Preview:
    causes = row["onChange"]
    return Preview(
        Effect(row["effect"]),
        fields=tuple(read_field(one) for one in row["fields"]),
        verified=Verified(row["verified"]),
        desired=decode(row["desired"]),
        expects=row["expects"],
        blocked=row["blocked"],
        evidence=row["evidence"],
        remedy=row["remedy"],
        outputs=decode(row["outputs"]),
        warnings=tuple(row["warnings"]),
        awaiting=row["awaiting"],
        on_change=None if causes is None else tuple(Address.parse(cause) for cause in causes),
        lacks=tuple(Address.parse(one) for one in row.get("lacks", ())),
    )
