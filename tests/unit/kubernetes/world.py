"""Small steps for tests of the Kubernetes provider: declare, look, apply, over any cluster."""

from __future__ import annotations

import copy
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from planner.address import Address, address_of_document
from planner.applied_state import KindInNamespace
from planner.contract.plan_and_apply import change_of_preview
from planner.field_path import parse_path, render_path
from planner.loading.resource_collector import desired_document_digest
from planner.plan import Action, Change
from planner.ports import AbsentObject, PresentObject, Preview, ReadResult, Written
from planner.resource import APPLIED, SET_LABEL, Resource, ResourceOptions
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, SealedSecret, SecretValue
from providers.cluster_interface import Cluster
from providers.kubernetes.provider import KubernetesProvider

SET = "demo.D1.v1"


class Prints:
    """Fingerprints with a fixed key."""

    def fingerprint(self, value: bytes) -> str:
        return "hmac-sha256:" + hmac.new(b"key of the tests", value, hashlib.sha256).hexdigest()[:16]


PRINTS = Prints()


def sealed(ref: str, value: str) -> SealedSecret:
    """A leaf whose value is known to the test."""
    return SealedSecret(ref, PRINTS.fingerprint(value.encode()))


def options_of(**given: object) -> ResourceOptions:
    """Options, field paths given as text."""
    made: dict[str, object] = dict(given)
    for name in ("ignore_fields", "adopt_fields"):
        if name in made:
            texts = made[name]
            assert isinstance(texts, (list, tuple))
            made[name] = tuple(parse_path(text) for text in texts)
    return ResourceOptions(**made)  # type: ignore[arg-type]


def declare(manifest: JsonObject, *, owned_by: str = SET, node_lane: str = "", **options: object) -> Resource:
    """The resource as the loader makes it: owned, and stamped with the digest of its document."""
    document = copy.deepcopy(manifest)
    metadata = document["metadata"]
    stamp = desired_document_digest(document)
    metadata["labels"] = {**metadata.get("labels", {}), SET_LABEL: owned_by}
    metadata["annotations"] = {**metadata.get("annotations", {}), APPLIED: stamp}
    address = address_of_document(document, node_lane=node_lane)
    api_version = str(document["apiVersion"])
    return Resource(address, api_version, document, owned_by, "runtime", SourceRef("t.yaml"), options_of(**options))


@dataclass
class Look:
    """One plan: what was read, what would happen, and the changes that it makes."""

    read: ReadResult
    previews: Mapping[Address, Preview]
    changes: list[Change]

    def preview(self, text: str) -> Preview:
        return self.previews[Address.parse(text)]

    def change(self, text: str) -> Change:
        return next(change for change in self.changes if change.address == Address.parse(text))

    def fields(self, text: str) -> list[tuple[str, str, object, object, str]]:
        """Changed fields as (path, op, before, after, manager); of labels and annotations of ours only the set."""
        shown = self.preview(text).fields
        return [(render_path(f.path), str(f.op), f.before, f.after, f.manager) for f in shown]

    @property
    def effects(self) -> dict[str, str]:
        return {address.local: str(preview.effect) for address, preview in self.previews.items()}


@dataclass
class World:
    """A cluster with the provider over it."""

    cluster: Cluster
    vault: dict[str, SecretValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.provider = KubernetesProvider(self.cluster, fingerprinter=PRINTS, sleep=lambda _seconds: None)

    def look(self, resources: Sequence[Resource], also: Iterable[KindInNamespace] = ()) -> Look:
        read = self.provider.read(resources, {r.owned_by for r in resources}, list(also))
        items = [(r, read.observations[r.address]) for r in resources]
        previews = self.provider.preview(items)
        changes = [
            made
            for r in resources
            if r.address in previews
            and (made := change_of_preview(r, read.observations[r.address], previews[r.address]))
        ]
        return Look(read, previews, changes)

    def apply(self, resources: Sequence[Resource]) -> list[Written]:
        """Look and carry out everything, in the given order. A blocked resource is an error of the test."""
        look = self.look(resources)
        blocked = {str(a): p.blocked for a, p in look.previews.items() if p.blocked}
        assert not blocked, blocked
        return [self.provider.apply(change, self.vault) for change in look.changes]

    def live(self, text: str, api_version: str = "v1") -> JsonObject:
        """One live object, as it comes."""
        address = Address.parse(text)
        kind = self.cluster.kind(api_version, address.kind)
        assert kind is not None
        found = self.cluster.get(kind, address.namespace, address.name)
        assert found is not None, f"{text} is not there"
        return found

    def is_there(self, text: str, api_version: str = "v1") -> bool:
        address = Address.parse(text)
        kind = self.cluster.kind(api_version, address.kind)
        return kind is not None and self.cluster.get(kind, address.namespace, address.name) is not None


def deletion(present: PresentObject, api_version: str = "v1") -> Change:
    """The change that deletes what was read."""
    return Change(present.address, Action.DELETE, api_version, "", "", present.precondition, SourceRef(""))


def absent(address: Address) -> AbsentObject:
    return AbsentObject(address)


# --- documents -----------------------------------------------------------------------------------------------------


def namespace(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def config(name: str, data: Mapping[str, str], namespace: str = "demo", **metadata: object) -> JsonObject:
    meta = {"name": name, "namespace": namespace, **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": dict(data)}


def secret(name: str, data: Mapping[str, SealedSecret], namespace: str = "demo") -> JsonObject:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": dict(data)}


def deployment(name: str, namespace: str = "demo", image: str = "registry.test/api:1", replicas: int = 2) -> JsonObject:
    labels = {"app": name}
    container = {"name": "api", "image": image, "env": [{"name": "A", "value": "1"}], "ports": [{"containerPort": 80}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def widget_crd(group: str = "example.test") -> JsonObject:
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {"type": "integer", "minimum": 1},
                    "color": {"type": "string"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            },
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }


def widget(name: str, size: int, namespace: str = "demo", group: str = "example.test") -> JsonObject:
    meta = {"name": name, "namespace": namespace}
    spec = {"size": size, "tags": ["a", "b"]}
    return {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": meta, "spec": spec}
