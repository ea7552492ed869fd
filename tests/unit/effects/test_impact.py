"""What a change of one resource reaches: a table of kinds, each beside the resource that has to notice or must not."""

from __future__ import annotations

import pytest

from planner.address import Address
from planner.errors import GraphError
from planner.graph import build_graph
from planner.render.impact_text import impact_document, render_impact
from planner.resource import Resource
from planner.side_effects.change_impact import ChangeImpact, impact_of_change
from tests.unit.effects.world import config, workload
from tests.unit.graph.stacks import resources

FROM_CONFIG = "envFrom: [{configMapRef: {name: conf}}]"
FROM_SECRET = "envFrom: [{secretRef: {name: conf}}]"
MOUNTED = "volumes: [{name: v, configMap: {name: conf}}]"


def own(kind: str, name: str, spec: str, after: str = "") -> str:
    """A resource of one of hwplan's own kinds that comes after `after`."""
    needs = f", annotations: {{hwplan.dev/depends-on: {after}}}" if after else ""
    return f"---\napiVersion: hwplan.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}{needs}}}\nspec: {{{spec}}}\n"


def cron_job(container: str) -> str:
    """A CronJob that runs one container."""
    pod = f"{{template: {{spec: {{containers: [{{name: c, image: 'a:1', {container}}}]}}}}}}"
    return (
        "---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly, namespace: demo}\n"
        f"spec: {{schedule: 0 1 * * *, jobTemplate: {{spec: {pod}}}}}\n"
    )


RESTART = own("Restart", "again", 'target: Deployment.apps/demo/web, "on": [ConfigMap/demo/conf]')
ALWAYS = own("Restart", "again", "target: Deployment.apps/demo/web, when: always", "ConfigMap/demo/conf")
SOURCE = own("SecretSource", "conf", "target: demo/conf")
PROBE = own("HttpProbe", "up", "url: x", "Deployment.apps/demo/web")
IMAGE = own("RegistryImage", "api", 'target: "r.test/a:1", build: {context: .}')
BY_DIGEST = config("ConfigMap", "conf", image="REF RegistryImage/api#digest")
CRON = cron_job(FROM_CONFIG)
TASK = "---\napiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: build, namespace: demo}\nspec: {steps: []}\n"

CASES = {
    "env, nothing restarts it": (
        "ConfigMap/demo/conf",
        config(a="1") + workload("Deployment", container=FROM_CONFIG),
        ["keeps the old value Deployment.apps/demo/web"],
        [],
    ),
    "a mounted file is refreshed": (
        "ConfigMap/demo/conf",
        config(a="1") + workload("Deployment", pod=MOUNTED, container="volumeMounts: [{name: v, mountPath: /x}]"),
        ["takes effect later Deployment.apps/demo/web"],
        [],
    ),
    "nobody reads it": (
        "ConfigMap/demo/conf",
        config(a="1") + workload("Deployment"),
        ["takes effect later ConfigMap/demo/conf"],
        [],
    ),
    "a restart follows it": (
        "ConfigMap/demo/conf",
        config(a="1") + workload("Deployment", replicas=2, container=FROM_CONFIG) + RESTART,
        ["pods restart Deployment.apps/demo/web", "pods restart Deployment.apps/demo/web"],
        ["Deployment.apps/demo/web restarts", "Restart/again runs"],
    ),
    "a restart follows whatever it needs": (
        "ConfigMap/demo/conf",
        config(a="1") + workload("Deployment", replicas=2) + ALWAYS,
        ["pods restart Deployment.apps/demo/web", "takes effect later ConfigMap/demo/conf"],
        ["Deployment.apps/demo/web restarts", "Restart/again runs"],
    ),
    "a secret that a source writes": (
        "SecretSource/conf",
        SOURCE + workload("Deployment", container=FROM_SECRET),
        ["keeps the old value Deployment.apps/demo/web"],
        [],
    ),
    "a probe is asked again": (
        "Deployment.apps/demo/web",
        workload("Deployment", replicas=2) + PROBE,
        ["pods restart Deployment.apps/demo/web"],
        ["HttpProbe/up is checked again"],
    ),
    "one replica is a gap": (
        "StatefulSet.apps/demo/web",
        workload("StatefulSet"),
        ["downtime StatefulSet.apps/demo/web", "known callers StatefulSet.apps/demo/web"],
        [],
    ),
    "an image by its tag": (
        "RegistryImage/api",
        IMAGE + workload("Deployment", image="r.test/a:1"),
        ["runs RegistryImage/api", "takes effect later Deployment.apps/demo/web"],
        [],
    ),
    "an image by its digest, through a configuration": (
        "RegistryImage/api",
        IMAGE + BY_DIGEST + workload("Deployment", container=FROM_CONFIG),
        ["keeps the old value Deployment.apps/demo/web", "runs RegistryImage/api"],
        ["ConfigMap/demo/conf changes with it"],
    ),
    "a schedule": ("ConfigMap/demo/conf", config(a="1") + CRON, ["takes effect later CronJob.batch/demo/nightly"], []),
    "a task": ("Task.tekton.dev/demo/build", TASK, ["takes effect later Task.tekton.dev/demo/build"], []),
}


