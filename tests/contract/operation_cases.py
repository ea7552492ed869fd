"""Runs over objects of a cluster that are judged by the contract suite: restarts and clean-ups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner.address import Address, address_of
from planner.ports import Effect, Provider
from planner.resource import Resource
from planner.source import SourceRef
from planner.values import JsonObject, SecretValue, Vault
from providers.kubernetes.operations.marking import TEMPLATE_PATH, mark_of, marked
from providers.kubernetes.operations.restart import RestartProvider
from providers.kubernetes.operations.retention import RetentionProvider
from providers.kubernetes.snapshot.cluster import open_snapshot
from providers.kubernetes.snapshot.creating import create_empty
from providers.kubernetes.snapshot.playing import play
from tests.contract.case import SECRET, tree
from tests.unit.kubernetes.world import PRINTS, World, declare, deployment, sealed, secret


def _own(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    document: JsonObject = {"apiVersion": "hwplan.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return Resource(address_of(document), "hwplan.dev/v1", document, "demo.D1.v1", "infra", SourceRef("t.yaml"))


class _Runs:
    """Runs over objects of a snapshot cluster; `_objects` are live before anything is planned."""

    vault: Vault = {"file:a#P": SecretValue(SECRET)}  # noqa: RUF012
    effect = Effect.RUN
    refused_as_a_whole = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "cluster-of-test"
        self._folder.mkdir()
        create_empty(self._folder, name="sandbox", namespaces=["demo"])
        self._world().apply([declare(one) for one in self._objects()])

    def _objects(self) -> list[JsonObject]:
        raise NotImplementedError

    def _world(self) -> World:
        return World(open_snapshot(self._folder), dict(self.vault))

    def state(self) -> object:
        return tree(self._folder)

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
            _own("Restart", f"r{n}", {"target": f"Deployment.apps/demo/o{n}", "on": ["Secret/demo/s"]})
            for n in range(3)
        ]

    def _mark(self, resource: Resource) -> str:
        live = self._world().live(str(resource.manifest["spec"]["target"]), "apps/v1")
        return marked(live, mark_of(resource.address.name), TEMPLATE_PATH)

    def holds(self, resource: Resource) -> bool:
        return self._mark(resource).startswith("Secret/demo/s=")

    def meddle(self, resource: Resource) -> None:
        target = Address.parse(str(resource.manifest["spec"]["target"]))
        mark = f"metadata.annotations[{mark_of(resource.address.name)}]"
        play(self._folder, target, {mark: "theirs"}, "somebody")


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
            _own("Retention", f"r{n}", {"selector": {**selector, "namePrefix": f"o{n}"}, "keep": 0, "minAge": "0s"})
            for n in range(3)
        ]

    def holds(self, resource: Resource) -> bool:
        prefix = resource.manifest["spec"]["selector"]["namePrefix"]
        return not any(self._world().is_there(f"Job.batch/demo/{prefix}-{m}", "batch/v1") for m in range(2))

    def meddle(self, resource: Resource) -> None:
        prefix = resource.manifest["spec"]["selector"]["namePrefix"]
        play(self._folder, Address.parse(f"Job.batch/demo/{prefix}-1"), {"spec.activeDeadlineSeconds": 7}, "somebody")
