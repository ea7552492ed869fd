"""Retention on the real API server and on a snapshot: exactly the planned objects go, each once, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from planner.address import address_of_document
from planner.errors import PermanentError, PreconditionError
from planner.field_path import render_path
from planner.ports import AbsentObject, PresentObject, PreviewEffect, UnreadableObject
from planner.values import JsonObject, OutputRef
from providers.cluster_interface import Cluster, KubernetesListScope, Listing
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.operations.retention import RetentionProvider
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.integration.retention_world import JOB, NOW, POD, RUN, VOLUME, Stage, ago, ended
from tests.testbed import audit, crds
from tests.testbed.cluster import TestCluster
from tests.unit.kubernetes.world import namespace


@pytest.fixture(params=["live", "snapshot"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    if request.param == "snapshot":
        create_empty_snapshot(tmp_path, name="sandbox", namespaces=["demo"])
        for crd in crds.tekton_crds():
            open_snapshot(tmp_path).add(crd, manager="tekton")
        yield Stage(lambda: open_snapshot(tmp_path), "demo", folder=tmp_path)
        return
    api_server: TestCluster = request.getfixturevalue("api_server")
    namespace: str = request.getfixturevalue("api_namespace")
    crds.install(api_server.api(), crds.tekton_crds())
    found = Stage(
        lambda: LiveCluster(resolve_connection_settings(str(api_server.kubeconfig), environ={})), namespace, api_server
    )
    yield found
    for volume in found.live(VOLUME):
        found.remove(VOLUME, volume)


def running(kind: str) -> JsonObject:
    if kind == RUN:
        return {"conditions": [{"type": "Succeeded", "status": "Unknown", "reason": "Running"}]}
    return {"phase": "Bound"} if kind == VOLUME else {"phase": "Running"} if kind == POD else {}


def test_the_plan_names_each_deletion_and_the_apply_makes_those_only(stage: Stage) -> None:
    for name, hours in (("ci-1", 9), ("ci-2", 8), ("ci-3", 3), ("ci-4", 1), ("retained", 30)):
        stage.put(RUN, name, ended(RUN, hours))
    stage.put(RUN, "ci-0", running(RUN))
    rule = stage.rule(RUN, neverTouch=["retained*"])
    change = stage.planned(rule)
    assert [(render_path(f.path), str(f.op), f.before, f.after) for f in change.fields] == [
        ("ci-1", "remove", f"Succeeded, finished {ago(9)}", None),
        ("ci-2", "remove", f"Succeeded, finished {ago(8)}", None),
        ("ci-3", "remove", f"Succeeded, finished {ago(3)}", None),
    ]
    minute = timedelta(minutes=1)
    assert stage.planned(rule, NOW + minute) == change, "time that passes is not in the plan"
    written = stage.provider().apply(change, {})
    assert (written.outputs, written.already) == ({"deleted": 3}, False)
    assert set(stage.live(RUN)) == {"ci-0", "ci-4", "retained"}
    state = stage.provider().readiness([change])[change.address]
    assert state.done and state.ok and state.outputs == {"deleted": 3}
    seen, preview = stage.look(rule)
    assert (
        isinstance(seen, PresentObject) and preview.effect is PreviewEffect.NONE and preview.outputs == {"deleted": 0}
    )
    assert stage.provider().apply(change, {}).already, "what is gone is done"


@pytest.mark.parametrize("kind", [JOB, POD, VOLUME])
def test_other_kinds(stage: Stage, kind: str) -> None:
    for name, hours in (("a", 9), ("b", 8), ("c", 7)):
        stage.put(kind, name, ended(kind, hours))
    stage.put(kind, "busy", running(kind))
    change = stage.planned(stage.rule(kind, keep=1))
    prefix = stage.prefix if kind == VOLUME else ""
    assert [render_path(one.path) for one in change.fields] == [f"{prefix}a", f"{prefix}b"]
    stage.provider().apply(change, {})
    if kind == VOLUME and stage.api is not None:
        _finalize(stage, "a", "b")
    assert set(stage.live(kind)) == {"c", "busy"}
    assert stage.look(stage.rule(kind, keep=1))[1].effect is PreviewEffect.NONE


def _finalize(stage: Stage, *names: str) -> None:
    """What the controller does that protects volumes in use; here none runs."""
    assert stage.api is not None
    for name, live in stage.live(VOLUME).items():
        if name in names:
            path = f"/api/v1/persistentvolumes/{live['metadata']['name']}"
            stage.api.api().merge(path, {"metadata": {"finalizers": None}})


def test_the_limit_leaves_the_rest_for_the_next_plan(stage: Stage) -> None:
    for number in range(5):
        stage.put(RUN, f"r{number}", ended(RUN, 9 - number))
    rule = stage.rule(RUN, keep=1, limit=3)
    _, preview = stage.look(rule)
    assert preview.warnings == ("1 more are due: the limit of one plan leaves them for the next",)
    stage.provider().apply(stage.planned(rule), {})
    assert set(stage.live(RUN)) == {"r3", "r4"}
    stage.provider().apply(stage.planned(rule), {})
    assert set(stage.live(RUN)) == {"r4"}


def _touched(stage: Stage) -> None:
    stage.touch(RUN, "b")


def _runs_again(stage: Stage) -> None:
    """A run of the same name, made anew, that has only begun."""
    stage.remove(RUN, "b")
    stage.put(RUN, "b", running(RUN))


def _anew(stage: Stage) -> None:
    stage.remove(RUN, "b")
    stage.put(RUN, "b", ended(RUN, 8))


@pytest.mark.parametrize("meddle", [_touched, _runs_again, _anew])
def test_one_that_is_not_the_planned_one_refuses_the_whole(stage: Stage, meddle: Callable[[Stage], None]) -> None:
    for name, hours in (("a", 9), ("b", 8), ("c", 7)):
        stage.put(RUN, name, ended(RUN, hours))
    change = stage.planned(stage.rule(RUN, keep=0))
    meddle(stage)
    with pytest.raises(PreconditionError, match=r"changed since the plan was made: b$"):
        stage.provider().apply(change, {})
    assert set(stage.live(RUN)) == {"a", "b", "c"}


def test_a_saved_plan_stays_fresh_while_time_passes_and_objects_go(stage: Stage) -> None:
    """Before a saved plan is applied its objects are read again, by the document of the change."""
    for name, hours in (("a", 9), ("b", 8), ("young", 1)):
        stage.put(RUN, name, ended(RUN, hours))
    change = stage.planned(stage.rule(RUN, keep=0))
    assert change.desired is not None
    again = replace(stage.rule(RUN), manifest=change.desired)

    def content(now: datetime) -> str:
        seen = stage.provider(now).read([again], (), ()).observations[change.address]
        assert isinstance(seen, PresentObject)
        return str(seen.content)

    assert content(NOW + timedelta(days=3)) == change.precondition.content
    stage.remove(RUN, "a")
    assert content(NOW) == change.precondition.content
    _touched(stage)
    assert content(NOW) != change.precondition.content


@dataclass
class Dying:
    """A cluster whose user is killed at a delete: before it is sent, or when it is done."""

    below: Cluster
    at: int
    before: bool
    count: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)

    def list(self, places: list[KubernetesListScope]) -> Listing:
        return self.below.list(places)

    def delete(self, *spot: Any, **version: Any) -> None:
        self.count += 1
        if self.count == self.at and self.before:
            raise KeyboardInterrupt
        self.below.delete(*spot, **version)
        if self.count == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("before", [True, False])
def test_killed_and_resumed_each_is_deleted_once(stage: Stage, at: int, before: bool) -> None:
    for name, hours in (("a", 9), ("b", 8), ("c", 7)):
        stage.put(RUN, name, ended(RUN, hours))
    change = stage.planned(stage.rule(RUN, keep=0))
    since = audit.mark(stage.api) if stage.api else None
    with pytest.raises(KeyboardInterrupt):
        RetentionProvider(Dying(stage.open(), at, before), lambda: NOW).apply(change, {})  # type: ignore[arg-type]
    assert len(stage.live(RUN)) == 3 - at + before
    assert stage.provider().apply(change, {}).outputs == {"deleted": 3}
    assert not stage.live(RUN)
    if stage.api and since:
        found = [one for one in audit.requests(stage.api, since, user_agent="hwplan/") if one.verb == "delete"]
        assert sorted(str(one.name) for one in found) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("selector", "why"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap", "namespace": "demo"}, "it is not known when a ConfigMap has ended"),
        ({"apiVersion": "v1", "kind": "Pod"}, "a Pod stands in a namespace: write selector.namespace"),
        (
            {"apiVersion": "v1", "kind": "PersistentVolume", "namespace": "x"},
            "a PersistentVolume stands in no namespace",
        ),
    ],
)
def test_selectors_that_say_nothing_safe(stage: Stage, selector: JsonObject, why: str) -> None:
    rule = stage.rule(POD)
    rule = replace(rule, manifest={**rule.manifest, "spec": {"selector": selector}})
    seen = stage.provider().read([rule], (), ()).observations[rule.address]
    assert isinstance(seen, UnreadableObject) and seen.reason == why


def test_a_name_that_is_not_known_yet_blocks(stage: Stage) -> None:
    rule = stage.rule(RUN, neverTouch=[OutputRef(namespaced(), "short")])
    seen, preview = stage.look(rule)
    assert isinstance(seen, AbsentObject) and "not known yet" in preview.blocked


def namespaced() -> Any:
    return address_of_document(namespace("source"))


def test_it_deletes_no_retention(stage: Stage) -> None:
    stage.put(RUN, "a", ended(RUN, 9))
    with pytest.raises(PermanentError):
        stage.provider().delete(stage.planned(stage.rule(RUN, keep=0)))
    assert set(stage.live(RUN)) == {"a"}