def impact(address: str, text: str) -> tuple[ChangeImpact, list[Resource]]:
    declared = resources(text)
    return impact_of_change(
        Address.parse(address), {one.address: one for one in declared}, build_graph(declared)
    ), declared


@pytest.mark.parametrize("case", CASES)
def test_what_follows(case: str) -> None:
    address, text, sets_off, touched = CASES[case]
    found, declared = impact(address, text)
    assert [f"{one.kind.value} {one.address}" for one in found.sets_off] == sets_off
    assert [f"{one.address} {one.touch.value}" for one in found.touched] == touched
    assert impact(address, "---".join(reversed(text.split("---"))))[0] == found
    assert render_impact(found, build_graph(declared)).startswith(f"a change of {address}: ")


def test_everything_behind_it_is_named_with_a_shortest_way() -> None:
    text = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: demo}\n" + config(a="1")
    text += workload("Deployment", container=FROM_CONFIG) + PROBE
    found, declared = impact("Namespace/demo", text)
    ways = {str(way[-1].after): [edge.rule for edge in way] for way in found.dependents}
    assert ways == {
        "ConfigMap/demo/conf": ["namespace"],
        "Deployment.apps/demo/web": ["namespace"],
        "HttpProbe/up": ["namespace", "depends-on"],
    }
    assert render_impact(found, build_graph(declared)).splitlines() == [
        "a change of Namespace/demo: 0 effects, 1 changed or run with it, 3 applied after it",
        "",
        "changes or runs with it",
        "  HttpProbe/up  is checked again: Deployment.apps/demo/web"
        " (depends-on: metadata.annotations[hwplan.dev/depends-on])",
        "",
        "is applied after it",
        "  ConfigMap/demo/conf       namespace: metadata.namespace",
        "  Deployment.apps/demo/web  namespace: metadata.namespace",
        "  HttpProbe/up              through Deployment.apps/demo/web,"
        " depends-on: metadata.annotations[hwplan.dev/depends-on]",
    ]
    assert [row["address"] for row in impact_document(found)["dependents"]] == list(ways)  # type: ignore[attr-defined]


def test_what_reaches_nothing_says_so() -> None:
    found, declared = impact(
        "LimitRange/demo/a", "apiVersion: v1\nkind: LimitRange\nmetadata: {name: a, namespace: demo}"
    )
    expected = "a change of LimitRange/demo/a reaches nothing else that is declared"
    assert render_impact(found, build_graph(declared)) == expected


def test_an_unknown_address_names_the_closest() -> None:
    declared = resources(config(a="1"))
    with pytest.raises(GraphError, match="is not in the graph") as caught:
        impact_of_change(
            Address.parse("ConfigMap/demo/con"), {one.address: one for one in declared}, build_graph(declared)
        )
    assert caught.value.remedy == "did you mean ConfigMap/demo/conf?"
