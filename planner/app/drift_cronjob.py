"""The CronJob that runs the drift report in a cluster: its manifests, and an account with exactly the rights for it."""

from __future__ import annotations

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

_TEMPLATES = TEMPLATES / "hwplan" / "drift"


@dataclass(frozen=True, slots=True)
class DriftCronJob:
    """The settings of the CronJob that reports drift. `state_claim` is a PersistentVolumeClaim for the state;
    without it deletions cannot be determined from what was never applied. `read_secrets` grants Secrets in the
    namespaces that declare any."""

    image: str
    schedule: str
    namespace: str
    name: str = "hwplan-drift"
    state_claim: str = ""
    read_secrets: bool = False


def drift_cronjob_manifests(request: Request, cron: DriftCronJob) -> str:
    """Manifests of a CronJob that runs this drift report, and of an account with exactly the rights for it.

    Raises SelectionError for words that no manifest can hold.
    """
    refuse_malformed_words(
        {"--image": cron.image, "--schedule": cron.schedule, "--run-in": cron.namespace},
        optional={"--state-claim": cron.state_claim},
    )
    if "-" in request.files:
        raise SelectionError("a CronJob has no standard input", where="-f", remedy="name files that the image holds")
    with open_session(request) as session:
        context = {
            "name": cron.name,
            "namespace": cron.namespace,
            "image": cron.image,
            "schedule": cron.schedule,
            "state_claim": cron.state_claim,
            "context": session.stack.context or "in-cluster",
            "args": ["drift", *(part for pair in request.selecting_words for part in pair)],
            "rules": reading_rules(resources_to_read(session)),
            "secret_namespaces": sorted(namespaces_with_secrets(session)) if cron.read_secrets else [],
        }
    return render_manifest_templates(sorted(_TEMPLATES.glob("*.j2")), context)
