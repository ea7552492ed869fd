"""`SecretSource` documents become `v1 Secret` resources with sealed leaves. A missing source blocks the Secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.first_names import first_names
from planner.loading.document_origin import DocumentOrigin
from planner.loading.resource_collector import ResourceCollector
from planner.loading.secret_content_rules import secret_content_problems
from planner.loading.secrets.secret_files import ParsedSecretFile, SecretFileRef
from planner.loading.secrets.secret_reader import SecretReader, pick_secret_value
from planner.loading.secrets.snapshot_secret_fingerprints import RecordedSecretFingerprints
from planner.ports import Fingerprinter
from planner.resource import GENERATED
from planner.spec.kinds.secret_and_manifest_sources import SecretSource
from planner.spec.secrets import FileSource, KubernetesSecretSource, SecretOrigin
from planner.values import (
    JsonObject,
    SealedSecret,
    SecretValue,
    generated_secret_reference,
    parse_generated_secret_reference,
)


@dataclass(frozen=True, slots=True)
class NeededSecretFile:
    """A file that secrets are read from, with the keys that are looked up in it (for sandboxes and status)."""

    node: str
    source: FileSource
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """The leaf of one key. `value` is None where the value is made at apply; then `rotation` says which one."""

    leaf: SealedSecret
    value: SecretValue | None = None
    rotation: int = 0


@dataclass(slots=True)
class SecretSourceToSecretExpander:
    """Makes the `v1 Secret` of each SecretSource document of one load. Warnings name files that others may read.

    Each file and each Secret is read once: all keys are of one version of it, and a dead server is waited for once. No
    value outlives the load: the write reads each one again by its reference (spec 04). `looked` gets the fingerprint of
    each reference that is tried, "" where there is no value; `recorded` answers where sources are not to be read."""

    reader: SecretReader
    fingerprinter: Fingerprinter
    intake: ResourceCollector
    needed: dict[tuple[str, str], NeededSecretFile]
    looked: dict[str, str]
    recorded: RecordedSecretFingerprints | None = None
    _secrets: dict[tuple[str, str], Mapping[str, SecretValue] | ProviderError] = field(default_factory=dict, repr=False)
    _files: dict[SecretFileRef, ParsedSecretFile | ProviderError] = field(default_factory=dict, repr=False)

    def expand(
        self, source: SecretSource, origin: DocumentOrigin, *, node: str, owned_by: str, scope: str, node_lane: str
    ) -> None:
        """Add the Secret of one document to the intake, blocked with everything that is wrong with its sources. Of an
        obsolete one only its identity is taken: no source of it is read."""
        if source.spec.obsolete:
            target = source.spec.target
            self.intake.add_obsolete(
                target.namespace, target.name, origin, owned_by=owned_by, scope=scope, node_lane=node_lane
            )
            return
        found: dict[str, _Found] = {}
        missing: dict[str, list[str]] = {}
        for key, wanted in sorted(source.spec.key_mapping.items()):
            tried: list[str] = []
            one = self._find(source.spec.sources, wanted, node, tried)
            found[key] = one or _Found(SealedSecret(f"missing:{wanted}", ""))
            if one is None:
                missing.setdefault("; ".join(dict.fromkeys(tried)) or "no source has this key", []).append(wanted)
        values = {key: one.value for key, one in found.items() if one.value is not None}
        reasons = [f"no value for {first_names(keys)}: {why}" for why, keys in missing.items()]
        reasons += secret_content_problems(source.spec.type, values, frozenset(found))
        added = self.intake.add(_secret(source, found), origin, owned_by=owned_by, scope=scope, node_lane=node_lane)
        if added is not None and reasons:
            self.intake.blocked[added.address] = "; ".join(reasons)

    def _find(self, origins: tuple[SecretOrigin, ...], key: str, node: str, tried: list[str]) -> _Found | None:
        """What the sources hold, or what the snapshot says that they held; what the others said is added to `tried`."""
        recorded = self.recorded
        found = self._read(origins, key, node, tried) if recorded is None or recorded.same_key else None
        if found is not None or recorded is None:
            return found
        leaf = recorded.find((ref for origin in origins if (ref := _ref(origin, key, node))), tried)
        return _found(leaf) if leaf is not None else None

    def _read(self, origins: tuple[SecretOrigin, ...], key: str, node: str, tried: list[str]) -> _Found | None:
        for origin in origins:
            if not (ref := _ref(origin, key, node)):
                continue
            if origin.generate is not None:
                return _found(SealedSecret(ref, ""))
            self.looked[ref] = ""
            try:
                value = self._value(origin, ref, key, node)
            except ProviderError as error:
                tried.append(error.message)
                continue
            self.looked[ref] = self.fingerprinter.fingerprint(value.reveal())
            return _Found(SealedSecret(ref, self.looked[ref]), value)
        return None

    def _value(self, origin: SecretOrigin, ref: str, key: str, node: str) -> SecretValue:
        if origin.file is not None:
            return self._in_file(origin.file, key, node)
        if origin.kubernetes is not None:
            return self._in_secret(origin.kubernetes, key)
        return self.reader.value(ref)

    def _in_file(self, source: FileSource, key: str, node: str) -> SecretValue:
        known = self.needed.get((node, source.path))
        keys = tuple(sorted({*(known.keys if known else ()), key}))
        self.needed[node, source.path] = NeededSecretFile(node, source, keys)
        file = _file_ref(source, node)
        found = self._file(file)
        warning = f"secrets file {file.name} can be read by others: chmod 600"
        if found.shared and warning not in self.intake.warnings:
            self.intake.warnings.append(warning)
        return pick_secret_value(found.values, key, f"file {file.name}")

    def _file(self, file: SecretFileRef) -> ParsedSecretFile:
        if file not in self._files:
            try:
                self._files[file] = self.reader.file(file)
            except ProviderError as error:
                self._files[file] = error
        found = self._files[file]
        if isinstance(found, ProviderError):
            raise found
        return found

    def _in_secret(self, source: KubernetesSecretSource, key: str) -> SecretValue:
        place = (source.namespace, source.name)
        if place not in self._secrets:
            try:
                self._secrets[place] = self.reader.secret(*place)
            except ProviderError as error:
                self._secrets[place] = error
        found = self._secrets[place]
        if isinstance(found, ProviderError):
            raise found
        return pick_secret_value(found, key, f"Secret {'/'.join(place)}")


def _ref(origin: SecretOrigin, key: str, node: str) -> str:
    """The reference of a key in one source; empty where that source has no such key."""
    if origin.file is not None:
        return _file_ref(origin.file, node).ref(key)
    if origin.env is not None:
        return f"env:{key}" if key in origin.env else ""
    if origin.kubernetes is not None:
        return f"kubernetes:{origin.kubernetes.namespace}/{origin.kubernetes.name}#{key}"
    if origin.generate is not None and key in origin.generate.keys:
        return generated_secret_reference(origin.generate.length, origin.generate.rotation)
    return ""


def _file_ref(source: FileSource, node: str) -> SecretFileRef:
    return SecretFileRef(node, source.path, source.format, source.key or "")


def _found(leaf: SealedSecret) -> _Found:
    """A leaf whose value is not at hand: made at apply, or recorded by a snapshot."""
    generation = parse_generated_secret_reference(leaf.ref)
    return _Found(leaf, rotation=generation[1] if generation else 0)


def _secret(source: SecretSource, found: Mapping[str, _Found]) -> JsonObject:
    target = source.spec.target
    metadata: JsonObject = {"name": target.name, "namespace": target.namespace}
    if target.labels:
        metadata["labels"] = dict(target.labels)
    annotations = {**source.metadata.annotations, **target.annotations}
    if rotations := {key: one.rotation for key, one in sorted(found.items()) if one.rotation}:
        annotations[GENERATED] = ",".join(f"{key}={rotation}" for key, rotation in rotations.items())
    if annotations:
        metadata["annotations"] = annotations
    data = {key: one.leaf for key, one in found.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": source.spec.type, "data": data}
