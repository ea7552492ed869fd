"""An update that takes a part away goes after the changes that stop using it, and not where it adds what they need."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from planner.address import Address, address_of_document
from planner.graph import build_graph
from planner.plan import Action, ClusterIdentity, Plan, Selection
from planner.planning import PlanInputs, make_plan
from planner.ports import Preview, PreviewEffect
from planner.values import JsonObject
from tests.unit.kubernetes.world import config, declare, deployment
from tests.unit.planning.live_objects import SET, live

Pair = tuple[JsonObject, JsonObject]  # an object as it lives and as it is declared
RBAC = "rbac.authorization.k8s.io/v1"


def made(kind: str, name: str, api_version: str = "v1", **parts: Any) -> JsonObject:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "demo"}, **parts}


def plan_of(*pairs: Pair, gone: tuple[JsonObject, ...] = ()) -> Plan:
    """Every pair is an update; what is `gone` is pruned."""
    resources = {address_of_document(new): declare(new, owned_by=SET) for _, new in pairs}
    return make_plan(
        PlanInputs(
            Selection(),
            ClusterIdentity("u", "s"),
            "c",
            build_graph(list(resources.values())),
            resources,
            {address_of_document(old): live(old) for old, _ in pairs},
            {
                address_of_document(new): Preview(PreviewEffect.UPDATE if old != new else PreviewEffect.NONE)
                for old, new in pairs
            },
            strays=tuple(live(one) for one in gone),
        )
    )  # fmt: skip


def order(plan: Plan) -> list[str]:
    return [f"{change.address.kind}/{change.address.name}" for change in plan.changes]


def env(*keys: str, kind: str = "configMapKeyRef", name: str = "c") -> JsonObject:
    found = deployment("web")
    variables = [{"name": key, "valueFrom": {kind: {"name": name, "key": key}}} for key in keys]
    found["spec"]["template"]["spec"]["containers"][0]["env"] = variables
    return found


def pod(**fields: Any) -> JsonObject:
    found = deployment("web")
    found["spec"]["template"]["spec"].update(fields)
    return found


def mounts(*keys: str) -> JsonObject:
    return pod(
        volumes=[{"name": "v", "configMap": {"name": "c", "items": [{"key": key, "path": key} for key in keys]}}]
    )


def service(*ports: str) -> JsonObject:
    return made("Service", "s", spec={"ports": [{"name": port, "port": 80 + at} for at, port in enumerate(ports)]})


def ingress(port: str) -> JsonObject:
    backend = {"service": {"name": "s", "port": {"name": port}}}
    return made("Ingress", "i", "networking.k8s.io/v1", spec={"defaultBackend": backend})


def task(*results: str) -> JsonObject:
    return made("Task", "t", "tekton.dev/v1", spec={"results": [{"name": one} for one in results], "steps": []})


def pipeline(result: str) -> JsonObject:
    value = f"$(tasks.build.results.{result})" if result else "none"
    tasks = [{"name": "build", "taskRef": {"name": "t"}}, {"name": "x", "params": [{"name": "p", "value": value}]}]
    return made("Pipeline", "p", "tekton.dev/v1", spec={"tasks": tasks})


def role(*verbs: str) -> JsonObject:
    return made("Role", "r", RBAC, rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}])


def binding(*accounts: str) -> JsonObject:
    subjects = [{"kind": "ServiceAccount", "name": one, "namespace": "demo"} for one in accounts]
    return made("RoleBinding", "b", RBAC, roleRef={"kind": "Role", "name": "r"}, subjects=subjects)


def hpa(container: str) -> JsonObject:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metric = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": container}}
    return made("HorizontalPodAutoscaler", "h", "autoscaling/v2", spec={"scaleTargetRef": target, "metrics": [metric]})


def with_containers(*names: str) -> JsonObject:
    return pod(
        containers=[
            {"name": name, "image": "i", "ports": [{"name": f"p-{name}", "containerPort": 1}]} for name in names
        ]
    )


def to_port(name: str) -> JsonObject:
    return made("Service", "s", spec={"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": name}]})


def project(*sources: str) -> JsonObject:
    return made("AppProject", "a", "argoproj.io/v1alpha1", spec={"sourceRepos": list(sources)})


def application(source: str) -> JsonObject:
    return made("Application", "app", "argoproj.io/v1alpha1", spec={"project": "a", "source": {"repoURL": source}})


BOUND = (binding("a"), binding("a"))
CASES: dict[str, tuple[list[Pair], str, str]] = {  # what changes, what stops using, what takes away
    "key of a ConfigMap": (
        [(config("c", {"a": "", "b": ""}), config("c", {"b": ""})), (env("a", "b"), env("b"))],
        "Deployment/web",
        "ConfigMap/c",
    ),
    "key of a Secret": (
        [
            (made("Secret", "c", data={"a": "", "b": ""}), made("Secret", "c", data={"b": ""})),
            (env("a", kind="secretKeyRef"), env()),
        ],
        "Deployment/web",
        "Secret/c",
    ),
    "key of a volume": (
        [(config("c", {"a": "", "b": ""}), config("c", {"b": ""})), (mounts("a", "b"), mounts("b"))],
        "Deployment/web",
        "ConfigMap/c",
    ),
    "key of a mount that goes": (
        [
            (config("c", {"a": "", "b": ""}), config("c", {"b": ""})),
            (pod(volumes=[{"name": "v", "configMap": {"name": "c"}}]), pod()),
        ],
        "Deployment/web",
        "ConfigMap/c",
    ),
    "key of a whole environment that goes": (
        [
            (config("c", {"a": "", "b": ""}), config("c", {"b": ""})),
            (pod(containers=[{"name": "a", "envFrom": [{"configMapRef": {"name": "c"}}]}]), pod()),
        ],
        "Deployment/web",
        "ConfigMap/c",
    ),
    "port of a Service": (
        [(service("http", "old"), service("http")), (ingress("old"), ingress("http"))],
        "Ingress/i",
        "Service/s",
    ),
    "result of a Task": (
        [(task("digest", "url"), task("url")), (pipeline("digest"), pipeline("url"))],
        "Pipeline/p",
        "Task/t",
    ),
    "rule of a Role": (
        [
            (role("get", "list"), role("get")),
            BOUND,
            (pod(serviceAccountName="a"), pod(serviceAccountName="a", hostNetwork=True)),
        ],
        "Deployment/web",
        "Role/r",
    ),
    "account of a binding": (
        [
            (role("get"), role("get")),
            (binding("a", "b"), binding("b")),
            (pod(serviceAccountName="a"), pod(serviceAccountName="b")),
        ],
        "Deployment/web",
        "RoleBinding/b",
    ),
    "name of a container": (
        [(with_containers("a", "b"), with_containers("b")), (hpa("a"), hpa("b"))],
        "HorizontalPodAutoscaler/h",
        "Deployment/web",
    ),
    "named port of a container": (
        [(with_containers("a", "b"), with_containers("b")), (to_port("p-a"), to_port("p-b"))],
        "Service/s",
        "Deployment/web",
    ),
    "source of a project": (
        [(project("x", "y"), project("y")), (application("x"), application("y"))],
        "Application/app",
        "AppProject/a",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_stops_using_a_part_goes_before_the_part(case: str) -> None:
    pairs, user, shrinking = CASES[case]
    plan = plan_of(*pairs)
    found = order(plan)
    assert found.index(user) < found.index(shrinking) and not plan.warnings
    by_name = dict(zip(found, plan.changes, strict=True))
    assert by_name[user].address in by_name[shrinking].needs
    assert by_name[shrinking].address not in by_name[user].needs


@pytest.mark.parametrize("case", CASES)
def test_the_other_way_round_what_is_added_goes_first(case: str) -> None:
    pairs, user, growing = CASES[case]
    plan = plan_of(*((copy.deepcopy(new), copy.deepcopy(old)) for old, new in pairs))
    found = dict(zip(order(plan), plan.changes, strict=True))
    assert found[user].address not in found[growing].needs and not plan.warnings


def test_a_key_that_is_renamed_has_no_order_and_the_plan_says_so() -> None:
    plan = plan_of((config("c", {"a": ""}), config("c", {"b": ""})), (env("a"), env("b")))
    assert order(plan) == ["ConfigMap/c", "Deployment/web"]
    (warning,) = plan.warnings
    assert "ConfigMap/demo/c loses key a, which Deployment.apps/demo/web uses until it is updated" in warning


def test_a_user_of_everything_takes_it_as_it_comes() -> None:
    whole = pod(containers=[{"name": "a", "envFrom": [{"configMapRef": {"name": "c"}}]}])
    changed = copy.deepcopy(whole)
    changed["spec"]["replicas"] = 5
    plan = plan_of((config("c", {"a": "", "b": ""}), config("c", {"b": ""})), (whole, changed))
    assert order(plan) == ["ConfigMap/c", "Deployment/web"] and not plan.warnings


def test_a_role_that_gains_rights_goes_first() -> None:
    users = (pod(serviceAccountName="a"), pod(serviceAccountName="a", hostNetwork=True))
    plan = plan_of((role("get", "list"), role("get", "watch")), BOUND, users)
    assert order(plan) == ["Role/r", "Deployment/web"]


def test_a_rule_that_is_written_otherwise_takes_nothing_away() -> None:
    split = made("Role", "r", RBAC, rules=[*role("get")["rules"], *role("list")["rules"]])
    users = (pod(serviceAccountName="a"), pod(serviceAccountName="a", hostNetwork=True))
    assert order(plan_of((role("get", "list"), split), BOUND, users)) == ["Role/r", "Deployment/web"]


def test_a_user_that_is_deleted_goes_before_the_part_too() -> None:
    plan = plan_of((config("c", {"a": "", "b": ""}), config("c", {"b": ""})), gone=(env("a"),))
    assert [(str(one.action), one.address.name) for one in plan.changes] == [("delete", "web"), ("update", "c")]
    assert plan.changes[1].needs == (plan.changes[0].address,) and not plan.changes[0].needs


def test_an_object_that_must_come_between_is_respected() -> None:
    """The user depends on something that depends on the shrinking object: the order that is declared wins, with a
    warning."""
    between = config("m", {"x": "1"})
    between["metadata"]["annotations"] = {"hwplan.dev/depends-on": "ConfigMap/demo/c"}
    user_old, user_new = env("a"), env()
    user_new["metadata"]["annotations"] = {"hwplan.dev/depends-on": "ConfigMap/demo/m"}
    pairs = [
        (config("c", {"a": "", "b": ""}), config("c", {"b": ""})),
        (config("m", {}), between),
        (user_old, user_new),
    ]
    resources = {address_of_document(new): declare(new, owned_by=SET) for _, new in pairs}
    for address, on in (("ConfigMap/demo/m", "ConfigMap/demo/c"), ("Deployment.apps/demo/web", "ConfigMap/demo/m")):
        one = resources[Address.parse(address)]
        options = replace(one.options, depends_on=(Address.parse(on),))
        resources[one.address] = replace(one, options=options)
    plan = make_plan(
        PlanInputs(
            Selection(), ClusterIdentity("u", "s"), "c", build_graph(list(resources.values())), resources,
            {address_of_document(old): live(old) for old, _ in pairs},
            {address: Preview(PreviewEffect.UPDATE) for address in resources},
        )
    )  # fmt: skip
    assert order(plan) == ["ConfigMap/c", "ConfigMap/m", "Deployment/web"]
    assert len(plan.warnings) == 1


def test_a_create_uses_what_will_be() -> None:
    plan = plan_of((config("c", {"a": "", "b": ""}), config("c", {"b": ""})))
    assert order(plan) == ["ConfigMap/c"] and plan.changes[0].action is Action.UPDATE
