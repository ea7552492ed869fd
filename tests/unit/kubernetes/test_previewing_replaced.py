"""The preview of a replace: what the new object holds, and what of the old one goes. Simulated cluster."""

from __future__ import annotations

from pathlib import Path

from planner.address import Address
from planner.ports import PreviewEffect
from planner.side_effects.pod_disruptions import effects_on_workload
from planner.values import JsonObject
from providers.kubernetes.snapshot.foreign_manager import change_as_foreign_manager
from tests.unit.kubernetes.world import World, declare, deployment

_SERVICE = "Service/demo/s"
_DEPLOYMENT = "Deployment.apps/demo/api"


def _service(**spec: object) -> JsonObject:
    meta = {"name": "s", "namespace": "demo"}
    whole = {"selector": {"a": "b"}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": whole}


def test_a_service_made_headless_shows_no_address_of_the_old_one(world: World) -> None:
    world.apply([declare(_service())])
    assert world.live(_SERVICE)["spec"]["clusterIPs"] != ["None"]
    look = world.look([declare(_service(clusterIP="None"), replace_allowed=True)])
    assert look.preview(_SERVICE).effect is PreviewEffect.REPLACE
    assert [(path, after) for path, _, _, after, _ in look.fields(_SERVICE)] == [("spec.clusterIP", "None")]
    (effect,) = effects_on_workload(look.change(_SERVICE), None, ())
    assert "another cluster IP" not in effect.text


def test_what_others_put_on_the_old_object_goes_with_it(world: World, folder: Path) -> None:
    world.apply([declare(deployment("api"))])
    address, annotations = Address.parse(_DEPLOYMENT), "metadata.annotations"
    change_as_foreign_manager(folder, address, {f"{annotations}.who": "me"}, "somebody")
    revision = f"{annotations}[deployment.kubernetes.io/revision]"
    change_as_foreign_manager(folder, address, {revision: "3"}, "kube-controller-manager")
    manifest = deployment("api")
    manifest["spec"]["selector"]["matchLabels"] = {"app": "other"}
    manifest["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    look = world.look([declare(manifest, replace_allowed=True)])
    lost = [path for path, op, *_ in look.fields(_DEPLOYMENT) if op == "remove"]
    assert lost == ["metadata.annotations.who"]
