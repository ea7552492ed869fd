"""Objects of Kubernetes, and runs over them, judged in a simulated cluster."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from planner.address import Address
from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from planner.values import JsonObject
from providers.kubernetes.operations.restart import RestartProvider
from providers.kubernetes.operations.restart_mark import TEMPLATE_PATH, read_restart_mark, restart_record_annotation_key
from providers.kubernetes.operations.retention import RetentionProvider
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.contract.case import SECRET, folder_digest
from tests.contract.declared import VAULT, own
from tests.unit.kubernetes.world import PRINTS, World, config, declare, deployment, sealed, secret


class Objects:
    """ConfigMaps and a Secret on a snapshot cluster. (Kinds that are refused: tests/unit/kubernetes/test_reading.)"""

    vault = VAULT
    effect = PreviewEffect.CREATE
    refused_as_a_whole = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "cluster-of-test"
        self._folder.mkdir()
        create_empty_snapshot(self._folder, name="sandbox", namespaces=["demo"])

    def _world(self) -> World:
        return World(open_snapshot(self._folder), dict(self.vault))

    def provider(self) -> Provider:
        return self._world().provider

    def wanted(self) -> Sequence[Resource]:
        maps = [declare(config(f"c{n}", {"key": str(n)})) for n in range(2)]
        return [*maps, declare(secret("s", {"P": sealed("file:a#P", SECRET.decode())}))]

    def holds(self, resource: Resource) -> bool:
        world = self._world()
        if not world.is_there(str(resource.address)):
            return False
        live = world.live(str(resource.address))
        return resource.address.kind == "Secret" or bool(live["data"] == resource.manifest["data"])

    def state(self) -> object:
        return folder_digest(self._folder)

    def meddle(self, resource: Resource) -> None:
        self._world().apply([declare(config(resource.address.name, {"key": "theirs"}), owned_by="somebody.else.x")])

    def break_it(self) -> None:
        self._world().apply(self.wanted())
        for path in self._folder.rglob("*.yaml"):
            if path.stem in ("c0", "c1", "s"):
                path.write_text("{")


class _Runs:
    """Runs over objects of a snapshot cluster; `_objects` are live before anything is planned."""

    vault = VAULT
    effect = PreviewEffect.RUN
    refused_as_a_whole = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "cluster-of-test"
        self._folder.mkdir()
        create_empty_snapshot(self._folder, name="sandbox", namespaces=["demo"])
        self._world().apply([declare(one) for one in self._objects()])

    def _objects(self) -> list[JsonObject]:
        raise NotImplementedError

    def _world(self) -> World:
        return World(open_snapshot(self._folder), dict(self.vault))

    def state(self) -> object:
        return folder_digest(self._folder)

    def break_it(self) -> None:
        for path in self._folder.rglob("*.yaml"):
            if path.stem.startswith("o"):
                path.write_text("{")


class Restarts(_Runs):
    """Restart of Deployments that follow a Secret."""

    def _objects(self) -> list[JsonObject]:
        return [*(deployment(f"o{n}") for n in range(3)), secret("s", {"P": sealed("file:a#P", SECRET.decode())})]

    def provider(self) -> Provider:
        return RestartProvider(open_snapshot(self._folder), PRINTS)

    def wanted(self) -> Sequence[Resource]:
        return [
            own("Restart", f"r{n}", {"target": f"Deployment.apps/demo/o{n}", "on": ["Secret/demo/s"]}) for n in range(3)
        ]

    def _mark(self, resource: Resource) -> str:
        live = self._world().live(str(resource.manifest["spec"]["target"]), "apps/v1")
        return read_restart_mark(live, restart_record_annotation_key(resource.address.name), TEMPLATE_PATH)

    def holds(self, resource: Resource) -> bool:
        return self._mark(resource).startswith("Secret/demo/s=")

    def meddle(self, resource: Resource) -> None:
        target = Address.parse(str(resource.manifest["spec"]["target"]))
        mark = f"metadata.annotations[{restart_record_annotation_key(resource.address.name)}]"
        change_as_foreign_manager(self._folder, target, {mark: "theirs"}, "somebody")


class Retentions(_Runs):
    """Retention of Jobs, which end at once in a snapshot."""

    def _objects(self) -> list[JsonObject]:
        pod = {"containers": [{"name": "c", "image": "registry.example/c:1"}], "restartPolicy": "Never"}
        return [
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"name": f"o{n}-{m}", "namespace": "demo"},
                "spec": {"template": {"spec": pod}},
            }
            for n in range(3)
            for m in range(2)
        ]

    def provider(self) -> Provider:
        return RetentionProvider(open_snapshot(self._folder), lambda: datetime.now(UTC))

    def wanted(self) -> Sequence[Resource]:
        selector = {"apiVersion": "batch/v1", "kind": "Job", "namespace": "demo"}
        return [
            own("Retention", f"r{n}", {"selector": {**selector, "namePrefix": f"o{n}"}, "keep": 0, "minAge": "0s"})
            for n in range(3)
        ]

    def holds(self, resource: Resource) -> bool:
        prefix = resource.manifest["spec"]["selector"]["namePrefix"]
        return not any(self._world().is_there(f"Job.batch/demo/{prefix}-{m}", "batch/v1") for m in range(2))

    def meddle(self, resource: Resource) -> None:
        prefix = resource.manifest["spec"]["selector"]["namePrefix"]
        change_as_foreign_manager(
            self._folder, Address.parse(f"Job.batch/demo/{prefix}-1"), {"spec.activeDeadlineSeconds": 7}, "somebody"
        )
