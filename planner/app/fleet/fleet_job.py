"""The Kubernetes Indexed Job that looks at a fleet, one pod for each shard, or a CronJob of it; and its account."""

from __future__ import annotations

from typing import Any

from planner.app.fleet.fleet_shards import FleetSelection, request_of_shard
from planner.app.job_manifests import (
    namespaces_with_secrets,
    reading_rules,
    refuse_malformed_words,
    render_manifest_templates,
    resources_to_read,
)
from planner.app.request import Request
from planner.app.session import open_session
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.shipped_files import TEMPLATES

_NAME = "hwplan-fleet"
# The account is that of the drift report: both read what is declared, and nothing else.
_TEMPLATES = (
    TEMPLATES / "hwplan" / "drift" / "10-access.yaml.j2",
    TEMPLATES / "hwplan" / "fleet" / "20-job.yaml.j2",
)
_INDEX = "$(JOB_COMPLETION_INDEX)"  # Kubernetes puts the index of the pod in its place


@dataclass(frozen=True, slots=True)
class FleetJob:
    """How to run it: with a `schedule` as a CronJob. `kubeconfig_secret` is the Secret with the contexts of all nodes,
    without it the pods ask the cluster that they run in; `state_claim` the volume of the state; `read_secrets` grants
    Secrets in the namespaces that declare any; `timeout` is in seconds, of one pod."""

    image: str
    namespace: str
    schedule: str
    concurrency: int
    timeout: int
    kubeconfig_secret: str = ""
    state_claim: str = ""
    read_secrets: bool = False


def fleet_job_manifests(request: Request, fleet: FleetSelection, job: FleetJob) -> str:
    """Manifests of the Job (or CronJob) and of an account with exactly the rights for it.

    The cluster is asked for the names of custom kinds, unless a kubeconfig brings the rights.

    Raises SelectionError for words that no manifest can hold, and where the nodes are several clusters without a
    kubeconfig for them.
    """
    refuse_malformed_words(
        {"--image": job.image, "--run-in": job.namespace},
        optional={
            "--schedule": job.schedule,
            "--kubeconfig-secret": job.kubeconfig_secret,
            "--state-claim": job.state_claim,
        },
    )
    _refuse_missing_contexts(fleet, job)
    rules, secret_namespaces = ([], []) if job.kubeconfig_secret else _rights(request, fleet, job)
    count = len(fleet.shards)
    context: dict[str, Any] = {
        "name": _NAME,
        "namespace": job.namespace,
        "image": job.image,
        "schedule": job.schedule,
        "count": count,
        "parallelism": min(job.concurrency, count),
        "timeout": job.timeout,
        "args": [*_command(job, count), *(part for pair in request.selecting_words for part in pair)],
        "shards": "".join(f"{one.index} {one.node}/{one.lane} {one.product}\n" for one in fleet.shards),
        "context": fleet.contexts[0],
        "kubeconfig_secret": job.kubeconfig_secret,
        "state_claim": job.state_claim,
        "rules": rules,
        "secret_namespaces": secret_namespaces,
    }
    return render_manifest_templates(_TEMPLATES, context)


def _command(job: FleetJob, count: int) -> list[str]:
    return ["fleet", "--shard", f"{_INDEX}/{count}", "--timeout", f"{job.timeout}s"]


def _refuse_missing_contexts(fleet: FleetSelection, job: FleetJob) -> None:
    """The account of a pod is one of the cluster that it runs in, and of no other."""
    if len(fleet.contexts) > 1 and not job.kubeconfig_secret:
        raise SelectionError(
            f"these nodes have {len(fleet.contexts)} contexts ({', '.join(fleet.contexts)}), and a pod's account is"
            " good for its own cluster alone",
            where="--format job",
            remedy="name a Secret with a kubeconfig of them (--kubeconfig-secret NAME), or render a Job for each"
            " cluster (--node NODE)",
        )
    if job.kubeconfig_secret and job.read_secrets:
        raise SelectionError(
            "a kubeconfig brings its own rights, and none are granted here",
            where="--read-secrets",
            remedy="grant them to the accounts of that kubeconfig",
        )


def _rights(request: Request, fleet: FleetSelection, job: FleetJob) -> tuple[list[dict[str, Any]], list[str]]:
    """Rules to read what any of the shards declares, and the namespaces of Secrets where those may be read too."""
    read: set[tuple[str, str]] = set()
    with_secrets: set[str] = set()
    nodes = frozenset(one.node for one in fleet.shards)
    for shard in fleet.shards:
        with open_session(request_of_shard(request, shard, nodes)) as session:
            read |= resources_to_read(session)
            with_secrets |= namespaces_with_secrets(session)
    return reading_rules(read), sorted(with_secrets) if job.read_secrets else []
