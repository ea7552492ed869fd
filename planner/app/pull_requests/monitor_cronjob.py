"""The CronJob that runs a lane's monitor in its cluster, with an account that has the rights for it and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from planner.app.job_manifests import (
    reading_rules,
    refuse_malformed_words,
    render_manifest_templates,
    resources_to_read,
)
from planner.app.lane_holds import SCOPE
from planner.app.load_desired import load_configuration
from planner.app.pull_requests.monitored_lane import MonitoredLane
from planner.app.session import Session, open_session
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.shipped_files import TEMPLATES

_TEMPLATES = TEMPLATES / "hwplan" / "pulls"
_HOME = "/home/hwplan"
_SLACK = 600  # seconds of a cycle besides the wait for the rollout
# What the evidence of a rollout is read from, besides what is declared.
_EVIDENCE = (
    ("", "pods"),
    ("", "pods/log"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("argoproj.io", "applications"),
    ("batch", "jobs"),
    ("tekton.dev", "pipelineruns"),
    ("tekton.dev", "taskruns"),
)


@dataclass(frozen=True, slots=True)
class MonitorCronJob:
    """The settings of the CronJob that runs the monitor. `token_secret` holds the credential under the name of its
    file, `ssh_secret` the private key of git under `id_ed25519`, "" for none; `timeout` is the longest wait for a
    rollout, in seconds."""

    image: str
    schedule: str
    namespace: str
    state_claim: str
    token_secret: str = ""
    ssh_secret: str = ""
    timeout: int = 1800


def monitor_cronjob_manifests(place: MonitoredLane, job: MonitorCronJob) -> str:
    """Manifests of the CronJob and of its account. Raises SelectionError for words that no manifest can hold."""
    _check(job)
    name = f"hwplan-prs-{place.product}-{place.node}-{place.lane}".lower().replace("_", "-")
    with open_session(replace(place.request, scopes=(SCOPE,))) as session:
        context: dict[str, Any] = {
            "name": name,
            "namespace": job.namespace,
            "image": job.image,
            "schedule": job.schedule,
            "state_claim": job.state_claim,
            "context": place.context or "in-cluster",
            "args": _words(place, job),
            "deadline": job.timeout + _SLACK,
            "home": _HOME,
            "files": list(_files(place, job)),
            "rules": reading_rules(resources_to_read(session, _EVIDENCE)),
            "rights": _rights(place, session),
        }
    return render_manifest_templates(sorted(_TEMPLATES.glob("*.j2")), context)


def _words(place: MonitoredLane, job: MonitorCronJob) -> list[str]:
    where = ["--product", place.product, "--node", place.node, "--lane", place.lane]
    return ["prs", *where, "--once", "--timeout-seconds", str(job.timeout)]


def _check(job: MonitorCronJob) -> None:
    refuse_malformed_words(
        {
            "--image": job.image,
            "--schedule": job.schedule,
            "--run-in": job.namespace,
            "--state-claim": job.state_claim,
        },
        optional={"--token-secret": job.token_secret, "--ssh-secret": job.ssh_secret},
    )


def _files(place: MonitoredLane, job: MonitorCronJob) -> Iterator[dict[str, str]]:
    """The files that are mounted: where the configuration looks for the credential, and the key of git."""
    access = place.rules.access
    wanted = access.token_file or (access.app.key_file if access.app is not None else "")
    if job.token_secret:
        if not wanted.startswith("~/"):
            raise SelectionError(
                "the lane's credential has no place below ~ where a Secret could be mounted",
                where="pulls.access",
                remedy="write tokenFile: ~/.config/hwplan/github-token",
            )
        path = PurePosixPath(_HOME) / wanted.removeprefix("~/")
        yield {"volume": "credential", "path": str(path), "key": path.name, "secret": job.token_secret}
    if job.ssh_secret:
        path = PurePosixPath(_HOME) / ".ssh" / "id_ed25519"
        yield {"volume": "ssh-key", "path": str(path), "key": path.name, "secret": job.ssh_secret}


def _rights(place: MonitoredLane, session: Session) -> list[dict[str, Any]]:
    """What is written, by namespace: the run, the sync, and the Jobs of refs where those are pushed from inside."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    kinds = {one.address.kind for one in session.stack.resources if one.address.group == ""}
    for one in session.stack.resources:
        spec = one.manifest.get("spec") or {}
        if one.address.kind == "PipelineRun" and not one.address.group:
            namespace = str(spec["manifest"]["metadata"]["namespace"])
            found[namespace].append(_right("tekton.dev", "pipelineruns", "create", "patch"))
        elif one.address.kind == "ArgoSync" and not one.address.group:
            found[str(spec["namespace"])].append(_right("argoproj.io", "applications", "patch"))
        elif one.address.kind == "PodExec" and not one.address.group:
            namespace = str(spec["target"]).split("/")[-2]
            marks = _right("", "configmaps", "create", "patch", "delete")  # which say what was begun and ended
            found[namespace] += [_right("", "pods/exec", "create"), marks]
    node = load_configuration(place.request).nodes[place.node].spec
    if "GitRef" in kinds and node.git_mirror is not None and node.git_mirror.via == "job":
        infra = next((one.address.namespace for one in session.stack.resources if one.address.kind == "GitRef"), "")
        found[infra].append(_right("batch", "jobs", "create", "patch", "delete"))
    return [{"namespace": name, "rules": rules} for name, rules in sorted(found.items()) if name]


def _right(group: str, plural: str, *verbs: str) -> dict[str, Any]:
    return {"group": group, "resources": [plural], "verbs": list(verbs)}
