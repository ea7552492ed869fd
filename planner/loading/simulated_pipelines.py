"""What runs of a product's pipelines come to in a sandbox, from `templates/<product>/sandbox/`, for each lane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from planner.loading.config import Config, ConfiguredLane
from planner.loading.document_origin import DocumentOrigin
from planner.loading.model_problems import report_model_errors
from planner.loading.problems import Problems
from planner.loading.template_context import TemplateContext, render_template_file, template_files_of_folder
from planner.loading.yaml.load_documents import TEMPLATE, load_documents
from planner.spec.simulated_pipelines import SimulatedPipelineDocument

FOLDER = "sandbox"


def load_simulated_pipelines(config: Config, lanes: Sequence[ConfiguredLane]) -> tuple[SimulatedPipelineDocument, ...]:
    """Those of the lanes. Raises ConfigError with all problems."""
    problems = Problems()
    facts = TemplateContext()
    found = [one for lane in lanes for one in _of_lane(config, lane, facts, problems)]
    problems.raise_any()
    return tuple(found)


def _of_lane(
    config: Config, lane: ConfiguredLane, facts: TemplateContext, problems: Problems
) -> Iterator[SimulatedPipelineDocument]:
    product, node = config.products[lane.product].spec, config.nodes[lane.node]
    context = facts.context(product, node, config.lanes_of(lane.product, lane.node), lane, FOLDER)
    for template in template_files_of_folder(config.templates / product.templates / FOLDER):
        text = render_template_file(template, config.templates, context, problems)
        if text is None:
            continue
        for index, document in enumerate(load_documents(text.text.encode(), text.name, TEMPLATE)):
            if document.value is None:
                continue
            try:
                yield SimulatedPipelineDocument.model_validate(document.value)
            except ValidationError as error:
                origin = DocumentOrigin(text, index, document.line)
                report_model_errors(
                    error,
                    SimulatedPipelineDocument,
                    document.value,
                    lambda *what, at=origin: at.problem(problems, *what),
                )
