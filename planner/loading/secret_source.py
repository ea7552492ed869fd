"""`SecretSource` documents become `v1 Secret` resources with sealed leaves. A missing source blocks the Secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.address import Address
from planner.errors import PermanentError
from planner.loading.intake import Intake
from planner.loading.origin import Origin
from planner.loading.recorded_secrets import GENERATED, RecordedSecrets
from planner.loading.secret_files import FileRef
from planner.loading.secret_reader import SecretReader
from planner.ports import Fingerprinter
from planner.spec.kinds.sources import SecretSource
from planner.spec.secrets import FileSource, SecretOrigin
from planner.values import JsonObject, Sealed, SecretValue


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A file that secrets are read from, with the keys that are looked up in it (for sandboxes and status)."""

    node: str
    source: FileSource
    keys: tuple[str, ...]


@dataclass(slots=True)
class SecretSources:
    """Expands the SecretSources of one load. Each file is read once; warnings name files that others may read.

    `looked` gets the fingerprint of each reference that is tried, "" where there is no value; `recorded` answers where
    sources are not to be read.
    """

    reader: SecretReader
    fingerprinter: Fingerprinter
    intake: Intake
    needed: dict[tuple[str, str], NeededFile]
    looked: dict[str, str]
    recorded: RecordedSecrets | None = None

    def expand(self, source: SecretSource, origin: Origin, *, node: str, owned_by: str, scope: str, place: str) -> None:
        """Add the Secret of one document to the intake, blocked when a key cannot be found."""
        data: dict[str, Sealed] = {}
        reasons: list[str] = []
        for key, wanted in sorted(source.spec.key_mapping.items()):
            tried: list[str] = []
            sealed = self._find(source.spec.sources, wanted, node, tried)
            data[key] = sealed or Sealed(f"missing:{wanted}", "")
            if sealed is None:
                reasons.append(f"{wanted}: {'; '.join(dict.fromkeys(tried)) or 'no source has this key'}")
        manifest = _secret(source, data)
        added = self.intake.add(manifest, origin, owned_by=owned_by, scope=scope, place=place)
        if added is not None and reasons:
            self.intake.blocked[added.address] = "no value for " + ", ".join(reasons)

    def _find(self, origins: tuple[SecretOrigin, ...], key: str, node: str, tried: list[str]) -> Sealed | None:
        """What the sources hold, or what the snapshot says that they held."""
        recorded = self.recorded
        found = self._read(origins, key, node, tried) if recorded is None or recorded.same_key else None
        if found is not None or recorded is None:
            return found
        return recorded.find((ref for origin in origins if (ref := _ref(origin, key, node))), tried)

    def _read(self, origins: tuple[SecretOrigin, ...], key: str, node: str, tried: list[str]) -> Sealed | None:
        for origin in origins:
            if not (ref := _ref(origin, key, node)):
                continue
            if ref.startswith(GENERATED):
                return Sealed(ref, "")
            self.looked[ref] = ""
            try:
                if (value := self._value(origin, ref, key, node)) is not None:
                    return self._sealed(ref, value)
            except PermanentError as error:
                tried.append(error.message)
        return None

    def _value(self, origin: SecretOrigin, ref: str, key: str, node: str) -> SecretValue | None:
        if origin.file is not None:
            return self._file(origin.file, key, node).get(key)
        if origin.kubernetes is not None:
            return self.reader.secret(origin.kubernetes.namespace, origin.kubernetes.name).get(key)
        return self.reader.value(ref)

    def _file(self, source: FileSource, key: str, node: str) -> Mapping[str, SecretValue]:
        known = self.needed.get((node, source.path))
        keys = tuple(sorted({*(known.keys if known else ()), key}))
        self.needed[node, source.path] = NeededFile(node, source, keys)
        file = _file_ref(source, node)
        found = self.reader.file(file)
        warning = f"secrets file {file.name} can be read by others: chmod 600"
        if found.shared and warning not in self.intake.warnings:
            self.intake.warnings.append(warning)
        return found.values

    def _sealed(self, ref: str, value: SecretValue) -> Sealed:
        self.intake.vault[ref] = value
        self.looked[ref] = self.fingerprinter.fingerprint(value.reveal())
        return Sealed(ref, self.looked[ref])


def _ref(origin: SecretOrigin, key: str, node: str) -> str:
    """The reference of a key in one source; empty where that source has no such key."""
    if origin.file is not None:
        return _file_ref(origin.file, node).ref(key)
    if origin.env is not None:
        return f"env:{key}" if key in origin.env else ""
    if origin.kubernetes is not None:
        return f"kubernetes:{origin.kubernetes.namespace}/{origin.kubernetes.name}#{key}"
    if origin.generate is not None and key in origin.generate.keys:
        return f"{GENERATED}{origin.generate.length}"
    return ""


def _file_ref(source: FileSource, node: str) -> FileRef:
    return FileRef(node, source.path, source.format, source.key or "")


def target_address(source: SecretSource, place: str) -> Address:
    """The address of the Secret that a source makes."""
    return Address(place, "Secret", "", source.spec.target.namespace, source.spec.target.name)


def _secret(source: SecretSource, data: Mapping[str, Sealed]) -> JsonObject:
    target = source.spec.target
    metadata: JsonObject = {"name": target.name, "namespace": target.namespace}
    if target.labels:
        metadata["labels"] = dict(target.labels)
    annotations = {**source.metadata.annotations, **target.annotations}
    if annotations:
        metadata["annotations"] = annotations
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": source.spec.type, "data": dict(data)}
