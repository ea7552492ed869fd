"""Every template of a selection as text, rendered and not read: what two configurations are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from planner.dataclass import dataclass
from planner.loading.config import Config
from planner.loading.document_origin import DocumentText
from planner.loading.problems import Problems
from planner.loading.product_stack import renderings_of_selection
from planner.loading.selection import resolve_selection
from planner.loading.template_context import TemplateContext, render_template_file, template_files_of_folder
from planner.plan import Selection


@dataclass(frozen=True, slots=True)
class RenderedTemplate:
    """What one template was rendered to, for a scope of a node or of a lane on it; `context` is what it saw."""

    product: str
    node: str
    lane: str
    scope: str
    template: Path
    text: DocumentText
    context: Mapping[str, Any] = field(repr=False)


def render_selected_templates(config: Config, selection: Selection) -> tuple[RenderedTemplate, ...]:
    """Every template of the selection. Raises SelectionError, ConfigError with all problems of all templates."""
    problems, facts = Problems(), TemplateContext()
    texts: list[RenderedTemplate] = []
    for part in renderings_of_selection(config, resolve_selection(config, selection)):
        context = facts.context(part.product, part.node, part.lanes, part.lane, part.scope.name)
        lane = part.lane.name if part.lane else ""
        for template in (file for name in part.folders for file in template_files_of_folder(config.templates / name)):
            text = render_template_file(template, config.templates, context, problems)
            if text is not None:
                texts.append(
                    RenderedTemplate(part.product.name, part.node.name, lane, part.scope.name, template, text, context)
                )
    problems.raise_any()
    return tuple(texts)
