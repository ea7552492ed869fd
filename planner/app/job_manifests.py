"""What manifests that run hwplan in a cluster are made of: checked words, templates, and rights to read and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.address import is_hwplan_kind
from planner.app.session import Session
from planner.errors import ConfigError, SelectionError
from planner.planning.autoscaled_objects import REPLICAS
from planner.resource import Resource
from providers.kubernetes.object_location import is_crd, kinds_of_planned_crds, served_kind

if TYPE_CHECKING:
    from planner.jinja_templating import TemplateProblem

# What every run asks for besides what is declared: the identity of the cluster, and the schemas of custom kinds.
_ALWAYS = (("", "namespaces"), ("apiextensions.k8s.io", "customresourcedefinitions"))
_SECRET = "the name of a Secret"  # noqa: S105 (words of a remedy)
# The type of each option's value in planner.spec.base, and how to write one.
_FORMS: Mapping[str, tuple[str, str]] = {
    "--image": ("ImageRef", "registry/path with a tag (not latest) or a digest"),
    "--schedule": ("Cron", 'five fields of cron: "0 3 * * *"'),
    "--run-in": ("Name", "the name of a namespace"),
    "--state-claim": ("DottedName", "the name of a PersistentVolumeClaim"),
    "--token-secret": ("DottedName", _SECRET),
    "--ssh-secret": ("DottedName", _SECRET),
    "--kubeconfig-secret": ("DottedName", _SECRET),
}


def refuse_malformed_words(words: Mapping[str, str], *, optional: Mapping[str, str] | None = None) -> None:
    """Refuse values of options, by option, that no manifest can hold; an `optional` one may be empty.

    Raises SelectionError that names all of them.
    """
    from pydantic import TypeAdapter, ValidationError

    from planner.spec import base

    wrong = []
    for option, value in {**words, **{key: value for key, value in (optional or {}).items() if value}}.items():
        try:
            TypeAdapter(getattr(base, _FORMS[option][0])).validate_python(value)
        except ValidationError:
            wrong.append(option)
    if wrong:
        expected = ", ".join(_FORMS[option][1] for option in wrong)
        raise SelectionError("not in the expected form", where=", ".join(wrong), remedy=f"expected {expected}")


def render_manifest_templates(paths: Iterable[Path], context: dict[str, Any]) -> str:
    """Templates of manifests as one stream of documents, without the marks of their renderer. Raises ConfigError."""
    return "---\n".join(_rendered(path, context) for path in paths)


def _rendered(path: Path, context: dict[str, Any]) -> str:
    from planner.jinja_templating import MARKER, TemplateProblem, render_template

    try:
        text = render_template(path, context)
    except TemplateProblem as problem:
        raise _broken(path, problem) from None
    return "".join("---\n" if line.startswith(f"--- {MARKER}") else line for line in text.splitlines(keepends=True))


def _broken(path: Path, problem: TemplateProblem) -> ConfigError:
    from planner.errors import Problem
    from planner.source_line_ref import SourceRef

    return ConfigError((Problem(SourceRef(path.name, problem.line), problem.message, problem.remedy),))


_AUTOSCALERS = (("autoscaling", "horizontalpodautoscalers"),)  # asked for who else sets declared replicas


def resources_to_read(session: Session, more: Iterable[tuple[str, str]] = ()) -> frozenset[tuple[str, str]]:
    """API group and plural of what is read for a plan of the selection, and of `more`; never Secrets."""
    scaled = any(REPLICAS[-1] in (one.manifest.get("spec") or {}) for one in session.stack.resources)
    found = (*_ALWAYS, *more, *_declared_kind_plurals(session), *(_AUTOSCALERS if scaled else ()))
    return frozenset(found) - {("", "secrets")}


def reading_rules(resources: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Resources (API group and plural) as the rules of a role, by group."""
    found: dict[str, set[str]] = defaultdict(set)
    for group, plural in resources:
        found[group].add(plural)
    return [{"group": group, "resources": sorted(plurals)} for group, plurals in sorted(found.items())]


def namespaces_with_secrets(session: Session) -> frozenset[str]:
    """The namespaces in which the selection declares a Secret."""

    def is_secret(one: Resource) -> bool:
        return (one.api_version, one.address.kind) == ("v1", "Secret")

    return frozenset(
        one.address.namespace or session.request.namespace for one in session.stack.resources if is_secret(one)
    )


def _declared_kind_plurals(session: Session) -> Iterator[tuple[str, str]]:
    """Group and plural of every declared kind of the cluster; what is neither served nor declared is left out."""
    resources = session.stack.resources
    coming = kinds_of_planned_crds(one.manifest for one in resources if is_crd(one.manifest))
    for version, kind in sorted({(one.api_version, one.address.kind) for one in resources}):
        if is_hwplan_kind(version):
            continue
        if info := coming.get((version, kind)) or served_kind(session.world.cluster, version, kind):
            yield (version.rpartition("/")[0], info.plural)
