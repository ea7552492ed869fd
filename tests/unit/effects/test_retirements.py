"""What a deletion retires, what still names it, and whether a Pipeline fits together afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.address import Address
from planner.plan import SideEffectKind
from planner.resource import Resource
from planner.side_effects import UntouchedObjects
from planner.source_line_ref import SourceRef
from tests.unit.effects.world import config, set_off, workload

HOLDER = Address.parse("ConfigMap/ci/gitops")


KEPT = config(name="retained", a="1")


def service(name: str, label: str) -> str:
    """A Service with the label of an application."""
    return (
        f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: demo, labels: "
        f"{{app.kubernetes.io/name: {label}}}}}\nspec: {{ports: [{{port: 80}}]}}\n"
    )


def deployment(name: str, **env: str) -> Resource:
    """A Deployment as it lives, or is delivered."""
    variables = [{"name": key, "value": value} for key, value in env.items()]
    pod = {"containers": [{"name": "c", "image": "a:1", "env": variables}]}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "demo", "labels": {"app.kubernetes.io/name": name}},
        "spec": {"template": {"spec": pod}},
    }
    return Resource(Address.parse(f"Deployment.apps/demo/{name}"), "apps/v1", manifest, "", "", SourceRef("(live)"))


def retired(before: str, after: str, tmp_path: Path, others: UntouchedObjects) -> list[str]:
    """The texts about what retires."""
    found = set_off(before, after, tmp_path, others=others)
    return [one.text for one in found if one.kind is SideEffectKind.RETIRE]


def test_objects_of_one_application_are_one_entry(tmp_path: Path) -> None:
    before = service("notifier-web", "notifier") + config(name="notifier-settings", a="1") + config(name="other", a="1")
    [text] = retired(before, config(name="other", a="1"), tmp_path, UntouchedObjects(looked_at=True))
    assert text == (
        "notifier: 2 objects deleted (Service notifier-web, ConfigMap notifier-settings); "
        "no object references it any more (looked at 1 declared and 0 live objects; "
        "calls by the code of a service are not seen)"
    )


def test_the_name_in_the_text_of_a_live_object_is_found(tmp_path: Path) -> None:
    caller = deployment("caller", URL="http://notifier:8093/x", OTHER="notifier-old")
    [text] = retired(
        service("notifier", "notifier") + KEPT, KEPT, tmp_path, UntouchedObjects(live=(caller,), looked_at=True)
    )
    assert "its name still stands in Deployment.apps/demo/caller (spec.template.spec.containers[name=c].env" in text
    assert "nothing references it" not in text


def test_a_longer_name_is_another_one(tmp_path: Path) -> None:
    caller = deployment("caller", URL="http://notifier-old:8093/x")
    [text] = retired(
        service("notifier", "notifier") + KEPT, KEPT, tmp_path, UntouchedObjects(live=(caller,), looked_at=True)
    )
    assert "no object references it any more" in text


@pytest.mark.parametrize(("live", "words"), [(True, "lives, is not declared here, and stays"), (False, "")])
def test_a_workload_that_nobody_deletes_is_said(live: bool, words: str, tmp_path: Path) -> None:
    others = UntouchedObjects(live=(deployment("notifier"),) if live else (), looked_at=True)
    [text] = retired(service("notifier", "notifier") + KEPT, KEPT, tmp_path, others)
    assert ("its Deployment notifier " in text and words in text) is live


def test_a_workload_that_is_delivered_no_longer(tmp_path: Path) -> None:
    others = UntouchedObjects(delivered_before={HOLDER: (deployment("notifier"),)}, looked_at=True)
    [text] = retired(service("notifier", "notifier") + KEPT, KEPT, tmp_path, others)
    assert "ConfigMap gitops no longer delivers its Deployment notifier, which stays until the next delivery" in text
    assert text.endswith("whoever delivers it has to delete it")


def test_what_could_not_be_looked_at_is_named(tmp_path: Path) -> None:
    others = UntouchedObjects(unlisted=("jobs of demo (forbidden)",), looked_at=True)
    [text] = retired(service("notifier", "notifier") + KEPT, KEPT, tmp_path, others)
    assert text.endswith("not looked at: jobs of demo (forbidden)")


def reading(name: str, template: str) -> Resource:
    """A delivered Deployment that takes all keys of `conf`; `template` makes its pods others."""
    one = deployment(name, VERSION=template)
    pod = one.manifest["spec"]["template"]["spec"]
    pod["containers"][0]["envFrom"] = [{"configMapRef": {"name": "conf"}}]
    return one


@pytest.mark.parametrize(("after", "kind"), [("2", SideEffectKind.RESTART), ("1", SideEffectKind.STALE)])
def test_a_delivered_reader_restarts_only_with_other_pods(after: str, kind: SideEffectKind, tmp_path: Path) -> None:
    others = UntouchedObjects(
        delivered={HOLDER: (reading("web", after),)}, delivered_before={HOLDER: (reading("web", "1"),)}, looked_at=True
    )
    [found] = set_off(config(a="1"), config(a="2"), tmp_path, others=others)
    assert (found.kind, found.address.name) == (kind, "web")
    assert "is delivered by ConfigMap/gitops" in found.text


def test_a_live_reader_that_nobody_declares(tmp_path: Path) -> None:
    [found] = set_off(
        config(a="1"), config(a="2"), tmp_path, others=UntouchedObjects(live=(reading("web", "1"),), looked_at=True)
    )
    assert found.kind is SideEffectKind.STALE
    assert found.text.endswith("(it lives, and is not declared here)")


TASK = """---
apiVersion: tekton.dev/v1
kind: Task
metadata: {{name: {name}, namespace: demo}}
spec: {{results: [{{name: digest}}], steps: [{{name: s, image: a, script: "{script}"}}]}}
"""
PIPELINE = """---
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {{name: p, namespace: demo}}
spec:
  params: [{{name: commit, type: string}}]
  tasks:
    - {{name: build, taskRef: {{name: build}}, params: [{{name: c, value: "$(params.commit)"}}]}}
    - {{name: ship, taskRef: {{name: ship}}, runAfter: [{after}], params: [{{name: d, value: "$({value})"}}]}}
