"""What the tests of Retention share: a stage with runs that have ended."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from planner.address import address_of_document
from planner.contract.plan_and_apply import change_of_preview
from planner.plan import Change
from planner.ports import Observation, Preview
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from providers.cluster_interface import Cluster, KubernetesListScope, ServedKubernetesKind
from providers.kubernetes.operations.retention import RetentionProvider
from providers.kubernetes.snapshot.folder_layout import identity_of_document, object_file_path, render_object_yaml
from tests.testbed.cluster import TestCluster

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RUN, POD, JOB, VOLUME = "PipelineRun", "Pod", "Job", "PersistentVolume"
_PATHS = {RUN: "/apis/tekton.dev/v1", POD: "/api/v1", JOB: "/apis/batch/v1", VOLUME: "/api/v1"}
_VERSIONS = {RUN: "tekton.dev/v1", POD: "v1", JOB: "batch/v1", VOLUME: "v1"}
_CONTAINERS = [{"name": "c", "image": "registry.test/c:1"}]
_SPECS: dict[str, JsonObject] = {
    RUN: {"pipelineRef": {"name": "p"}},
    POD: {"containers": _CONTAINERS},
    JOB: {"template": {"spec": {"containers": _CONTAINERS, "restartPolicy": "Never"}}},
    VOLUME: {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": "/tmp/hwplan-test"},
    },
}


def ago(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ended(kind: str, hours: float) -> JsonObject:
    """The status of something that ended well (a volume: was released) so many hours ago."""
    time = ago(hours)
    true = {"status": "True", "reason": "Because", "message": "", "lastTransitionTime": time, "lastProbeTime": time}
    match kind:
        case "PipelineRun":
            return {"conditions": [{"type": "Succeeded", **true, "reason": "Succeeded"}], "completionTime": time}
        case "Job":
            kinds = ("SuccessCriteriaMet", "Complete")
            conditions = [{"type": one, **true, "reason": "CompletionsReached"} for one in kinds]
            return {"conditions": conditions, "completionTime": time, "startTime": time, "succeeded": 1}
        case "Pod":
            terminated = {"exitCode": 0, "finishedAt": time, "startedAt": time}
            entry = {"name": "c", "state": {"terminated": terminated}, "image": "x", "imageID": "", "ready": False}
            return {"phase": "Succeeded", "containerStatuses": [{**entry, "restartCount": 0}]}
    return {"phase": "Released", "lastPhaseTransitionTime": time}


@dataclass
class Stage:
    """A place with things that end."""

    open: Callable[[], Cluster]
    node_lane: str
    api: TestCluster | None = None
    folder: Path = Path()
    prefix: str = field(default_factory=lambda: f"v{uuid.uuid4().hex[:8]}-")  # of names that stand in no namespace

    def put(self, kind: str, name: str, status: JsonObject, **metadata: Any) -> None:
        """An object with this status, new or anew; made by whatever makes such things."""
        meta = {"name": name if kind != VOLUME else self.prefix + name, **metadata}
        meta |= {} if kind == VOLUME else {"namespace": self.node_lane}
        document = {"apiVersion": _VERSIONS[kind], "kind": kind, "metadata": meta, "spec": _SPECS[kind]}
        if self.api is None:
            document["status"] = status
            meta |= {"uid": str(uuid.uuid4()), "resourceVersion": str(uuid.uuid4().int % 10**9)}
            self._write(document)
            return
        api, collection = self.api.api(), self._collection(kind)
        api.create(collection, document)
        if status:
            api.merge(f"{collection}/{meta['name']}/status", {"status": status})

    def touch(self, kind: str, name: str) -> None:
        """Somebody adds a label."""
        live = self.live(kind)[name]
        if self.api is not None:
            path = f"{self._collection(kind)}/{live['metadata']['name']}"
            self.api.api().merge(path, {"metadata": {"labels": {"touched": "yes"}}})
            return
        metadata = {**live["metadata"], "labels": {"touched": "yes"}, "resourceVersion": "999999999"}
        self._write({**live, "metadata": metadata})

    def _write(self, document: JsonObject) -> None:
        """An object of a snapshot, as a person would write its file."""
        file = self.folder / "cluster" / object_file_path(identity_of_document(document))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(render_object_yaml(document))

    def remove(self, kind: str, name: str) -> None:
        live = self.live(kind)[name]
        self.open().delete(
            self._info(kind), self._namespace(kind), live["metadata"]["name"], uid="", resource_version=""
        )

    def live(self, kind: str) -> dict[str, JsonObject]:
        found = self.open().list([KubernetesListScope(self._info(kind), self._namespace(kind))])
        (objects,) = found.values()
        assert isinstance(objects, tuple)
        names = {one["metadata"]["name"]: one for one in objects}
        if kind != VOLUME:
            return names
        return {name.removeprefix(self.prefix): one for name, one in names.items() if name.startswith(self.prefix)}

    def _info(self, kind: str) -> ServedKubernetesKind:
        found = self.open().kind(_VERSIONS[kind], kind)
        assert found is not None
        return found

    def _namespace(self, kind: str) -> str:
        return "" if kind == VOLUME else self.node_lane

    def _collection(self, kind: str) -> str:
        inside = "" if kind == VOLUME else f"/namespaces/{self.node_lane}"
        return f"{_PATHS[kind]}{inside}/{kind.lower()}s"

    def rule(self, kind: str, name: str = "old", **spec: Any) -> Resource:
        selector = {"apiVersion": _VERSIONS[kind], "kind": kind}
        selector |= {"namePrefix": self.prefix} if kind == VOLUME else {"namespace": self.node_lane}
        document: JsonObject = {
            "apiVersion": "hwplan.dev/v1",
            "kind": "Retention",
            "metadata": {"name": name},
            "spec": {"selector": selector, "minAge": "2h", "keep": 1, **spec},
        }
        return Resource(
            address_of_document(document), "hwplan.dev/v1", document, "demo.D1.v1", "cleanup", SourceRef("t.yaml")
        )

    def provider(self, now: datetime = NOW) -> RetentionProvider:
        """The provider of a new command at some time."""
        return RetentionProvider(self.open(), lambda: now)

    def look(self, resource: Resource, now: datetime = NOW) -> tuple[Observation, Preview]:
        provider = self.provider(now)
        seen = provider.read([resource], (), ()).observations[resource.address]
        return seen, provider.preview([(resource, seen)])[resource.address]

    def planned(self, resource: Resource, now: datetime = NOW) -> Change:
        seen, preview = self.look(resource, now)
        change = change_of_preview(resource, seen, preview)
        assert change is not None, preview
        return change
