"""The Kubernetes provider on a real API server, and the same story on a snapshot: both must say the same fields."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from planner.address import Address
from planner.errors import PreconditionError
from planner.field_path import render_path
from planner.plan import VerifiedBy
from planner.ports import PresentObject, PreviewEffect
from planner.values import Json, JsonObject, SealedSecret, SecretValue
from providers.kubernetes.errors import ApplyConflict
from providers.kubernetes.snapshot.create_cluster_snapshot import create_empty_snapshot
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from providers.kubernetes.snapshot.snapshot_cluster import open_snapshot
from tests.integration.kubernetes_world import VAULT, is_settled, live_world
from tests.testbed.api import MERGE
from tests.testbed.cluster import TestCluster
from tests.unit.kubernetes.world import (
    PRINTS,
    World,
    config,
    declare,
    deletion,
    deployment,
    namespace,
    sealed,
    secret,
    widget,
    widget_crd,
)


@dataclass
class Stage:
    """A world with a namespace, and a way to be somebody else in it."""

    world: World
    namespace: str
    api: TestCluster | None
    folder: Path | None

    def other(self, text: str, api_version: str, changes: Mapping[str, Json], manager: str) -> None:
        """Set top-down nested values as another manager: keys are paths with dots only."""
        address = Address.parse(text)
        if self.folder is not None:
            change_as_foreign_manager(self.folder, address, changes, manager)
            return
        assert self.api is not None
        merge: JsonObject = {}
        for path, value in changes.items():
            *parents, last = path.replace("]", "").replace("[", ".", 1).split(".", 2 if "[" in path else -1)
            node = merge
            for part in parents:
                node = node.setdefault(part, {})
            node[last] = value
        self.api.api().request("PATCH", f"{self.path(text, api_version)}?fieldManager={manager}", merge, MERGE)

    def path(self, text: str, api_version: str) -> str:
        address = Address.parse(text)
        kind = self.world.cluster.kind(api_version, address.kind)
        assert kind is not None
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        inside = f"/namespaces/{address.namespace}" if address.namespace else ""
        return f"{root}{inside}/{kind.plural}/{address.name}"

    def create(self, document: JsonObject, manager: str) -> None:
        """Create an object as a plain POST of another manager."""
        if self.api is None:
            self.world.cluster.add(document, manager=manager)  # type: ignore[attr-defined]  # only a snapshot has it
            return
        name = document["metadata"]["name"]
        text = f"{document['kind']}/{document['metadata'].get('namespace', '')}/{name}".replace("//", "/")
        collection = self.path(text, document["apiVersion"]).rpartition("/")[0]
        self.api.api().create(f"{collection}?fieldManager={manager}", document)


@pytest.fixture(params=["live", "snapshot"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    if request.param == "snapshot":
        create_empty_snapshot(tmp_path, name="sandbox", namespaces=["demo"])
        yield Stage(World(open_snapshot(tmp_path), dict(VAULT)), "demo", None, tmp_path)
        return
    cluster: TestCluster = request.getfixturevalue("api_server")
    namespace: str = request.getfixturevalue("api_namespace")
    yield Stage(live_world(cluster), namespace, cluster, None)


def test_namespace_crd_and_custom_resource_in_one_plan(stage: Stage) -> None:
    group = f"g{uuid.uuid4().hex[:8]}.test"
    fresh = f"fresh-{uuid.uuid4().hex[:8]}"
    wanted = [
        declare(namespace(fresh)),
        declare(widget_crd(group)),
        declare(widget("w", 3, fresh, group)),
        declare(config("c", {"a": "1"}, fresh)),
        declare(secret("s", {"P": sealed("file:a#P", "first value")}, fresh)),
        declare(deployment("api", fresh)),
    ]
    look = stage.world.look(wanted)
    assert {a: p.blocked for a, p in look.previews.items() if p.blocked} == {}
    assert set(look.effects.values()) == {"create"}
    server = {address.kind for address, p in look.previews.items() if p.verified is VerifiedBy.SERVER}
    assert server == (set() if stage.api is None else {"Namespace", "CustomResourceDefinition"})
    for change in look.changes:
        stage.world.provider.apply(change, stage.world.vault)
    assert is_settled(stage.world, *wanted)
    states = stage.world.provider.readiness([c for c in look.changes if c.address.kind != "Deployment"])
    assert stage.api is not None or all(state.done and state.ok for state in states.values())
    for change in look.changes:
        assert stage.world.provider.apply(change, stage.world.vault).already


def test_a_story_of_updates_and_drift(stage: Stage) -> None:
    """One story; the fields that plans say along the way are compared with what is written here."""
    world, namespace = stage.world, stage.namespace
    api = f"Deployment.apps/{namespace}/api"
    first = declare(deployment("api", namespace))
    world.apply([first])
    assert is_settled(world, first)

    manifest = deployment("api", namespace, image="registry.test/api:2", replicas=3)
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "B", "value": "2"}, {"name": "A", "value": "one"}]
    container["resources"] = {"limits": {"cpu": "1000m"}}
    second = declare(manifest)
    look = world.look([second])
    prefix = "spec.template.spec.containers[name=api]"
    assert [f[:4] for f in look.fields(api)] == [
        ("spec.replicas", "change", 2, 3),
        (f"{prefix}.env", "change", ["[name=A]"], ["[name=B]", "[name=A]"]),
        (f"{prefix}.env[name=A].value", "change", "1", "one"),
        (f"{prefix}.env[name=B]", "add", None, {"name": "B", "value": "2"}),
        (f"{prefix}.image", "change", "registry.test/api:1", "registry.test/api:2"),
        (f"{prefix}.resources.limits", "add", None, {"cpu": "1"}),
    ]
    world.apply([second])
    assert is_settled(world, second)

    stage.other(api, "apps/v1", {"spec.replicas": 7, "metadata.annotations[x/y]": "z"}, "night-shift")
    look = world.look([second])
    preview = look.preview(api)
    assert look.fields(api) == [("spec.replicas", "change", 7, 3, "night-shift")]
    assert preview.drifted and preview.fields[0].time and preview.forced == (("spec", "replicas"),)
    reported = {(render_path(d.field.path), d.declared, d.field.manager) for d in preview.drift}
    assert reported == {("spec.replicas", True, "night-shift"), ("metadata.annotations[x/y]", False, "night-shift")}
    world.apply([second])
    live = world.live(api, "apps/v1")
    assert (live["spec"]["replicas"], live["metadata"]["annotations"]["x/y"]) == (3, "z")
    assert is_settled(world, second)


def test_adoption_and_conflicts(stage: Stage) -> None:
    world, namespace = stage.world, stage.namespace
    text = f"ConfigMap/{namespace}/c"
    stage.create(config("c", {"a": "theirs", "b": "same"}, namespace), "helm")
    manifest = config("c", {"a": "ours", "b": "same"}, namespace)
    preview = world.look([declare(manifest)]).preview(text)
    assert preview.blocked.startswith("data.a is managed by helm since ")
    wanted = declare(manifest, adopt_fields=["data.a"])
    look = world.look([wanted])
    assert str(look.change(text).action) == "adopt"
    assert [f[:2] for f in look.fields(text)] == [("data.a", "change"), ("metadata.labels[hwplan.dev/set]", "add")]
    world.apply([wanted])
    assert is_settled(world, wanted)
    without = declare(config("c", {"a": "ours"}, namespace))
    assert [f[1:] for f in world.look([without]).fields(text)] == [("disown", "same", "same", "helm")]
    world.apply([without])
    assert world.live(text)["data"] == {"a": "ours", "b": "same"}
    assert is_settled(world, without)


def test_ignored_fields(stage: Stage) -> None:
    world, namespace = stage.world, stage.namespace
    api = f"Deployment.apps/{namespace}/api"
    world.apply([declare(deployment("api", namespace), ignore_fields=["spec.replicas"])])
    stage.other(api, "apps/v1", {"spec.replicas": 9}, "autoscaler")
    moved = declare(deployment("api", namespace, image="registry.test/api:2"), ignore_fields=["spec.replicas"])
    world.apply([moved])
    assert world.live(api, "apps/v1")["spec"]["replicas"] == 9
    assert is_settled(world, moved)


def test_immutable_fields_and_replacing(stage: Stage) -> None:
    world, namespace = stage.world, stage.namespace
    api = f"Deployment.apps/{namespace}/api"
    world.apply([declare(deployment("api", namespace))])
    manifest = deployment("api", namespace)
    manifest["spec"]["selector"]["matchLabels"] = {"app": "other"}
    manifest["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    refused = world.look([declare(manifest)]).preview(api)
    assert (refused.effect, refused.blocked) == (PreviewEffect.REPLACE, "spec.selector: field is immutable")
    wanted = declare(manifest, replace_allowed=True)
    look = world.look([wanted])
    assert [f[:2] for f in look.fields(api)] == [
        ("spec.selector.matchLabels.app", "change"),
        ("spec.template.metadata.labels.app", "change"),
    ]
    before = world.live(api, "apps/v1")["metadata"]["uid"]
    world.apply([wanted])
    assert world.live(api, "apps/v1")["metadata"]["uid"] != before
    assert is_settled(world, wanted)


def test_client_side_apply_is_migrated(stage: Stage) -> None:
    world, namespace = stage.world, stage.namespace
    text = f"ConfigMap/{namespace}/c"
    if stage.api is not None:
        manifest = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1","old":"x"}}'
        answer = stage.api.run_kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest)
        assert answer.returncode == 0, answer.stderr
    else:
        document = config("c", {"a": "1", "old": "x"}, namespace)
        document["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
        stage.create(document, "kubectl-client-side-apply")
    wanted = declare(config("c", {"a": "2"}, namespace))
    look = world.look([wanted])
    assert look.preview(text).migrate
    assert [f[:2] for f in look.fields(text)] == [
        ("data.a", "change"),
        ("data.old", "remove"),
        ("metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]", "remove"),
        ("metadata.labels[hwplan.dev/set]", "add"),
    ]
    assert look.preview(text).verified is (VerifiedBy.SCHEMA if stage.api is None else VerifiedBy.SERVER)
    world.apply([wanted])
    live = world.live(text)
    assert live["data"] == {"a": "2"}
    assert {entry["manager"] for entry in live["metadata"]["managedFields"]} == {"hwplan"}
    assert is_settled(world, wanted)


def test_stale_plans_are_refused_and_deletes_are_exact(stage: Stage) -> None:
    world, namespace = stage.world, stage.namespace
    text = f"ConfigMap/{namespace}/c"
    wanted = declare(config("c", {"a": "1"}, namespace))
    world.apply([wanted])
    [change] = world.look([declare(config("c", {"a": "2"}, namespace))]).changes
    seen = world.look([wanted]).read.observations[wanted.address]
    assert isinstance(seen, PresentObject)
    stage.other(text, "v1", {"data.x": "y"}, "somebody")
    with pytest.raises(PreconditionError, match="last written by somebody"):
        world.provider.apply(change, {})
    with pytest.raises(PreconditionError):
        world.provider.delete(deletion(seen))
    seen = world.look([wanted]).read.observations[wanted.address]
    assert isinstance(seen, PresentObject)
    assert not world.provider.delete(deletion(seen)).already
    assert not world.is_there(text)
    assert world.provider.delete(deletion(seen)).already


def test_a_create_finds_the_name_taken(stage: Stage) -> None:
    world, namespace = stage.world, stage.namespace
    [change] = world.look([declare(config("c", {"a": "1"}, namespace))]).changes
    stage.create(config("c", {"a": "theirs"}, namespace), "somebody")
    with pytest.raises(PreconditionError, match="created since"):
        world.provider.apply(change, {})
    assert world.live(f"ConfigMap/{namespace}/c")["data"] == {"a": "theirs"}


def test_secrets(stage: Stage) -> None:
    world, namespace = stage.world, stage.namespace
    text = f"Secret/{namespace}/s"
    leaves = {"P": sealed("file:a#P", "first value"), "G": SealedSecret("generate:24", "")}
    wanted = declare(secret("s", leaves, namespace))
    created = world.look([wanted]).preview(text)
    assert created.verified is (VerifiedBy.SCHEMA if stage.api is None else VerifiedBy.SERVER)
    world.apply([wanted])
    data = world.live(text)["data"]
    if stage.api is not None:
        assert base64.b64decode(data["P"]) == b"first value"
        assert len(base64.b64decode(data["G"])) == 24
    assert is_settled(world, wanted)
    moved = declare(secret("s", {**leaves, "P": sealed("file:b#P", "second value")}, namespace))
    look = world.look([moved])
    first, second = PRINTS.fingerprint(b"first value"), PRINTS.fingerprint(b"second value")
    assert look.fields(text) == [("data.P", "change", first, second, "")]
    world.apply([moved])
    assert world.live(text)["data"]["G"] == data["G"]
    assert is_settled(world, moved)


def test_pull_secrets_can_be_previewed(stage: Stage) -> None:
    manifest = secret("pull", {".dockerconfigjson": sealed("file:a#P", '{"auths":{}}')}, stage.namespace)
    manifest["type"] = "kubernetes.io/dockerconfigjson"
    stage.world.vault["file:a#P"] = SecretValue(b'{"auths":{}}')
    wanted = declare(manifest)
    assert stage.world.look([wanted]).preview(f"Secret/{stage.namespace}/pull").blocked == ""
    stage.world.apply([wanted])
    assert is_settled(stage.world, wanted)


def test_invalid_documents_are_blocked_without_their_values(stage: Stage) -> None:
    manifest = deployment("api", stage.namespace)
    manifest["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "canary-value"
    manifest["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = 5
    preview = stage.world.look([declare(manifest)]).preview(f"Deployment.apps/{stage.namespace}/api")
    assert "imagePullPolicy" in preview.blocked
    assert "canary-value" not in preview.blocked + preview.evidence + preview.remedy


def test_force_never_takes_more_than_planned(stage: Stage) -> None:
    world, namespace = stage.world, stage.namespace
    api = f"Deployment.apps/{namespace}/api"
    manifest = deployment("api", namespace)
    manifest["spec"]["minReadySeconds"] = 5
    wanted = declare(manifest)
    world.apply([wanted])
    stage.other(api, "apps/v1", {"spec.replicas": 7, "spec.minReadySeconds": 9}, "night-shift")
    change = world.look([wanted]).change(api)
    assert set(change.forced) == {("spec", "replicas"), ("spec", "minReadySeconds")}
    with pytest.raises(ApplyConflict):
        world.provider.apply(replace(change, forced=(("spec", "replicas"),)), {})
    assert world.live(api, "apps/v1")["spec"]["replicas"] == 7
