"""Checking documents of hwplan's own kinds against their models. Knows no provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.address import is_hwplan_kind
from planner.errors import PermanentError
from planner.kind_hook_types import DocumentContext
from planner.loading.document_origin import DocumentOrigin
from planner.loading.problems import Problems, did_you_mean

if TYPE_CHECKING:
    from planner.spec.kinds.envelope import KindModel

SOURCES = ("ManifestSource", "SecretSource")


def check_hwplan_document(document: Any, origin: DocumentOrigin, problems: Problems, *, plain: bool = False) -> bool:
    """Whether a document can be a resource. Kubernetes objects always can; hwplan kinds have to fit their model.

    With `plain`, kinds that need a configuration folder to be read are refused.
    """
    if not isinstance(document, dict):
        return True
    api_version = document.get("apiVersion")
    if not isinstance(api_version, str) or not is_hwplan_kind(api_version):
        return True
    kind = document.get("kind")
    if plain and kind in SOURCES:
        origin.problem(
            problems, ("kind",), f"{kind} belongs into the templates of a product", "write the object itself"
        )
        return False
    return validated_model(document, origin, problems) is not None


def validated_model(document: dict[str, Any], origin: DocumentOrigin, problems: Problems) -> KindModel | None:
    """The model of a hwplan document, or None with the problems noted."""
    from pydantic import ValidationError

    from planner.loading.model_problems import report_model_errors
    from planner.plugins import all_kind_names, model_of_kind

    kind = document.get("kind")
    try:
        model = model_of_kind(kind) if isinstance(kind, str) else None
    except PermanentError as error:
        origin.problem(problems, ("kind",), error.message, error.remedy)
        return None
    if model is None:
        message = "unknown hwplan kind" if isinstance(kind, str) else "kind is missing"
        origin.problem(problems, ("kind",), message, did_you_mean(str(kind), all_kind_names()))
        return None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        report_model_errors(error, model, document, lambda path, text, hint: origin.problem(problems, path, text, hint))
        return None


def apply_load_hooks(document: Any, context: DocumentContext, origin: DocumentOrigin, problems: Problems) -> Any:
    """The checked document as it is to be taken in; what its kind's policy forbids is noted in `problems`."""
    if not isinstance(document, dict) or not is_hwplan_kind(str(document.get("apiVersion", ""))):
        return document
    from planner.loading.kind_hooks import load_hooks_of_kind  # models: only for documents of hwplan kinds

    hooks = load_hooks_of_kind(str(document["kind"]))

    def report(path: tuple[str | int, ...], message: str, remedy: str) -> None:
        origin.problem(problems, path, message, remedy)

    if hooks.check is not None and context.node is not None:
        hooks.check(document, context, report)
    return document if hooks.expand is None else hooks.expand(document, context, report)
