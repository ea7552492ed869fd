"""The CronJob that runs the drift report in a cluster: its manifests, and an account with exactly the rights for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.address import is_hwplan_kind
from planner.app.request import Request
from planner.app.session import Session, open_session
from planner.dataclass import dataclass
from planner.errors import ConfigError, SelectionError
from planner.resource import Resource
from planner.shipped_files import TEMPLATES
from providers.kubernetes.object_location import is_crd, kinds_of_planned_crds, served_kind

if TYPE_CHECKING:
    from planner.templating import TemplateProblem

_TEMPLATES = TEMPLATES / "hwplan" / "drift"
# What every run asks for besides what is declared: the identity of the cluster, and the schemas of custom kinds.
ALWAYS = (("", "namespaces"), ("apiextensions.k8s.io", "customresourcedefinitions"))


@dataclass(frozen=True, slots=True)
class DriftCronJob:
    """How to run it. `state_claim` is a PersistentVolumeClaim for the state; without it deletions cannot be determined
    from what was never applied. `read_secrets` grants Secrets in the namespaces that declare any."""

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
    _check(request, cron)
    with open_session(request) as session:
        context = {
            "name": cron.name,
            "namespace": cron.namespace,
            "image": cron.image,
            "schedule": cron.schedule,
            "state_claim": cron.state_claim,
            "context": session.stack.context or "in-cluster",
            "args": ["drift", *_words(request)],
            "rules": _rules(session),
            "secret_namespaces": _secret_namespaces(session) if cron.read_secrets else [],
        }
    return "---\n".join(render_manifest_template(path, context) for path in sorted(_TEMPLATES.glob("*.j2")))


def render_manifest_template(path: Path, context: dict[str, Any]) -> str:
    """One template of manifests, without the marks of its renderer. Raises ConfigError."""
    from planner.templating import MARKER, TemplateProblem, render_template

    try:
        text = render_template(path, context)
    except TemplateProblem as problem:
        raise _broken(path, problem) from None
    return "".join("---\n" if line.startswith(f"--- {MARKER}") else line for line in text.splitlines(keepends=True))


def _broken(path: Path, problem: TemplateProblem) -> ConfigError:
    from planner.errors import Problem
    from planner.source_line_ref import SourceRef

    return ConfigError((Problem(SourceRef(path.name, problem.line), problem.message, problem.remedy),))


def _check(request: Request, cron: DriftCronJob) -> None:
    from pydantic import TypeAdapter, ValidationError

    from planner.spec import base

    checks: tuple[tuple[str, Any, str, str], ...] = (
        ("--image", base.ImageRef, cron.image, "registry/path with a tag (not latest) or a digest"),
        ("--schedule", base.Cron, cron.schedule, 'five fields of cron: "0 3 * * *"'),
        ("--run-in", base.Name, cron.namespace, "the name of a namespace"),
        ("--state-claim", base.DottedName, cron.state_claim or "none", "the name of a PersistentVolumeClaim"),
    )
    for option, form, value, expected in checks:
        try:
            TypeAdapter(form).validate_python(value)
        except ValidationError:
            raise SelectionError("not in the expected form", where=option, remedy=f"expected {expected}") from None
    if "-" in request.files:
        raise SelectionError("a CronJob has no standard input", where="-f", remedy="name files that the image holds")


def _rules(session: Session) -> list[dict[str, Any]]:
    """The resources to read, by API group; never Secrets."""
    found: dict[str, set[str]] = defaultdict(set)
    for group, plural in ALWAYS:
        found[group].add(plural)
    for group, plural in declared_kind_plurals(session):
        if (group, plural) != ("", "secrets"):
            found[group].add(plural)
    return [{"group": group, "resources": sorted(plurals)} for group, plurals in sorted(found.items())]


def declared_kind_plurals(session: Session) -> Iterator[tuple[str, str]]:
    """Group and plural of every declared kind of the cluster; what is neither served nor declared is left out."""
    resources = session.stack.resources
    coming = kinds_of_planned_crds(one.manifest for one in resources if is_crd(one.manifest))
    for version, kind in sorted({(one.api_version, one.address.kind) for one in resources}):
        if is_hwplan_kind(version):
            continue
        if info := coming.get((version, kind)) or served_kind(session.world.cluster, version, kind):
            yield (version.rpartition("/")[0], info.plural)


def _secret_namespaces(session: Session) -> list[str]:
    def is_secret(one: Resource) -> bool:
        return (one.api_version, one.address.kind) == ("v1", "Secret")

    return sorted(
        {one.address.namespace or session.request.namespace for one in session.stack.resources if is_secret(one)}
    )


def _words(request: Request) -> list[str]:
    """The selecting words as arguments."""
    pairs = [
        ("--product", (request.product,)),
        ("--node", request.nodes),
        ("--lane", request.lanes),
        ("--scope", request.scopes),
        ("--target", request.targets),
        ("--exclude", request.exclude),
    ]
    selecting = [part for option, words in pairs for word in words if word for part in (option, word)]
    return [*selecting, *(part for pair in request.manifest_words for part in pair)]
