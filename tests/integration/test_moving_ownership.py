"""Fields that left the manifest, on a real API server and on a snapshot: both must say the same and do the same."""

from __future__ import annotations

import copy

import pytest

from planner.plan import VerifiedBy
from planner.values import JsonObject
from tests.integration.kubernetes_world import is_settled
from tests.integration.test_kubernetes_provider import Stage
from tests.integration.test_kubernetes_provider import stage as stage
from tests.unit.kubernetes.world import declare, deployment, widget, widget_crd


def rich(namespace: str) -> JsonObject:
    document = deployment("api", namespace)
    spec = document["spec"]["template"]["spec"]
    spec["serviceAccountName"] = "builder"
    spec["containers"][0]["resources"] = {"requests": {"cpu": "1000m", "memory": "1024Mi"}}
    spec["containers"][0]["env"] = [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/v", "readOnly": False}]
    spec["volumes"] = [{"name": "v", "emptyDir": {}}]
    return document


def test_what_the_server_derived_goes_with_its_field(stage: Stage) -> None:
    """The deprecated twin of an account, and the parameters of a strategy that would refuse the new one."""
    world, text = stage.world, f"Deployment.apps/{stage.namespace}/api"
    first = rich(stage.namespace)
    world.apply([declare(first)])
    second = copy.deepcopy(first)
    second["spec"]["strategy"] = {"type": "Recreate"}
    del second["spec"]["template"]["spec"]["serviceAccountName"]
    wanted = declare(second)
    look = world.look([wanted])
    assert not look.preview(text).blocked
    assert look.preview(text).verified is (VerifiedBy.SCHEMA if stage.api is None else VerifiedBy.SERVER)
    assert [f[:2] for f in look.fields(text)] == [
        ("spec.strategy.rollingUpdate", "remove"),
        ("spec.strategy.type", "change"),
        ("spec.template.spec.serviceAccount", "remove"),
        ("spec.template.spec.serviceAccountName", "remove"),
    ]
    world.apply([wanted])
    live = world.live(text, "apps/v1")
    assert live["spec"]["strategy"] == {"type": "Recreate"}
    assert "serviceAccount" not in live["spec"]["template"]["spec"]
    assert is_settled(world, wanted)


def test_a_parameter_that_somebody_set_stands_in_the_way_until_it_is_taken_over(stage: Stage) -> None:
    world, text = stage.world, f"Deployment.apps/{stage.namespace}/api"
    world.apply([declare(deployment("api", stage.namespace))])
    stage.other(text, "apps/v1", {"spec.strategy.rollingUpdate.maxSurge": "40%"}, "kubectl-edit")
    second = deployment("api", stage.namespace)
    second["spec"]["strategy"] = {"type": "Recreate"}
    preview = world.look([declare(second)]).preview(text)
    assert "may not be specified when strategy `type` is 'Recreate'" in preview.blocked
    assert "hwplan.dev/take-over" in preview.remedy and "kubectl-edit" in preview.remedy
    taking = declare(second, take_over=("kubectl-edit",))
    world.apply([taking])
    assert world.live(text, "apps/v1")["spec"]["strategy"] == {"type": "Recreate"}
    assert is_settled(world, taking)


@pytest.mark.parametrize("manager", ["kubectl-create", "helm"])
def test_the_same_in_another_spelling_is_adopted_whole(stage: Stage, manager: str) -> None:
    world, text = stage.world, f"Deployment.apps/{stage.namespace}/api"
    stage.create(rich(stage.namespace), manager)
    wanted = declare(rich(stage.namespace))
    look = world.look([wanted])
    assert not look.preview(text).blocked, look.preview(text).blocked
    assert [f[0] for f in look.fields(text)] == ["metadata.labels[hwplan.dev/set]"]
    world.apply([wanted])
    assert is_settled(world, wanted)


def test_undeclared_fields_are_reset(stage: Stage) -> None:
    world, text = stage.world, f"Deployment.apps/{stage.namespace}/api"
    world.apply([declare(deployment("api", stage.namespace))])
    stage.other(text, "apps/v1", {"spec.minReadySeconds": 30}, "kubectl-edit")
    resetting = declare(deployment("api", stage.namespace), reset_undeclared=True)
    assert [f[:2] for f in world.look([resetting]).fields(text)] == [("spec.minReadySeconds", "remove")]
    world.apply([resetting])
    assert "minReadySeconds" not in world.live(text, "apps/v1")["spec"]
    assert is_settled(world, resetting)


def test_a_null_that_means_something_is_stored(stage: Stage) -> None:
    group = f"nulls-{stage.namespace}.test"
    crd = widget_crd(group)
    fields = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    fields["color"] = {"type": "string", "nullable": True, "default": "red"}
    fields["values"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    fields["plain"] = {"type": "string"}
    custom = widget("w", 3, stage.namespace, group)
    custom["spec"] |= {"color": None, "plain": None, "values": {"limits": {"cpu": None}}}
    world, text = stage.world, f"Widget.{group}/{stage.namespace}/w"
    world.apply([declare(crd)])
    wanted = declare(custom)
    world.apply([wanted])
    spec = world.live(text, f"{group}/v1")["spec"]
    assert spec["color"] is None and "color" in spec and "plain" not in spec
    assert spec["values"] == {"limits": {"cpu": None}}
    assert is_settled(world, wanted)
    del custom["spec"]["color"]
    wanted = declare(custom)
    world.apply([wanted])
    assert world.live(text, f"{group}/v1")["spec"]["color"] == "red"
    assert is_settled(world, wanted)
