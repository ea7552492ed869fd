"""One document after another becomes a Resource: identity, options, ownership stamp, digest. The hot path of loading.

Secrets are sealed here, before anything else sees them; what the server writes is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any

from planner.address import Address, group_of_api_version, is_hwplan_kind
from planner.dataclass import dataclass
from planner.loading.annotation_options import options_with_wait_of_spec, parse_annotation_options
from planner.loading.document_origin import DocumentOrigin, Path
from planner.loading.manifest_nulls import kind_may_be_custom
from planner.loading.problems import Problems
from planner.loading.secret_sealing import seal_secret_document
from planner.ports import Fingerprinter
from planner.resource import ANNOTATION, APPLIED, COPIES, HELM_POLICY, SCOPE, SET_LABEL, Resource, ResourceOptions
from planner.values import JsonObject, SecretValue, document_digest, encode_special_leaves

_SERVER_METADATA = frozenset(
    {"managedFields", "resourceVersion", "uid", "generation", "selfLink", "creationTimestamp", "deletionTimestamp",
     "deletionGracePeriodSeconds"}
)  # fmt: skip
_NO_OPTIONS = ResourceOptions()


@dataclass(slots=True)
class ResourceCollector:
    """Collects the resources of a load. Two documents of one identity are a problem; with `same_twice_is_one` only if
    they differ, and `repeated` names those that do not. `obsolete` are declared as no longer wanted. `referring` use
    outputs of others."""

    fingerprinter: Fingerprinter
    problems: Problems = field(default_factory=Problems)
    vault: dict[str, SecretValue] = field(default_factory=dict)
    resources: dict[Address, Resource] = field(default_factory=dict)
    origins: dict[Address, DocumentOrigin] = field(default_factory=dict)
    blocked: dict[Address, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    same_twice_is_one: bool = False
    repeated: dict[Address, None] = field(default_factory=dict)
    obsolete: dict[Address, Resource] = field(default_factory=dict)
    referring: dict[Address, None] = field(default_factory=dict)

    def add(
        self,
        document: Any,
        origin: DocumentOrigin,
        *,
        owned_by: str,
        scope: str,
        node_lane: str = "",
        tagged: bool = False,
    ) -> Resource | None:
        """Take one document. Gives None when it is not a resource; the problems say why."""
        address = self._identity(document, origin, node_lane)
        if address is None:
            return None
        manifest = dict(document)
        metadata = self._metadata(manifest, origin)
        manifest["metadata"] = metadata
        if address.kind == "Secret" and manifest["apiVersion"] == "v1":
            manifest = seal_secret_document(manifest, address, self.fingerprinter, self.vault, self._reporter(origin))
        options = self._options(metadata.get("annotations"), origin)
        if is_hwplan_kind(manifest["apiVersion"]):
            options = options_with_wait_of_spec(options, manifest.get("spec"))
        applied = desired_document_digest(manifest, tagged=tagged)
        metadata["labels"] = {**metadata.get("labels", {}), SET_LABEL: owned_by}
        metadata["annotations"] = {**metadata.get("annotations", {}), APPLIED: applied}
        scope = metadata["annotations"].get(SCOPE, scope)
        resource = Resource(address, manifest["apiVersion"], manifest, owned_by, scope, origin.source, options)
        return self._keep(resource, origin, tagged)

    def add_obsolete(
        self, namespace: str, name: str, origin: DocumentOrigin, *, owned_by: str, scope: str, node_lane: str = ""
    ) -> None:
        """Take the identity of a Secret that is no longer wanted."""
        address = Address(node_lane, "Secret", "", namespace, name)
        manifest: JsonObject = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"namespace": namespace, "name": name},
        }
        self.obsolete[address] = Resource(address, "v1", manifest, owned_by, scope, origin.source)
        self.origins.setdefault(address, origin)

    def check_obsolete(self) -> None:
        """Report what is declared and obsolete at once."""
        for address, one in self.obsolete.items():
            if address in self.resources:
                text = f"{address.local} is declared, and declared obsolete at {one.source}"
                self.origins[address].problem(self.problems, (), text, "take one of them away")

    def _keep(self, resource: Resource, origin: DocumentOrigin, tagged: bool) -> Resource | None:
        address = resource.address
        other = self.resources.get(address)
        if other is None:
            self.resources[address] = resource
            self.origins[address] = origin
            if tagged:
                self.referring[address] = None
            return resource
        equal = other.manifest == resource.manifest and other.owned_by == resource.owned_by
        if equal and self.same_twice_is_one:
            self.repeated[address] = None
        else:
            what = "is declared twice" if equal else "is declared twice, and differently"
            origin.problem(self.problems, (), f"{address.local} {what}; first at {other.source}", "keep one of them")
        return other

    def _identity(self, document: Any, origin: DocumentOrigin, node_lane: str) -> Address | None:
        if not isinstance(document, dict):
            origin.problem(self.problems, (), "not a resource: expected a mapping with apiVersion, kind and metadata")
            return None
        metadata = document.get("metadata")
        meta = metadata if isinstance(metadata, dict) else {}
        api_version: Any = document.get("apiVersion")
        kind: Any = document.get("kind")
        name: Any = meta.get("name")
        namespace: Any = meta.get("namespace")
        texts = api_version.__class__ is str and kind.__class__ is str and name.__class__ is str
        if texts and name and (namespace is None or namespace.__class__ is str):
            return Address(node_lane, kind, group_of_api_version(api_version), namespace or "", name)
        for path, value in ((("apiVersion",), api_version), (("kind",), kind), (("metadata", "name"), name)):
            if not isinstance(value, str) or not value:
                self._identity_problem(path, value, meta, origin)
        if namespace is not None and not isinstance(namespace, str):
            origin.problem(
                self.problems, ("metadata", "namespace"), "metadata.namespace is not text", "put it in quotes"
            )
        return None

    def _identity_problem(self, path: Path, value: Any, meta: JsonObject, origin: DocumentOrigin) -> None:
        field_name = ".".join(str(part) for part in path)
        if path[-1] == "name" and "generateName" in meta:
            path = ("metadata", "generateName")
            problem = ("generateName gives another name each time", "a resource needs a fixed metadata.name")
        elif value is None or value == "":
            problem = (f"{field_name} is missing", "")
        else:
            problem = (f"{field_name} is not text", "put it in quotes")
        origin.problem(self.problems, path, *problem)

    def _metadata(self, manifest: JsonObject, origin: DocumentOrigin) -> JsonObject:
        """Metadata that is ours to write. Drops what the server writes, in `manifest` as well."""
        metadata: JsonObject = dict(manifest["metadata"])
        if not (manifest.get("status") and kind_may_be_custom(manifest["apiVersion"])):
            manifest.pop("status", None)  # of a custom kind without that subresource it is content like any other
        if not _SERVER_METADATA.isdisjoint(metadata):
            for key in _SERVER_METADATA:
                metadata.pop(key, None)
        if is_hwplan_kind(manifest["apiVersion"]):
            return metadata
        for part in ("labels", "annotations"):
            entries = metadata.get(part)
            if entries is None:
                metadata.pop(part, None)
            else:
                metadata[part] = self._texts(entries, part, origin)
        annotations = metadata.get("annotations")
        if annotations and (APPLIED in annotations or not COPIES.isdisjoint(annotations)):
            metadata["annotations"] = {k: v for k, v in annotations.items() if k != APPLIED and k not in COPIES}
        labels = metadata.get("labels")
        if labels and SET_LABEL in labels:
            metadata["labels"] = {k: v for k, v in labels.items() if k != SET_LABEL}
        return metadata

    def _texts(self, entries: Any, part: str, origin: DocumentOrigin) -> dict[str, str]:
        """The entries whose value is text; the others are problems."""
        if not isinstance(entries, dict):
            origin.problem(self.problems, ("metadata", part), f"metadata.{part} is not a mapping")
            return {}
        bad = [key for key, value in entries.items() if value.__class__ is not str]
        for key in bad:
            message = f"the value of the {part[:-1]} {key} is not text"
            origin.problem(self.problems, ("metadata", part, key), message, "put it in quotes")
        return {key: value for key, value in entries.items() if key not in bad} if bad else entries

    def _options(self, annotations: dict[str, str] | None, origin: DocumentOrigin) -> ResourceOptions:
        if not annotations:
            return _NO_OPTIONS
        for key in annotations:
            if key.startswith(ANNOTATION) or key == HELM_POLICY:
                return parse_annotation_options(
                    annotations,
                    lambda name, message, suggestion: origin.problem(
                        self.problems, ("metadata", "annotations", name), message, suggestion
                    ),
                )
        return _NO_OPTIONS

    def _reporter(self, origin: DocumentOrigin) -> Callable[[Path, str, str], None]:
        return lambda path, message, suggestion: origin.problem(self.problems, path, message, suggestion)

    def digest(self) -> str:
        """Digest of all resources: what is desired, where, by which set. No secret value enters."""
        lines = (
            f"{address} {one.owned_by} {one.scope} {one.manifest['metadata']['annotations'][APPLIED]}"
            for address, one in self.resources.items()
        )
        return document_digest("\n".join(sorted(lines)))


def desired_document_digest(manifest: JsonObject, *, tagged: bool = True) -> str:
    """Digest of a desired document without our stamp; of a Secret, without its values (docs/adr/0004)."""
    if manifest.get("kind") == "Secret" and "data" in manifest:
        manifest = {**manifest, "data": sorted(manifest["data"])}
    return document_digest(encode_special_leaves(manifest) if tagged else manifest)
