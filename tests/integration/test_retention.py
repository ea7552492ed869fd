"""Retention on the real API server and on a snapshot: exactly the planned objects go, each once, and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from planner.address import address_of
from planner.contract.steps import change_of
from planner.errors import PermanentError, PreconditionError
from planner.path import render
from planner.plan import Change
from planner.ports import Absent, Effect, Observation, Present, Preview, Unreadable
from planner.resource import Resource
from planner.source import SourceRef
from planner.values import JsonObject, Ref
from providers.kubernetes.cluster import Cluster, KindInfo, Listing, Place
from providers.kubernetes.kubeconfig import connect
from providers.kubernetes.live import LiveCluster
from providers.kubernetes.operations.retention import RetentionProvider
from providers.kubernetes.snapshot.cluster import open_snapshot
from providers.kubernetes.snapshot.creating import create_empty
from providers.kubernetes.snapshot.layout import identity_of, path_of, yaml_text
from tests.testbed import audit, crds
from tests.testbed.cluster import TestCluster
from tests.unit.kubernetes.world import namespace

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


def running(kind: str) -> JsonObject:
    if kind == RUN:
        return {"conditions": [{"type": "Succeeded", "status": "Unknown", "reason": "Running"}]}
    return {"phase": "Bound"} if kind == VOLUME else {"phase": "Running"} if kind == POD else {}


@dataclass
class Stage:
    """A place with things that end."""

    open: Callable[[], Cluster]
    place: str
    api: TestCluster | None = None
    folder: Path = Path()
    prefix: str = field(default_factory=lambda: f"v{uuid.uuid4().hex[:8]}-")  # of names that stand in no namespace

    def put(self, kind: str, name: str, status: JsonObject, **metadata: Any) -> None:
        """An object with this status, new or anew; made by whatever makes such things."""
        meta = {"name": name if kind != VOLUME else self.prefix + name, **metadata}
        meta |= {} if kind == VOLUME else {"namespace": self.place}
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
        file = self.folder / "cluster" / path_of(identity_of(document))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml_text(document))

    def remove(self, kind: str, name: str) -> None:
        live = self.live(kind)[name]
        self.open().delete(
            self._info(kind), self._namespace(kind), live["metadata"]["name"], uid="", resource_version=""
        )

    def live(self, kind: str) -> dict[str, JsonObject]:
        found = self.open().list([Place(self._info(kind), self._namespace(kind))])
        (objects,) = found.values()
        assert isinstance(objects, tuple)
        names = {one["metadata"]["name"]: one for one in objects}
        if kind != VOLUME:
            return names
        return {name.removeprefix(self.prefix): one for name, one in names.items() if name.startswith(self.prefix)}

    def _info(self, kind: str) -> KindInfo:
        found = self.open().kind(_VERSIONS[kind], kind)
        assert found is not None
        return found

    def _namespace(self, kind: str) -> str:
        return "" if kind == VOLUME else self.place

    def _collection(self, kind: str) -> str:
        inside = "" if kind == VOLUME else f"/namespaces/{self.place}"
        return f"{_PATHS[kind]}{inside}/{kind.lower()}s"

    def rule(self, kind: str, name: str = "old", **spec: Any) -> Resource:
        selector = {"apiVersion": _VERSIONS[kind], "kind": kind}
        selector |= {"namePrefix": self.prefix} if kind == VOLUME else {"namespace": self.place}
        document: JsonObject = {
            "apiVersion": "hwplan.dev/v1",
            "kind": "Retention",
            "metadata": {"name": name},
            "spec": {"selector": selector, "minAge": "2h", "keep": 1, **spec},
        }
        return Resource(address_of(document), "hwplan.dev/v1", document, "demo.D1.v1", "cleanup", SourceRef("t.yaml"))

    def provider(self, now: datetime = NOW) -> RetentionProvider:
        """The provider of a new command at some time."""
        return RetentionProvider(self.open(), lambda: now)

    def look(self, resource: Resource, now: datetime = NOW) -> tuple[Observation, Preview]:
        provider = self.provider(now)
        seen = provider.read([resource], (), ()).observations[resource.address]
        return seen, provider.preview([(resource, seen)])[resource.address]

    def planned(self, resource: Resource, now: datetime = NOW) -> Change:
        seen, preview = self.look(resource, now)
        change = change_of(resource, seen, preview)
        assert change is not None, preview
        return change


@pytest.fixture(params=["live", "snapshot"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    if request.param == "snapshot":
        create_empty(tmp_path, name="sandbox", namespaces=["demo"])
        for crd in crds.tekton_crds():
            open_snapshot(tmp_path).add(crd, manager="tekton")
        yield Stage(lambda: open_snapshot(tmp_path), "demo", folder=tmp_path)
        return
    api_server: TestCluster = request.getfixturevalue("api_server")
    place: str = request.getfixturevalue("api_namespace")
    crds.install(api_server.api(), crds.tekton_crds())
    found = Stage(lambda: LiveCluster(connect(str(api_server.kubeconfig), environ={})), place, api_server)
    yield found
    for volume in found.live(VOLUME):
        found.remove(VOLUME, volume)


def test_the_plan_names_each_deletion_and_the_apply_makes_those_only(stage: Stage) -> None:
    for name, hours in (("ci-1", 9), ("ci-2", 8), ("ci-3", 3), ("ci-4", 1), ("kept", 30)):
        stage.put(RUN, name, ended(RUN, hours))
    stage.put(RUN, "ci-0", running(RUN))
    rule = stage.rule(RUN, neverTouch=["kept*"])
    change = stage.planned(rule)
    assert [(render(f.path), str(f.op), f.before, f.after) for f in change.fields] == [
        ("ci-1", "remove", f"Succeeded, finished {ago(9)}", None),
        ("ci-2", "remove", f"Succeeded, finished {ago(8)}", None),
        ("ci-3", "remove", f"Succeeded, finished {ago(3)}", None),
    ]
    minute = timedelta(minutes=1)
    assert stage.planned(rule, NOW + minute) == change, "time that passes is not in the plan"
    written = stage.provider().apply(change, {})
    assert (written.outputs, written.already) == ({"deleted": 3}, False)
    assert set(stage.live(RUN)) == {"ci-0", "ci-4", "kept"}
    state = stage.provider().readiness([change])[change.address]
    assert state.done and state.ok and state.outputs == {"deleted": 3}
    seen, preview = stage.look(rule)
    assert isinstance(seen, Present) and preview.effect is Effect.NONE and preview.outputs == {"deleted": 0}
    assert stage.provider().apply(change, {}).already, "what is gone is done"


@pytest.mark.parametrize("kind", [JOB, POD, VOLUME])
def test_other_kinds(stage: Stage, kind: str) -> None:
    for name, hours in (("a", 9), ("b", 8), ("c", 7)):
        stage.put(kind, name, ended(kind, hours))
    stage.put(kind, "busy", running(kind))
    change = stage.planned(stage.rule(kind, keep=1))
    prefix = stage.prefix if kind == VOLUME else ""
    assert [render(one.path) for one in change.fields] == [f"{prefix}a", f"{prefix}b"]
    stage.provider().apply(change, {})
    if kind == VOLUME and stage.api is not None:
        _finalize(stage, "a", "b")
    assert set(stage.live(kind)) == {"c", "busy"}
    assert stage.look(stage.rule(kind, keep=1))[1].effect is Effect.NONE


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
        assert isinstance(seen, Present)
        return seen.content

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

    def list(self, places: list[Place]) -> Listing:
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


def test_what_is_held_by_a_finalizer_is_waited_for(api_server: TestCluster, api_namespace: str) -> None:
    crds.install(api_server.api(), crds.tekton_crds())
    stage = Stage(lambda: LiveCluster(connect(str(api_server.kubeconfig), environ={})), api_namespace, api_server)
    stage.put(RUN, "a", ended(RUN, 9), finalizers=["example.test/hold"])
    change = stage.planned(stage.rule(RUN, keep=0))
    stage.provider().apply(change, {})
    state = stage.provider().readiness([change])[change.address]
    assert not state.done and state.message == "1 still being deleted, such as a"
    assert stage.look(stage.rule(RUN, keep=0))[1].effect is Effect.NONE, "it is on its way"
    assert stage.provider().apply(change, {}).already
    path = f"/apis/tekton.dev/v1/namespaces/{api_namespace}/pipelineruns/a"
    api_server.api().merge(path, {"metadata": {"finalizers": None}})
    assert stage.provider().readiness([change])[change.address].ok


def test_one_list_for_each_kind_and_namespace(api_server: TestCluster, api_namespace: str) -> None:
    crds.install(api_server.api(), crds.tekton_crds())
    cluster = LiveCluster(connect(str(api_server.kubeconfig), environ={}))
    stage = Stage(lambda: cluster, api_namespace, api_server)
    many = [stage.rule(kind, f"{kind}{n}".lower()) for kind in (RUN, VOLUME) for n in range(10)]
    cluster.kinds()
    since = audit.mark(api_server)
    stage.provider().read(many, (), ())
    counted = audit.count(audit.requests(api_server, since, user_agent="hwplan/"))
    assert counted == {"list pipelineruns": 1, "list persistentvolumes": 1}


def test_what_may_not_be_read_is_not_absent(api_server: TestCluster, api_namespace: str) -> None:
    user = LiveCluster(connect(str(api_server.kubeconfig_of("alice")), environ={}))
    stage = Stage(lambda: user, api_namespace, api_server)
    rule = stage.rule(POD)
    seen = stage.provider().read([rule], (), ()).observations[rule.address]
    assert isinstance(seen, Unreadable) and "pods" in seen.reason


@pytest.mark.parametrize(
    ("selector", "why"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap", "namespace": "demo"}, "nobody can tell when a ConfigMap has ended"),
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
    assert isinstance(seen, Unreadable) and seen.reason == why


def test_a_name_that_is_not_known_yet_blocks(stage: Stage) -> None:
    rule = stage.rule(RUN, neverTouch=[Ref(namespaced(), "short")])
    seen, preview = stage.look(rule)
    assert isinstance(seen, Absent) and "not known yet" in preview.blocked


def namespaced() -> Any:
    return address_of(namespace("source"))


def test_it_deletes_no_retention(stage: Stage) -> None:
    stage.put(RUN, "a", ended(RUN, 9))
    with pytest.raises(PermanentError):
        stage.provider().delete(stage.planned(stage.rule(RUN, keep=0)))
    assert set(stage.live(RUN)) == {"a"}
