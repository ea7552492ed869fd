"""The records that a saved snapshot has of other systems and of secrets: what goes into its file and what is read back.

Of the sources of secrets there are keyed fingerprints. What the records of a resource are is in
providers/saved_observations_provider.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeGuard

from planner.address import Address
from planner.errors import PermanentError
from planner.loading.secrets.snapshot_secret_fingerprints import (
    KEY_CHECK,
    RecordedSecretFingerprints,
    fingerprints_of_inline_secrets,
)
from planner.ports import Fingerprinter, Observation, Preview
from planner.resource import Resource
from planner.values import JsonObject, Vault
from providers.kubernetes.snapshot.folder_layout import CLUSTER_FOLDER
from providers.kubernetes.snapshot.snapshot_store import SYSTEMS_FILE, saved_records_of_systems
from providers.saved_observations_provider import SavedObservationsProvider, observation_records_to_save

SCHEMA_VERSION = 1


def snapshot_records_of_external_systems(
    resources: Collection[Resource],
    observations: Mapping[Address, Observation],
    previews: Mapping[Address, Preview],
    secrets: JsonObject,
) -> JsonObject:
    """The records of systems outside the cluster that go into a snapshot: what was seen and predicted of
    `resources`, and `secrets` as snapshot_records_of_secret_fingerprints makes them."""
    rows = observation_records_to_save(resources, observations, previews)
    return {"schemaVersion": SCHEMA_VERSION, "secrets": secrets, "resources": rows}


def snapshot_records_of_secret_fingerprints(
    fingerprints: Mapping[str, str], inline: Vault, fingerprinter: Fingerprinter
) -> JsonObject:
    """The records of secrets that go into a snapshot: `fingerprints` of their sources by reference, and how values
    in templates are recognized again.

    `key` is there to say whether a fingerprint of another machine was made with the same key.
    """
    key = fingerprinter.fingerprint(KEY_CHECK)
    return {
        "key": key,
        "sources": dict(fingerprints),
        "inline": fingerprints_of_inline_secrets(inline, fingerprinter, key),
    }


def is_saved_snapshot(live: Path | None) -> TypeGuard[Path]:
    """Whether `--live` names a saved cluster, of which other systems are recorded, and no sandbox, which has them."""
    if live is None:
        return False
    return not (live / CLUSTER_FOLDER).is_dir() or (live / SYSTEMS_FILE).is_file()


def open_snapshot_record_provider(live: Path) -> SavedObservationsProvider:
    """The provider over the records of a snapshot; without any it knows nothing. Raises PermanentError for damaged
    ones."""
    return SavedObservationsProvider(_part(live, "resources"))


def read_secret_fingerprints_of_snapshot(live: Path, fingerprinter: Fingerprinter) -> RecordedSecretFingerprints:
    """Read the fingerprints of secrets that a snapshot records. Raises PermanentError for damaged records."""
    found = _part(live, "secrets")
    key = found.get("key")
    same = key is None or key == fingerprinter.fingerprint(KEY_CHECK)
    return RecordedSecretFingerprints(found.get("sources", {}), same, found.get("inline", {}), str(key))


def _part(live: Path, name: str) -> JsonObject:
    found = (saved_records_of_systems(live) or {}).get(name, {})
    if not isinstance(found, dict):
        raise PermanentError("the records of the snapshot are damaged", where=str(live), remedy="save it again")
    return found
