"""Commands that migrate a database: how often they run, and that data is at stake."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.address import Address
from planner.plan import Action, Change, Precondition, SideEffect, SideEffectKind
from planner.side_effects.database_migrations import effects_of_database_migrations
from planner.source_line_ref import SourceRef
from planner.values import JsonObject
from tests.unit.effects.world import set_off, workload
from tests.unit.graph.stacks import resources

BACKUP = (
    "---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {name: db-backup, namespace: demo}\n"
    "spec: {schedule: 17 3 * * *, jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: a}]}}}}}\n"
)


def said(name: str, command: list[str], action: Action = Action.RUN, declared: str = "", **spec: object) -> list[str]:
    """What is said of a command in a container of Deployment/api."""
    document: JsonObject = {"target": "Deployment.apps/demo/api", "container": "api", "command": command, **spec}
    one = Change(
        Address.parse(f"PodExec/{name}"), action, "hwplan.dev/v1", "", "declared", Precondition(), SourceRef("a"),
        {"spec": document},
    )  # fmt: skip
    return _texts(
        effects_of_database_migrations([one], {one.address: one for one in resources(declared)} if declared else {})
    )


def _texts(effects: object) -> list[str]:
    assert not isinstance(effects, SideEffect)
    return [f"{one.kind}: {one.text}" for one in effects]  # type: ignore[attr-defined]


def test_a_migration_runs_once_for_each_image_and_data_is_at_stake() -> None:
    runs, loss = said("x", ["app-migrate", "up"], declared=BACKUP, oncePerImage=True)
    assert runs == (
        "runs: once for each image that the container api really runs (imageID): one that ran it is not run again"
    )
    assert loss.startswith("data loss: a migration may change or drop data") and "neither undo nor an older" in loss
    assert "backups are made by CronJob.batch/demo/db-backup (schedule 17 3 * * *)" in loss
    assert "no CronJob for backups" in said("migration-7", ["up"], oncePerImage=True)[1]


@pytest.mark.parametrize(("name", "command"), [("cache", ["warm", "up"]), ("emigrate", ["immigrated"])])
def test_another_command_takes_no_data(name: str, command: list[str]) -> None:
    assert [one.partition(":")[0] for one in said(name, command)] == ["runs"]


def test_one_that_does_not_run_says_nothing() -> None:
    assert said("migrate", ["migrate"], Action.NOOP) == []


@pytest.mark.parametrize("args", ["args: [migrate]", 'command: ["/bin/app", "migrate"]'])
def test_an_init_container_runs_with_each_start(args: str, tmp_path: Path) -> None:
    pod = f"initContainers: [{{name: prepare, image: a, {args}}}]"
    found = set_off(workload("Deployment", pod=pod), workload("Deployment", image="a:2", pod=pod), tmp_path)
    kinds = {one.kind: one.text for one in found}
    assert kinds[SideEffectKind.RUN] == "the init container prepare runs with each start of a pod, before its service"
    assert SideEffectKind.LOSS in kinds
    assert SideEffectKind.LOSS not in {one.kind for one in set_off("", workload("Deployment", pod=pod), tmp_path)}


def test_a_job_by_its_words(tmp_path: Path) -> None:
    job = (
        "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: db-migration, namespace: demo}\n"
        "spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: a, args: [up]}]}}}\n"
    )
    kinds = [one.kind for one in set_off("", job, tmp_path)]
    assert kinds == [SideEffectKind.LOSS, SideEffectKind.RUN]
