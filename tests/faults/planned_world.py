"""A small world that is really planned: objects in an append-only file, plans by planner.planning, run as by apply.

A line of the file is one effect, appended by a single write under a lock: a kill leaves all of it or nothing. What is
there is what the lines add up to.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from planner import failpoint
from planner.address import Address, address_of_document
from planner.applied_state import KindInNamespace
from planner.errors import PreconditionError
from planner.executor import ExecutionOptions, ObserverChain, execute_plan, run_verdict
from planner.graph import build_graph
from planner.plan import Action, Change, ClusterIdentity, Plan, Selection
from planner.plan_bytes import encode_compact_plan, load_plan
from planner.plan_id import plan_id
from planner.planning import PlanInputs, make_plan
from planner.ports import (
    AbsentObject,
    Observation,
    PresentObject,
    Preview,
    PreviewEffect,
    Readiness,
    ReadResult,
    Written,
)
from planner.resource import SET_LABEL, Resource, annotation_that_keeps_object
from planner.resource import ResourceOptions as Annotated
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, Vault, document_digest
from state import StateStore
from tests.faults.kill_world import InstantClock, status_of

SET = "app"


@dataclass(frozen=True)
class World:
    """A provider over the file `log`; see planner.ports.Provider."""

    log: Path

    def lines(self) -> list[JsonObject]:
        """Every effect so far, oldest first."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def objects(self) -> dict[str, JsonObject]:
        """What is there."""
        found: dict[str, JsonObject] = {}
        for line in self.lines():
            if line["object"] is None:
                found.pop(line["name"], None)
            else:
                found[line["name"]] = line["object"]
        return found

    def add(self, name: str, effect: str, after: JsonObject | None) -> None:
        """Append one effect."""
        data = json.dumps({"name": name, "effect": effect, "object": after}).encode() + b"\n"
        with self.log.open("ab", buffering=0) as file:
            os.write(file.fileno(), data)

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        there = {address_of_document(one): _present(one) for one in self.objects().values()}
        names = {one.address for one in wanted}
        seen: dict[Address, Observation] = {one: there.get(one, AbsentObject(one)) for one in names}
        strays = [one for address, one in there.items() if address not in names and one.owned_by in owned]
        return ReadResult(seen, tuple(sorted(strays, key=lambda one: one.address)))

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        return {resource.address: Preview(_effect(resource, seen)) for resource, seen in items}

    def apply(self, change: Change, vault: Vault) -> Written:
        assert change.desired is not None
        return self._write(change, change.desired)

    def delete(self, change: Change) -> Written:
        name = change.address.name
        live = self.objects().get(name)
        after = None
        if change.action is Action.FORGET and live is not None:
            metadata = {key: value for key, value in live["metadata"].items() if key != "labels"}
            after = {**live, "metadata": metadata}
        return self._write(change, after)

    def _write(self, change: Change, after: JsonObject | None) -> Written:
        name = change.address.name
        with self.log.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            live = self.objects().get(name)
            if live == after:
                return Written(f"uid-{name}", already=True)
            if (None if live is None else document_digest(live)) != (change.precondition.content or None):
                raise PreconditionError(f"{name} is not as the plan saw it")
            self.add(name, str(change.action), after)
        return Written(f"uid-{name}")

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        return {change.address: Readiness(done=True, ok=True) for change in changes}


def document(name: str, version: int, *, orphan: bool = False) -> JsonObject:
    """An object of ours."""
    annotations = {"hwplan.dev/on-delete": "orphan"} if orphan else {}
    metadata = {"name": name, "namespace": "ns", "labels": {SET_LABEL: SET}, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"version": str(version)}}


def _present(one: JsonObject) -> PresentObject:
    metadata = one["metadata"]
    owner = metadata.get("labels", {}).get(SET_LABEL, "")
    orphan = annotation_that_keeps_object(metadata["annotations"])
    return PresentObject(
        address_of_document(one), f"uid-{metadata['name']}", document_digest(one), one, owner, orphan_on_delete=orphan
    )


def _effect(resource: Resource, seen: Observation) -> PreviewEffect:
    if isinstance(seen, PresentObject):
        return PreviewEffect.NONE if seen.value == resource.manifest else PreviewEffect.UPDATE
    return PreviewEffect.CREATE


def planned(world: World, wanted: Mapping[str, tuple[int, Sequence[str]]]) -> Plan:
    """The plan for objects of a version, each after others."""
    resources = {}
    for name, (version, needs) in wanted.items():
        manifest = document(name, version)
        depends = Annotated(depends_on=tuple(Address("", "ConfigMap", "", "ns", need) for need in needs))
        address = address_of_document(manifest)
        resources[address] = Resource(address, "v1", manifest, SET, "infra", SourceRef("a.yaml", 1), depends)
    seen = world.read(list(resources.values()), [SET], ())
    previews = world.preview([(one, seen.observations[one.address]) for one in resources.values()])
    graph = build_graph(list(resources.values()))
    identity = ClusterIdentity("uid", "server")
    return make_plan(PlanInputs(Selection(), identity, "c", graph, resources, seen.observations, previews, seen.strays))


def run(folder: Path, plan: Plan, parallelism: int) -> None:
    """`hwplan apply` of the plan, or `apply --resume` of what an earlier run left."""
    with StateStore.open(folder / "s" / "state.db") as store:
        identifier = plan_id(plan)
        data = encode_compact_plan(plan, identifier)
        with store.acquire("apply", identifier, 5.0, 30.0) as lease:
            left = store.unfinished_run()
            plan = load_plan(left.document) if left else plan
            number = left.info.number if left else None
            begun = store.begin_run(lease, identifier, plan, left.document if left else data, resumes=number)
            world = World(folder / "world.log")
            options = ExecutionOptions(parallelism=parallelism, done=left.done if left else {})
            result = execute_plan(plan, lambda _: world, {}, ObserverChain(begun.observer), InstantClock(), options)
            begun.end(run_verdict(result))


def killed(folder: Path, plan: Plan, parallelism: int, point: str) -> int:
    """The same in a child with a failpoint armed; how it ended: 0, or minus the signal."""
    if (pid := os.fork()) == 0:
        code = 1
        try:
            failpoint.arm_failpoints(point)
            run(folder, plan, parallelism)
            code = 0
        finally:
            os._exit(code)
    return status_of(pid)
