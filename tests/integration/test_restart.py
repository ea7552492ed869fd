"""Restart on a real cluster with controllers, and the same story on a snapshot of one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from planner.address import Address, address_of_document
from planner.contract.plan_and_apply import change_of_preview
from planner.errors import OutcomeUnknown, PermanentError, PreconditionError
from planner.field_path import render_path
from planner.plan import Change
from planner.ports import Observation, PresentObject, Preview, PreviewEffect, Readiness, UnreadableObject
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, OutputRef, SecretValue
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.operations.restart import RestartProvider
from providers.kubernetes.operations.restart_mark import (
    RECORD_PATH,
    TEMPLATE_PATH,
    read_restart_mark,
    restart_record_annotation_key,
)
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.testbed import audit
from tests.testbed.cluster import TestCluster
from tests.testbed.http_proxy import HttpFaultProxy, Rule
from tests.unit.kubernetes.world import PRINTS, World, config, declare, deployment, sealed, secret

MARK = restart_record_annotation_key("web")


@dataclass
class Stage:
    """A cluster with a namespace, and Restarts in it."""

    world: World
    namespace: str
    api: TestCluster | None = None

    @property
    def target(self) -> str:
        return f"Deployment.apps/{self.namespace}/api"

    def provider(self) -> RestartProvider:
        """The provider of a new command."""
        return RestartProvider(self.world.cluster, PRINTS)

    def restart(self, *on: Any, name: str = "web", target: str = "", **spec: Any) -> Resource:
        followed = (
            {"on": list(on or [f"ConfigMap/{self.namespace}/settings"])}
            if spec.get("when") not in ("always", "now")
            else {}
        )
        document: JsonObject = {
            "apiVersion": "hwplan.dev/v1",
            "kind": "Restart",
            "metadata": {"name": name},
            "spec": {"target": target or self.target, **followed, **spec},
        }
        return Resource(
            address_of_document(document), "hwplan.dev/v1", document, "demo.D1.v1", "infra", SourceRef("t.yaml")
        )

    def look(self, resource: Resource) -> tuple[Observation, Preview]:
        provider = self.provider()
        seen = provider.read([resource], (), ()).observations[resource.address]
        return seen, provider.preview([(resource, seen)])[resource.address]

    def planned(self, resource: Resource) -> Change:
        seen, preview = self.look(resource)
        change = change_of_preview(resource, seen, preview)
        assert change is not None, preview
        return change

    def is_due(self, resource: Resource) -> bool:
        """Whether a restart is planned although nothing else changes."""
        _, preview = self.look(resource)
        return preview.effect is PreviewEffect.RUN and preview.on_change is None

    def settle(self, change: Change) -> Readiness:
        end = time.monotonic() + 60
        while not (state := self.provider().readiness([change])[change.address]).done:
            assert time.monotonic() < end, state.message
            time.sleep(0.05)
        return state

    def live(self, text: str = "") -> JsonObject:
        return self.world.live(text or self.target, "apps/v1")

    def set(self, value: str) -> None:
        self.world.apply([declare(config("settings", {"level": value}, self.namespace))])

    def start(self) -> Resource:
        """Settings, and a Deployment that was there before any Restart."""
        self.set("info")
        wanted = declare(deployment("api", self.namespace, replicas=1))
        self.world.apply([wanted])
        return wanted


@pytest.fixture(params=["live", "snapshot"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    vault = {"file:a#P": SecretValue(b"first value")}
    if request.param == "snapshot":
        create_empty_snapshot(tmp_path, name="sandbox", namespaces=["demo"])
        yield Stage(World(open_snapshot(tmp_path), vault), "demo")
        return
    cluster: TestCluster = request.getfixturevalue("cluster")
    namespace: str = request.getfixturevalue("namespace")
    yield Stage(
        World(LiveCluster(resolve_connection_settings(str(cluster.kubeconfig), environ={})), vault), namespace, cluster
    )


def test_a_restart_for_each_content_of_what_it_follows(stage: Stage) -> None:
    deployed, web = stage.start(), stage.restart()
    change = stage.planned(web)
    assert stage.is_due(web), "nobody knows what the running pods have read"
    assert [(render_path(f.path), str(f.op), f.before, f.after) for f in change.fields] == [
        (f"[{stage.target}].{render_path((*path, MARK))}", "add", None, "(made at apply)")
        for path in (RECORD_PATH, TEMPLATE_PATH)
    ]
    before = stage.live()["metadata"]["generation"]
    assert not stage.provider().apply(change, {}).already
    after = stage.live()
    assert after["metadata"]["generation"] == before + 1
    assert read_restart_mark(after, MARK) == read_restart_mark(after, MARK, TEMPLATE_PATH) != ""
    state = stage.settle(change)
    assert state.ok and state.outputs == {"observedGeneration": before + 1}
    assert stage.provider().apply(change, {}).already, "a resumed run finds it done"

    _, preview = stage.look(web)
    assert preview.on_change == (Address.parse(f"ConfigMap/{stage.namespace}/settings"),), "in sync: it follows changes"
    labelled = declare(config("settings", {"level": "info"}, stage.namespace, labels={"a": "b"}))
    stage.world.apply([labelled])
    assert not stage.is_due(web), "labels are no content"
    assert set(stage.world.look([deployed]).effects.values()) == {"none"} and not _drift(stage, deployed)

    stage.set("debug")
    assert stage.is_due(web), "a kill between the change and the restart loses nothing"
    settings = f"ConfigMap/{stage.namespace}/settings"
    assert read_restart_mark(after, MARK).startswith(f"{settings}=")
    assert stage.look(web)[1].warnings == (f"due, because since the last restart there changed {settings}",)
    again = stage.planned(web)
    assert again.fields[0].before == read_restart_mark(after, MARK)
    stage.provider().apply(again, {})
    assert stage.settle(again).ok and stage.live()["metadata"]["generation"] == before + 2
    assert not stage.is_due(web)


def _drift(stage: Stage, resource: Resource) -> tuple[object, ...]:
    return stage.world.look([resource]).previews[resource.address].drift


def test_an_apply_of_the_workload_keeps_the_mark(stage: Stage) -> None:
    stage.start()
    change = stage.planned(stage.restart())
    stage.provider().apply(change, {})
    assert stage.settle(change).ok, "its controller writes to it until then"
    newer = declare(deployment("api", stage.namespace, image="registry.test/api:2", replicas=1))
    look = stage.world.look([newer])
    assert [field[0] for field in look.fields(stage.target)] == ["spec.template.spec.containers[name=api].image"]
    assert not look.preview(stage.target).drift and not look.preview(stage.target).forced
    stage.world.apply([newer])
    assert read_restart_mark(stage.live(), MARK, TEMPLATE_PATH) and not stage.is_due(stage.restart())
    assert set(stage.world.look([newer]).effects.values()) == {"none"}


def test_a_workload_that_the_plan_makes_is_not_restarted(stage: Stage) -> None:
    web = stage.restart()
    seen, preview = stage.look(web)
    missing = {Address.parse(text) for text in (stage.target, f"ConfigMap/{stage.namespace}/settings")}
    assert isinstance(seen, PresentObject) and not seen.uid and set(preview.lacks) == missing
    change = stage.planned(web)
    assert [render_path(field.path) for field in change.fields] == [
        f"[{stage.target}].{render_path((*RECORD_PATH, MARK))}"
    ]
    with pytest.raises(PreconditionError, match="is not there"):
        stage.provider().apply(change, {})
    stage.start()
    template = stage.live()["spec"]["template"]
    stage.provider().apply(change, {})
    assert read_restart_mark(stage.live(), MARK) and stage.live()["spec"]["template"] == template
    assert stage.settle(change).ok and not stage.is_due(web)
    stage.set("debug")
    stage.provider().apply(stage.planned(web), {})
    assert read_restart_mark(stage.live(), MARK, TEMPLATE_PATH)


def test_what_is_no_more_the_planned_workload_is_refused(stage: Stage) -> None:
    stage.start()
    stale = stage.planned(stage.restart())
    stage.set("theirs")
    stage.provider().apply(stage.planned(stage.restart()), {})
    stage.set("info")
    before = stage.live()["metadata"]["generation"]
    with pytest.raises(PreconditionError, match="restarted for something else"):
        stage.provider().apply(stale, {})
    assert stage.live()["metadata"]["generation"] == before

    kind = stage.world.cluster.kind("apps/v1", "Deployment")
    assert kind is not None
    stage.world.cluster.delete(kind, stage.namespace, "api", uid="", resource_version="")
    with pytest.raises(PreconditionError, match="is not there"):
        stage.provider().apply(stale, {})
    _create(stage, deployment("api", stage.namespace, replicas=1))
    with pytest.raises(PreconditionError, match="made anew"):
        stage.provider().apply(stale, {})
    assert not read_restart_mark(stage.live(), MARK)


def _create(stage: Stage, document: JsonObject) -> None:
    """As somebody else."""
    if stage.api is None:
        stage.world.cluster.add(document, manager="kubectl-create")  # type: ignore[attr-defined]  # a snapshot has it
    else:
        collection = f"/apis/apps/v1/namespaces/{stage.namespace}/{document['kind'].lower()}s"
        stage.api.api().create(collection, document)


def test_a_workload_that_the_plan_replaced_starts_anew(stage: Stage) -> None:
    """The plan was made for the old object; the new one was applied by us, after what it follows."""
    wanted, web = stage.start(), stage.restart()
    change = stage.planned(web)
    kind = stage.world.cluster.kind("apps/v1", "Deployment")
    assert kind is not None
    stage.world.cluster.delete(kind, stage.namespace, "api", uid="", resource_version="")
    stage.world.apply([wanted])
    stage.provider().apply(change, {})
    assert not read_restart_mark(stage.live(), MARK, TEMPLATE_PATH) and not stage.is_due(web)


def test_always_follows_what_it_needs_and_is_made_once(stage: Stage) -> None:
    stage.start()
    web = stage.restart(when="always")
    _, preview = stage.look(web)
    assert (preview.effect, preview.on_change) == (PreviewEffect.RUN, ()) and not preview.lacks
    change = stage.planned(web)
    before = stage.live()["metadata"]["generation"]
    assert [stage.provider().apply(change, {}).already for _ in range(3)] == [False, True, True]
    assert stage.live()["metadata"]["generation"] == before + 1
    another = stage.planned(web)
    stage.provider().apply(another, {})
    assert stage.live()["metadata"]["generation"] == before + 2
    with pytest.raises(PreconditionError):
        stage.provider().apply(change, {})
    gone = stage.restart(when="always", target=f"Deployment.apps/{stage.namespace}/gone")
    _, preview = stage.look(gone)
    assert preview.effect is PreviewEffect.NONE and preview.lacks, (
        "a new workload needs no restart, an absent one is reported"
    )


def test_outputs_of_other_systems_count_by_their_value(stage: Stage) -> None:
    stage.start()
    image = Address("", "RegistryImage", "", "", "api")
    _, preview = stage.look(stage.restart(OutputRef(image, "digest")))
    assert preview.on_change == (image,), "not known yet: it comes with what gives it"
    stage.provider().apply(stage.planned(stage.restart("sha256:1")), {})
    assert not stage.is_due(stage.restart("sha256:1"))
    assert stage.is_due(stage.restart("sha256:2"))


def test_secrets_are_followed_by_fingerprint(stage: Stage) -> None:
    stage.start()
    web = stage.restart(f"Secret/{stage.namespace}/login")
    stage.provider().apply(stage.planned(web), {})
    assert not stage.is_due(web) and [str(one) for one in stage.look(web)[1].lacks] == [
        f"Secret/{stage.namespace}/login"
    ]
    stage.world.apply([declare(secret("login", {"P": sealed("file:a#P", "first value")}, stage.namespace))])
    assert stage.is_due(web)
    stage.provider().apply(stage.planned(web), {})
    assert not stage.is_due(web)


def test_several_restarts_of_one_workload_do_not_disturb_each_other(stage: Stage) -> None:
    stage.start()
    both = [stage.restart(), stage.restart(f"Secret/{stage.namespace}/login", name="x" * 200)]
    for web in both:
        stage.provider().apply(stage.planned(web), {})
    assert not any(stage.is_due(web) for web in both)
    one, other = f"ConfigMap/{stage.namespace}/settings", f"Secret/{stage.namespace}/login"
    stage.provider().apply(stage.planned(stage.restart(one, other)), {})
    assert not stage.is_due(stage.restart(other, one)) and not stage.is_due(stage.restart(one)), "order is no content"
    stage.set("debug")
    assert [stage.is_due(web) for web in both] == [True, False]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_other_workloads(stage: Stage, kind: str) -> None:
    stage.set("info")
    document = deployment("db", stage.namespace, replicas=1)
    document["kind"] = kind
    if kind == "DaemonSet":
        del document["spec"]["replicas"]
    else:
        document["spec"]["serviceName"] = "db"
    stage.world.apply([declare(document)])
    web = stage.restart(target=f"{kind}.apps/{stage.namespace}/db")
    change = stage.planned(web)
    stage.provider().apply(change, {})
    state = stage.settle(change)
    assert state.ok and state.outputs["observedGeneration"] == 2
    lazy = deployment("lazy", stage.namespace, replicas=1)
    lazy["kind"], lazy["spec"] = kind, {**lazy["spec"], "updateStrategy": {"type": "OnDelete"}}
    lazy["spec"] |= {"serviceName": "db"} if kind == "StatefulSet" else {}
    del lazy["spec"]["replicas"]
    stage.world.apply([declare(lazy)])
    _, preview = stage.look(stage.restart(target=f"{kind}.apps/{stage.namespace}/lazy"))
    assert preview.blocked == "its pods are replaced only when they are deleted"


def test_a_paused_workload_is_not_restarted(stage: Stage) -> None:
    stage.start()
    change = stage.planned(stage.restart())
    paused = deployment("api", stage.namespace, replicas=1)
    paused["spec"]["paused"] = True
    stage.world.apply([declare(paused)])
    _, preview = stage.look(stage.restart())
    assert "paused" in preview.blocked and preview.remedy
    with pytest.raises(PermanentError, match="paused"):
        stage.provider().apply(change, {})


def test_one_list_for_each_kind_and_namespace(cluster: TestCluster, namespace: str) -> None:
    stage = Stage(
        World(LiveCluster(resolve_connection_settings(str(cluster.kubeconfig), environ={}))), namespace, cluster
    )
    stage.start()
    many = [stage.restart(name=f"r{n}") for n in range(20)]
    stage.world.cluster.kinds()
    since = audit.mark(cluster)
    stage.provider().read(many, (), ())
    assert audit.count(audit.requests(cluster, since, user_agent="hwplan/")) == {
        "list deployments": 1,
        "list configmaps": 1,
    }


def test_what_may_not_be_read_is_not_absent(cluster: TestCluster, namespace: str) -> None:
    stage = Stage(
        World(LiveCluster(resolve_connection_settings(str(cluster.kubeconfig_of("alice")), environ={}))),
        namespace,
        cluster,
    )
    web = stage.restart()
    seen = stage.provider().read([web], (), ()).observations[web.address]
    assert isinstance(seen, UnreadableObject) and stage.target in seen.reason


def test_a_lost_answer_is_told_by_reading(cluster: TestCluster, namespace: str, tmp_path: Path) -> None:
    stage = Stage(
        World(LiveCluster(resolve_connection_settings(str(cluster.kubeconfig), environ={}))), namespace, cluster
    )
    stage.start()
    change = stage.planned(stage.restart())
    stage.settle(change)  # its controller writes no status while we write
    before = stage.live()["metadata"]["generation"]
    with HttpFaultProxy(cluster.server, cluster.authority.server(tmp_path, "proxy"), cluster.ca) as proxy:
        through = cluster.through(proxy.port)
        provider = RestartProvider(
            LiveCluster(resolve_connection_settings(str(through.kubeconfig), environ={})), PRINTS
        )
        proxy.rules = [Rule("lose-answer", matches=lambda method, _: method == "PATCH")]
        try:
            provider.apply(change, {})
        except OutcomeUnknown:
            assert provider.apply(change, {}).already
    assert stage.live()["metadata"]["generation"] == before + 1
    assert stage.settle(change).ok


def test_a3_a_restart_that_a_command_asks_for_is_due_each_time(stage: Stage) -> None:
    """A3: bound to what the plan saw, once for each plan, the rollout waited for; there has to be a workload."""
    wanted = stage.restart(when="now")
    _, preview = stage.look(wanted)
    assert preview.blocked == "there is no such workload"
    stage.start()
    first = stage.planned(wanted)
    assert {field.path[1:3] for field in first.fields} == {("metadata", "annotations"), ("spec", "template")}
    assert not stage.provider().apply(first, {}).already
    assert stage.settle(first).ok
    once = read_restart_mark(stage.live(), MARK, TEMPLATE_PATH)
    assert once and stage.provider().apply(first, {}).already  # resumed
    second = stage.planned(wanted)
    stage.provider().apply(second, {})
    assert stage.settle(second).ok and read_restart_mark(stage.live(), MARK, TEMPLATE_PATH) not in ("", once)
    with pytest.raises(PreconditionError):
        stage.provider().apply(first, {})
