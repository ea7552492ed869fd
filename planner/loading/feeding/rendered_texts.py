"""Every template of a selection as text, rendered and not read: what two configurations are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.loading.config import Config
from planner.loading.origin import InputText
from planner.loading.problems import Problems
from planner.loading.product_stack import parts_of
from planner.loading.selection import resolve_selection
from planner.loading.template_context import TemplateFacts, rendered_template, template_files
from planner.plan import Selection


@dataclass(frozen=True, slots=True)
class RenderedText:
    """What one template was rendered to, for a scope of a node or of a lane on it; `context` is what it saw."""

    product: str
    node: str
    lane: str
    scope: str
    template: Path
    text: InputText
    context: Mapping[str, Any] = field(repr=False)


def rendered_texts(config: Config, selection: Selection) -> tuple[RenderedText, ...]:
    """Every template of the selection. Raises SelectionError, ConfigError with all problems of all templates."""
    problems, facts = Problems(), TemplateFacts()
    texts: list[RenderedText] = []
    for part in parts_of(config, resolve_selection(config, selection)):
        context = facts.context(part.product, part.node, part.lanes, part.lane, part.scope.name)
        lane = part.lane.name if part.lane else ""
        for template in (file for name in part.folders for file in template_files(config.templates / name)):
            text = rendered_template(template, config.templates, context, problems)
            if text is not None:
                texts.append(
                    RenderedText(part.product.name, part.node.name, lane, part.scope.name, template, text, context)
                )
    problems.raise_any()
    return tuple(texts)