"""


def pipeline(
    after: str = "build", value: str = "tasks.build.results.digest", script: str = "x", tasks: str = ""
) -> str:
    """A Pipeline of two tasks with their Tasks."""
    names = tasks.split() if tasks else ["build", "ship"]
    return PIPELINE.format(after=after, value=value) + "".join(TASK.format(name=one, script=script) for one in names)


@pytest.mark.parametrize(
    ("after", "reported"),
    [
        (
            pipeline(script="y"),
            "own check: 2 tasks, 1 uses of results, 1 of runAfter, 1 of parameters",
        ),
        (pipeline(after="test"), "tasks[ship].runAfter names test, which is no task of it: its runs fail"),
        (pipeline(value="tasks.test.results.digest"), "takes the result digest of test, which is no task of it"),
        (pipeline(value="tasks.build.results.url"), "takes the result url of build, which has no such result"),
        (pipeline(value="params.branch"), "takes the parameter branch, which it does not have"),
        (pipeline(tasks="build"), "tasks[ship].taskRef names Task ship, which is deleted"),
    ],
)
def test_references_of_a_pipeline(after: str, reported: str, tmp_path: Path) -> None:
    found = set_off(pipeline(), after, tmp_path)
    [one] = [one for one in found if one.kind in (SideEffectKind.CHECKED, SideEffectKind.BROKEN)]
    assert reported in one.text
    assert (one.kind is SideEffectKind.CHECKED) is ("own check" in reported)


def test_a_pipeline_that_nothing_touches_is_not_reported(tmp_path: Path) -> None:
    found = set_off(pipeline() + config(a="1"), pipeline() + config(a="2"), tmp_path)
    assert not any(one.kind is SideEffectKind.CHECKED for one in found)


def test_a_workload_beside_does_not_count(tmp_path: Path) -> None:
    assert not retired("", workload("Deployment"), tmp_path, UntouchedObjects(looked_at=True))
