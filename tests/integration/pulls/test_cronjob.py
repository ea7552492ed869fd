"""The CronJob of a monitor: its account may do what a cycle does and no more, its words are those of the command."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from planner.app.pull_requests.monitor_cronjob import MonitorCronJob, monitor_cronjob_manifests
from planner.errors import SelectionError
from tests.integration.pulls.pull_world import PullWorld

JOB = MonitorCronJob("ghcr.io/acme/hwplan:1", "*/5 * * * *", "hwplan", "state", "github", "git-key", 900)
_READ = {"get", "list", "watch"}


def _documents(world: PullWorld, job: MonitorCronJob = JOB) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(monitor_cronjob_manifests(world.place, job)))


def test_the_account_has_the_rights_of_a_cycle_and_no_more(world: PullWorld) -> None:
    documents = _documents(world)
    roles = [one for one in documents if one["kind"] in ("Role", "ClusterRole")]
    rules = [(one["metadata"].get("namespace"), rule) for one in roles for rule in one["rules"]]
    writes = {
        (place, group, resource, verb)
        for place, rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in set(rule["verbs"]) - _READ
    }
    assert writes == {
        ("hwlab-v03-ci", "tekton.dev", "pipelineruns", "create"),
        ("hwlab-v03-ci", "tekton.dev", "pipelineruns", "patch"),
        ("argocd", "argoproj.io", "applications", "patch"),
    }
    words = [word for _, rule in rules for key in rule for word in rule[key]]
    assert "secrets" not in words and "*" not in words


def test_the_pod_runs_one_cycle_with_the_files_where_they_are_looked_for(world: PullWorld) -> None:
    (job,) = [one for one in _documents(world) if one["kind"] == "CronJob"]
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"][:1] == ["prs"] and container["args"][-3:] == ["--once", "--timeout-seconds", "900"]
    mounts = {one["mountPath"]: one.get("subPath") for one in container["volumeMounts"]}
    assert mounts["/home/hwplan/.config/hwplan/github-token"] == "github-token"
    assert mounts["/home/hwplan/.ssh/id_ed25519"] == "id_ed25519"
    secrets = {one["secret"]["secretName"] for one in pod["volumes"] if "secret" in one}
    assert secrets == {"github", "git-key"} and container["securityContext"]["readOnlyRootFilesystem"]


def test_words_that_no_manifest_can_hold_are_refused(world: PullWorld) -> None:
    with pytest.raises(SelectionError, match="not in the expected form"):
        _documents(world, MonitorCronJob("ghcr.io/acme/hwplan:1", "whenever", "hwplan", "state"))
