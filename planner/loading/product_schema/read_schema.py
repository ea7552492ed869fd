"""Reading `schema.yaml` of a product: a ProductSchema, the models of its lanes and nodes, and every problem of it.

Equal files become models once per process.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaError

from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import ConfigError
from planner.kind_hook_types import Report
from planner.loading.config_layers import MergedConfig
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.model_problems import report_model_errors
from planner.loading.problems import Problems
from planner.loading.product_schema.models_from_schema import SchemaModelMaker
from planner.loading.product_schema.schema_rule_check import SchemaRuleChecker
from planner.loading.yaml.load_documents import CONFIG, decode_text, load_documents
from planner.source_line_ref import SourceRef
from planner.spec.base import StrictModel
from planner.spec.lane import Lane
from planner.spec.node import NodeConfig
from planner.spec.product_schema_document import ProductSchema

FILE = "schema.yaml"


@dataclass(frozen=True, slots=True)
class ProductModels:
    """What a product's lanes and nodes are. `lane` is a Lane with its fields, `node` what a node says about it."""

    schema: ProductSchema
    lane: type[Lane]
    node: type[StrictModel]

    def check_rules(self, lane: Lane, node: NodeConfig, merged: MergedConfig, problems: Problems) -> None:
        """Note what the rules of the schema forbid in a lane on a node."""

        def report(path: tuple[str | int, ...], message: str, hint: str) -> None:
            merged.problem(problems, path, message, hint)

        whole = lane.model_dump(mode="json", by_alias=True)
        SchemaRuleChecker(self.schema.defs, whole, node, report).check(self.schema.lane, whole)

    def check_node_rules(self, value: dict[str, Any], node: NodeConfig, report: Report) -> None:
        """Report what the rules of the schema forbid in what a node says about the product."""
        SchemaRuleChecker(self.schema.defs, value, node, report).check(self.schema.node, value)


PLAIN = ProductModels(ProductSchema(apiVersion="hwplan.dev/v1", kind="ProductSchema"), Lane, StrictModel)


def read_product_models(folder: Path, shown: str, problems: Problems) -> ProductModels | None:
    """The models of the product whose templates are in `folder`; without a file those of every product.

    `shown` is how the folder is called in problems. None when the file has some: they are noted.
    """
    file = folder / FILE
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return PLAIN
    except OSError as error:
        problems.add(SourceRef(f"{shown}/{FILE}"), disk_error_text(error))
        return None
    try:
        return _models(data, f"{shown}/{FILE}")
    except ConfigError as error:
        problems.extend(error.problems)
        return None


@cache
def _models(data: bytes, name: str) -> ProductModels:
    problems = Problems()
    documents = [one for one in load_documents(data, name, CONFIG) if one.value is not None]
    origin = DocumentOrigin(
        DocumentText(name, decode_text(data, name, CONFIG)), 0, documents[0].line if documents else 1
    )
    if len(documents) != 1:
        origin.problem(problems, (), f"one document is expected, and there are {len(documents)}")
    schema = _validated(documents[0].value, origin, problems) if documents else None
    models = None if schema is None else _made(schema, origin, problems)
    problems.raise_any()
    assert models is not None
    return models


def _validated(value: Any, origin: DocumentOrigin, problems: Problems) -> ProductSchema | None:
    try:
        return ProductSchema.model_validate(value)
    except ValidationError as error:
        report_model_errors(error, ProductSchema, value, lambda *what: origin.problem(problems, *what))
        return None


def _made(schema: ProductSchema, origin: DocumentOrigin, problems: Problems) -> ProductModels | None:
    maker = SchemaModelMaker(schema.defs)
    try:
        lane = maker.model("Lane", schema.lane, ("lane",), Lane)
        on_node = maker.model("Node", schema.node, ("node",))
        for fault in maker.faults:
            origin.problem(problems, fault.path, fault.message, fault.hint)
        lane.model_rebuild()
        on_node.model_rebuild()
    except (PydanticUserError, SchemaError, TypeError) as error:
        origin.problem(problems, ("lane",), f"no schema can be made of it: {str(error).splitlines()[0]}")
        return None
    assert issubclass(lane, Lane)
    return ProductModels(schema, lane, on_node)
