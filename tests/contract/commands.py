"""PodExec as the contract suite judges it, on a snapshot cluster with canned ends of commands."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.address import address_of_document
from planner.errors import PermanentError
from planner.plan import Action, Change, Precondition
from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.spec.kinds.pod_exec_restart_retention import PodExec
from planner.values import JsonObject, SecretValue, Vault
from providers.cluster_interface import EndedCommand
from providers.kubernetes.operations.command_runners import CannedCommandRunner
from providers.kubernetes.operations.podexec import PodExecProvider
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from state.fingerprint import KeyedFingerprinter
from tests.contract.case import SECRET, folder_digest
from tests.unit.kubernetes.world import World, declare, deployment


def command(name: str, target: str, words: Sequence[str], key: Any, **spec: Any) -> Resource:
    """A PodExec as the loader makes it."""
    body = {"target": target, "container": "api", "command": list(words), "oncePer": key} | spec
    document: JsonObject = {
        "apiVersion": "hwplan.dev/v1",
        "kind": "PodExec",
        "metadata": {"name": name},
        "spec": body,
    }
    PodExec.model_validate(document)
    return Resource(
        address_of_document(document), "hwplan.dev/v1", document, "demo.D1.v1", "runtime", SourceRef("t.yaml")
    )


_VAULT: Vault = {"file:a#P": SecretValue(SECRET)}


class Commands:
    """Commands in a Deployment; each prints a secret of the vault."""

    vault = _VAULT
    effect = PreviewEffect.RUN
    refused_as_a_whole = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "cluster-of-commands"
        self._folder.mkdir()
        create_empty_snapshot(self._folder, name="sandbox", namespaces=["demo"])
        self._world().apply([declare(deployment("web"))])

    def _world(self) -> World:
        return World(open_snapshot(self._folder))

    def provider(self, exit_code: int = 0) -> Provider:
        cluster = open_snapshot(self._folder)
        answers: dict[tuple[str, ...], EndedCommand] = {
            ("migrate",): EndedCommand(exit_code, b"password: " + SECRET + b"\n")
        }
        return PodExecProvider(cluster, CannedCommandRunner(cluster, answers), KeyedFingerprinter(bytes(32)))

    def wanted(self) -> Sequence[Resource]:
        return [command(f"x{n}", "Deployment.apps/demo/web", ["migrate"], f"sha256:{n}") for n in range(3)]

    def _marks(self) -> Mapping[str, str]:
        cluster = open_snapshot(self._folder)
        kind = cluster.kind("v1", "ConfigMap")
        assert kind is not None
        found = {}
        for path in self._folder.rglob("hwplan-exec-*.yaml"):
            live = cluster.get(kind, "demo", path.stem)
            assert live is not None
            found[str(live["data"]["exec"])] = str(live["data"]["exitCode"])
        return found

    def holds(self, resource: Resource) -> bool:
        return self._marks().get(str(resource.address)) == "0"

    def state(self) -> object:
        return folder_digest(self._folder)

    def meddle(self, resource: Resource) -> None:
        absent = Precondition(absent=True)
        address, manifest = resource.address, resource.manifest
        change = Change(address, Action.RUN, "hwplan.dev/v1", "", "", absent, resource.source, manifest)
        with contextlib.suppress(PermanentError):
            self.provider(exit_code=5).apply(change, {})

    def break_it(self) -> None:
        for resource in self.wanted():
            self.meddle(resource)
        for path in self._folder.rglob("hwplan-exec-*.yaml"):
            path.write_text("{")
