"""What a plan asks of an API server and what it must not: requests, secret values, rights; and a saved cluster."""

from __future__ import annotations

import base64
import copy
from pathlib import Path

from planner.ports import PresentObject
from providers.cluster_interface import KubernetesListScope
from providers.kubernetes.client.kubeconfig import resolve_connection_settings
from providers.kubernetes.client.live_cluster import LiveCluster
from providers.kubernetes.snapshot.create_cluster_snapshot import save_cluster_objects
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.integration.kubernetes_world import is_settled, live_world
from tests.testbed import audit
from tests.testbed.api import MERGE
from tests.testbed.cluster import TestCluster
from tests.unit.kubernetes.world import (
    PRINTS,
    World,
    config,
    declare,
    deployment,
    sealed,
    secret,
)


def test_requests_of_a_plan(api_server: TestCluster, api_namespace: str) -> None:
    """Nothing to do: lists and discovery only. One drifted object: one dry run more."""
    world = live_world(api_server)
    wanted = [declare(config(f"c{n}", {"n": str(n)}, api_namespace)) for n in range(12)]
    wanted += [declare(secret(f"s{n}", {"P": sealed("file:a#P", "first value")}, api_namespace)) for n in range(4)]
    wanted += [declare(deployment(f"d{n}", api_namespace)) for n in range(4)]
    world.apply(wanted)
    world = live_world(api_server)
    start = audit.mark(api_server)
    assert is_settled(world, *wanted)
    asked = audit.requests(api_server, start, user_agent="hwplan/")
    lists = [r for r in asked if r.verb == "list" and r.resource]
    assert sorted(r.resource for r in lists) == ["configmaps", "deployments", "secrets"]
    assert len(asked) <= len(lists) + 5
    body = {"data": {"n": "drifted"}}
    path = f"/api/v1/namespaces/{api_namespace}/configmaps/c3?fieldManager=somebody"
    api_server.api().request("PATCH", path, body, MERGE)
    start = audit.mark(api_server)
    assert world.look(wanted).fields(f"ConfigMap/{api_namespace}/c3") == [
        ("data.n", "change", "drifted", "3", "somebody")
    ]
    asked = audit.requests(api_server, start, user_agent="hwplan/")
    assert [(r.verb, r.dry_run) for r in asked if r.verb != "list"] == [("patch", True)]


def test_no_secret_value_is_sent_or_kept_by_a_plan(api_server: TestCluster, api_namespace: str) -> None:
    world = live_world(api_server)
    canary = "canary-7f3a-planted"
    path = f"/api/v1/namespaces/{api_namespace}/secrets"
    data = {"theirs": base64.b64encode(canary.encode()).decode()}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": data}
    api_server.api().create(path, body)
    manifest = secret("s", {"theirs": sealed("file:a#P", canary), "mine": sealed("file:b#P", "x")}, api_namespace)
    look = world.look([declare(manifest)])
    text = repr(look)
    assert canary not in text and data["theirs"] not in text
    assert look.preview(f"Secret/{api_namespace}/s").blocked == ""
    shown = {f[0] for f in look.fields(f"Secret/{api_namespace}/s")}
    assert shown == {"data.mine", "metadata.labels[hwplan.dev/set]"}


def test_a_reader_without_rights_is_told_what_is_unreadable(api_server: TestCluster, api_namespace: str) -> None:
    world = World(LiveCluster(resolve_connection_settings(str(api_server.kubeconfig_of("alice")), environ={})))
    resource = declare(config("c", {"a": "1"}, api_namespace))
    look = world.look([resource])
    assert "cannot list" in str(look.read.observations[resource.address])
    assert look.previews == {}


def test_a_saved_cluster_gives_the_plan_of_the_live_one(
    api_server: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    world = live_world(api_server)
    wanted = [
        declare(deployment("api", api_namespace)),
        declare(secret("s", {"P": sealed("file:a#P", "first value")}, api_namespace)),
        declare(config("c", {"a": "1", "b": "2"}, api_namespace)),
    ]
    world.apply(wanted)
    kinds = [world.cluster.kind(r.api_version, r.address.kind) for r in wanted]
    save_cluster_objects(
        world.cluster,
        tmp_path / "saved.json",
        PRINTS,
        [KubernetesListScope(kind, api_namespace) for kind in kinds if kind],
    )
    offline = World(open_snapshot(tmp_path / "saved.json"))
    assert offline.provider.identity().uid == world.provider.identity().uid
    assert is_settled(offline, *wanted)
    changed = copy.deepcopy(wanted[0].manifest)
    changed["spec"]["replicas"] = 9
    changed["spec"]["template"]["spec"]["containers"][0]["env"] = []
    moved = [
        declare(changed),
        declare(secret("s", {"P": sealed("file:b#P", "second value")}, api_namespace)),
        declare(config("c", {"a": "one", "n": "new"}, api_namespace)),
    ]
    here, there = world.look(moved), offline.look(moved)
    for resource in moved:
        text = str(resource.address)
        assert here.fields(text) == there.fields(text)
        assert here.preview(text).expects == there.preview(text).expects
        live, saved = here.read.observations[resource.address], there.read.observations[resource.address]
        assert isinstance(live, PresentObject) and isinstance(saved, PresentObject)
        assert live.content == saved.content
