"""What goes live only with the next delivery: who starts it, and what is missing until then."""

from __future__ import annotations

from pathlib import Path

from planner.address import Address
from planner.plan import SideEffectKind
from planner.resource import Resource
from planner.side_effects import UntouchedObjects
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from tests.unit.effects.world import config, set_off_with_callers

HOLDER = Address.parse("ConfigMap/ci/gitops")
SERVICE = (
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: demo}\n"
    "spec: {selector: {app: api}, ports: [{port: 80}]}\n"
)


def application(policy: str) -> str:
    """An Application of Argo CD."""
    return (
        "---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop, namespace: argocd}\n"
        f"spec: {{project: default, syncPolicy: {policy}}}\n"
    )


def deployment(name: str, image: str = "a:1") -> Resource:
    """A Deployment as it is delivered: it reads the ConfigMap `conf`."""
    box: JsonObject = {"name": "c", "image": image, "envFrom": [{"configMapRef": {"name": "conf"}}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [box]}}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "demo"},
        "spec": {"template": template},
    }
    return Resource(Address.parse(f"Deployment.apps/demo/{name}"), "apps/v1", manifest, "", "", SourceRef("x.yaml"))


def delivery(
    before: tuple[Resource, ...], after: tuple[Resource, ...], old: str, new: str, tmp_path: Path
) -> list[str]:
    """What is said of the next delivery of one lane."""
    others = UntouchedObjects((), {HOLDER: after}, {HOLDER: before}, (), True)
    found = set_off_with_callers(old, new, tmp_path, others=others, place="D601/v03")
    return [one.text for one in found if one.kind is SideEffectKind.DELIVERY]


def test_who_starts_it_by_which_verb_and_who_syncs(tmp_path: Path) -> None:
    one, two = (deployment("api"),), (deployment("api", "a:2"),)
    [text] = delivery(one, two, "", application("{automated: {prune: true}}"), tmp_path)
    assert text.startswith("changes Deployment.apps/demo/api; this plan does not start it. ")
    assert "hwplan trigger --node D601 --lane v03 --confirm does, or a merge that hwplan prs --lane v03" in text
    assert "Application shop syncs it by itself (autosync)" in text
    [text] = delivery(one, two, "", application("{syncOptions: [CreateNamespace=true]}"), tmp_path)
    assert "Application shop syncs it when it is asked to" in text
    [text] = delivery(one, two, "", config(a="1"), tmp_path)
    assert "no Application in this plan" in text


def test_what_the_old_workload_lacks_until_then(tmp_path: Path) -> None:
    one = (deployment("api"),)
    [text] = delivery(one, (), config(a="1") + SERVICE, "", tmp_path)
    assert "deletes Deployment.apps/demo/api" in text
    assert (
        "Until then Deployment api runs without ConfigMap conf, Service api: a pod of it that starts in between" in text
    )
    assert "nobody reaches it by name" in text
    [text] = delivery(one, (), config(name="unrelated", a="1"), "", tmp_path)
    assert "Until then" not in text


def test_the_same_manifests_say_nothing(tmp_path: Path) -> None:
    assert delivery((deployment("api"),), (deployment("api"),), config(a="1"), "", tmp_path) == []
    assert delivery((), (deployment("api"),), "", config(a="1"), tmp_path) == []
