"""What templates see: plain data of product, node and lanes, and no secret. And a template file as text that was
rendered from it, or as a problem with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from planner.dataclass import dataclass
from planner.loading.config import ConfiguredLane, ConfiguredNode
from planner.loading.document_origin import DocumentText
from planner.loading.problems import Problems
from planner.source_line_ref import SourceRef
from planner.spec.base import StrictModel
from planner.spec.product import Product

SUFFIX = ".yaml.j2"


@dataclass(frozen=True, slots=True)
class TemplateContext:
    """Fields of models as templates see them, each model read once."""

    _known: dict[int, dict[str, Any]] = field(default_factory=dict)

    def context(
        self,
        product: Product,
        node: ConfiguredNode,
        lanes: Sequence[ConfiguredLane],
        lane: ConfiguredLane | None,
        scope: str,
    ) -> dict[str, Any]:
        """The names of a template: of a scope of the node, or of a `lane` on it."""
        context: dict[str, Any] = {
            "product": self._of(product),
            "node": self._of(node.spec, name=node.name),
            "lanes": [self._of_lane(one) for one in lanes],
            "scope": scope,
            "values": {**product.values, **node.spec.values},
        }
        if lane is not None:
            context["lane"] = self._of_lane(lane)
            context["values"] = {**context["values"], **lane.spec.values}
        return context

    def _of_lane(self, lane: ConfiguredLane) -> dict[str, Any]:
        """Fields of a lane; its secrets are those whose condition holds, and those that are no longer wanted."""
        facts = self._of(lane.spec, name=lane.name, node=lane.node)
        return {**facts, "secrets": {name: one for name, one in facts["secrets"].items() if _is_wanted(one, facts)}}

    def _of(self, model: StrictModel, **names: str) -> dict[str, Any]:
        known = self._known.get(id(model))
        if known is None:
            known = self._known[id(model)] = {**model.model_dump(mode="json", by_alias=True), **names}
        return known


def template_files_of_folder(folder: Path) -> list[Path]:
    """The templates of a folder, in the order of their names."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def shown_template_path(path: Path, templates: Path) -> str:
    """A file below the root of the templates as problems call it."""
    return f"{templates.resolve().name}/{path.relative_to(templates).as_posix()}"


def render_template_file(
    template: Path, templates: Path, context: Mapping[str, Any], problems: Problems
) -> DocumentText | None:
    """The text of a template; None when it cannot be rendered, with the problem noted."""
    from planner.jinja_templating import TemplateProblem, render_template

    name = shown_template_path(template, templates)
    try:
        return DocumentText(name, render_template(template, context), template=template.read_bytes().decode())
    except TemplateProblem as error:
        source = SourceRef(name, error.line)
        shown = DocumentText(name, template.read_bytes().decode("utf-8", "replace")).line_text(source)
        problems.add(source, error.message, error.remedy, shown)
        return None


def _is_wanted(secret: Mapping[str, Any], lane: Mapping[str, Any]) -> bool:
    """Whether a secret of a lane is obsolete, or every field that its `when` names has the value there."""
    return bool(secret["obsolete"]) or all(_at(lane, path) == value for path, value in secret["when"].items())


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
