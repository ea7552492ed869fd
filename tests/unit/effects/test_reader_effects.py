"""A ConfigMap or Secret that changes: who sees it with a restart, later or never; who still names a deleted one."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.plan import SideEffectKind
from tests.unit.effects.world import config, set_off, workload

BY_KEY = "env: [{name: A, valueFrom: {configMapKeyRef: {name: conf, key: a}}}]"
ALL_KEYS = "envFrom: [{configMapRef: {name: conf}}]"
VOLUME = "volumes: [{name: v, configMap: {name: conf}}]"
PROJECTED = "volumes: [{name: v, projected: {sources: [{configMap: {name: conf}}]}}]"
ITEMS = "volumes: [{name: v, configMap: {name: conf, items: [{key: b, path: b}]}}]"
MOUNT = "volumeMounts: [{name: v, mountPath: /x}]"
SUB_PATH = "volumeMounts: [{name: v, mountPath: /x, subPath: a}]"


@pytest.mark.parametrize(
    ("pod", "container", "effect"),
    [
        ("", BY_KEY, SideEffectKind.STALE),
        ("", BY_KEY.replace("key: a", "key: b"), None),
        ("", ALL_KEYS, SideEffectKind.STALE),
        (VOLUME, MOUNT, SideEffectKind.LATER),
        (PROJECTED, MOUNT, SideEffectKind.LATER),
        (VOLUME, SUB_PATH, SideEffectKind.STALE),
        (ITEMS, MOUNT, None),
        (VOLUME, f"{MOUNT}, {BY_KEY}", SideEffectKind.STALE),
        ("", "", None),
    ],
)
def test_a_changed_key(pod: str, container: str, effect: SideEffectKind | None, tmp_path: Path) -> None:
    reader = workload("Deployment", pod=pod, container=container)
    reported = set_off(config(a="1", b="1") + reader, config(a="2", b="1") + reader, tmp_path)
    if effect is None:
        assert [one.text.partition(";")[0] for one in reported] == ["nothing in this selection reads what changes"]
    else:
        assert [(one.kind, one.address.kind) for one in reported] == [(effect, "Deployment")]


def test_a_reader_that_restarts_anyway_sees_the_new_value(tmp_path: Path) -> None:
    old, new = (workload("Deployment", container=ALL_KEYS, image=image) for image in ("a:1", "a:2"))
    reported = set_off(config(a="1") + old, config(a="2") + new, tmp_path)
    assert {one.kind for one in reported} == {SideEffectKind.RESTART}
    assert any("its restarted pods see the new value" in one.text for one in reported)


def test_what_nothing_restarts_is_said_with_the_remedy(tmp_path: Path) -> None:
    reader = workload("StatefulSet", spec="serviceName: s", container=ALL_KEYS)
    [reported] = set_off(config(a="1") + reader, config(a="2") + reader, tmp_path)
    assert (
        "nothing restarts them; kubectl rollout restart, or a Restart whose 'on' names ConfigMap/demo/conf"
        in reported.text
    )


def test_a_cron_job_reads_it_with_its_next_run(tmp_path: Path) -> None:
    job = (
        "---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j, namespace: demo}\nspec: {schedule: '0 3 * * *', "
        "jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: a, "
        f"{ALL_KEYS}}}]}}}}}}}}}}\n"
    )
    [reported] = set_off(config(a="1") + job, config(a="2") + job, tmp_path)
    assert reported.kind is SideEffectKind.LATER and "runs that start from now on" in reported.text


def test_what_is_deleted_and_still_named(tmp_path: Path) -> None:
    reader = workload("Deployment", container=BY_KEY)
    [reported, retired] = set_off(config(a="1") + reader, reader, tmp_path)
    assert retired.text == "conf: 1 object deleted (ConfigMap conf)"
    assert reported.kind is SideEffectKind.REFERENCE and reported.address.kind == "ConfigMap"
    field = "spec.template.spec.containers[name=c].env[name=A].valueFrom.configMapKeyRef.name"
    assert reported.text.startswith(f"by Deployment.apps/demo/web ({field}); pods that start from now on cannot")


def test_what_goes_together_is_no_reference(tmp_path: Path) -> None:
    both = config(a="1") + workload("Deployment", container=BY_KEY)
    assert {one.kind for one in set_off(both, "", tmp_path)} == {SideEffectKind.OUTAGE}
