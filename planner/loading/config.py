"""The configuration: `config/*.yaml` becomes products, nodes and lanes. Every problem of all files at once.

A file holds documents `kind: Product`, `Nodes` or `Lanes` (planner.spec.product). Nothing is rendered or read from the
outside here. Imports the models, so it is itself imported lazily.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_snake

from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import ConfigError, SelectionError
from planner.loading.config_files import config_files, templates_root
from planner.loading.config_layers import ConfigLayer, MergedConfig, merge_layers
from planner.loading.config_policies.node_and_lane_policies import (
    check_lane_config_policies,
    check_node_config_policies,
)
from planner.loading.config_policies.pull_request_rules import (
    comparable_lane_taking_pull_requests,
    lane_merge_authority_fault,
)
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.document_origin import Path as DocumentPath
from planner.loading.lane_layers import merge_lane_layers, node_with_remotes_of_lanes
from planner.loading.model_problems import report_model_errors
from planner.loading.problems import Problems, did_you_mean
from planner.loading.product_schema.read_schema import PLAIN, ProductModels, read_product_models
from planner.loading.products_named_by_words import ALL as ALL
from planner.loading.products_named_by_words import products_named_by_selection
from planner.loading.yaml.load_documents import CONFIG, decode_text, load_documents
from planner.plan import Selection
from planner.spec.base import StrictModel
from planner.spec.lane import Lane
from planner.spec.node import NodeConfig
from planner.spec.product import DOCUMENTS, LanesDocument, NodesDocument, Product, ProductDocument


@dataclass(frozen=True, slots=True)
class ConfiguredNode:
    """A node and where it was defined."""

    name: str
    spec: NodeConfig
    merged: MergedConfig = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConfiguredLane:
    """A lane of a product on a node, and where it was defined."""

    product: str
    node: str
    name: str
    spec: Lane
    merged: MergedConfig = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConfiguredProduct:
    """A product, where it was defined, and what its lanes and nodes are."""

    spec: Product
    origin: DocumentOrigin = field(repr=False)
    models: ProductModels = field(default=PLAIN, repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration. `folder` is where it was read from, `templates` the root of all templates."""

    folder: Path
    templates: Path
    products: Mapping[str, ConfiguredProduct]
    nodes: Mapping[str, ConfiguredNode]
    lanes: tuple[ConfiguredLane, ...]

    def lanes_of(self, product: str, node: str) -> tuple[ConfiguredLane, ...]:
        """The lanes of a product (or of `all`) on a node, in the order of the file."""
        return tuple(lane for lane in self.lanes if product in (ALL, lane.product) and lane.node == node)

    def nodes_of(self, product: str) -> tuple[str, ...]:
        """The nodes where a product (or any, for `all`) has lanes."""
        return tuple(dict.fromkeys(lane.node for lane in self.lanes if product in (ALL, lane.product)))

    def sets_of(self, product: str) -> frozenset[str]:
        """The owned sets of a product (or of `all`): one for each of its nodes, and for each enabled lane there."""
        lanes = [lane for lane in self.lanes if product in (ALL, lane.product)]
        nodes = {f"{lane.product}.{lane.node}" for lane in lanes}
        return frozenset(nodes.union(f"{lane.product}.{lane.node}.{lane.name}" for lane in lanes if lane.spec.enabled))

    def switched(self, lanes: Collection[str], *, enabled: bool) -> Config:
        """The same configuration with the lanes of these names enabled, or disabled."""
        return replace(self, lanes=tuple(_switched(one, enabled) if one.name in lanes else one for one in self.lanes))


def _switched(lane: ConfiguredLane, enabled: bool) -> ConfiguredLane:
    return replace(lane, spec=lane.spec.model_copy(update={"enabled": enabled}))


def load_config(
    folder: Path,
    templates: Path | None = None,
    instead: Mapping[Path, bytes] | None = None,
    selection: Selection | None = None,
) -> Config:
    """Read the configuration in `folder`; `instead` are the bytes of files that are not to be read from the disk.

    With a `selection` the schemas of products that it cannot mean are not read, and their lanes not checked: of those
    no more is known than where they are, and whether they are enabled. Making models of a schema takes its time.

    `templates` is the root of the templates; when None, `<folder>/templates`, else `<folder>/../templates`, else the
    ones shipped with hwplan. Raises SelectionError when there is no configuration, ConfigError with every problem.
    """
    files = config_files(folder)
    reader = _Reader(Problems(), instead=instead or {})
    for file in files:
        reader.read(file, f"{folder.resolve().name}/{file.relative_to(folder).as_posix()}")
    config = reader.config(folder, templates or templates_root(folder), selection)
    reader.problems.raise_any()
    return config


@dataclass(slots=True)
class _Reader:
    """Reads file after file and keeps what it found."""

    problems: Problems
    instead: Mapping[Path, bytes] = field(default_factory=dict)
    complete: bool = True  # false when a part could not be read: then nothing is reported as missing
    products: dict[str, ConfiguredProduct] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)  # products whose schema has problems of its own
    unread: set[str] = field(default_factory=set)  # products that were not selected
    node_layers: dict[str, list[ConfigLayer]] = field(default_factory=dict)
    lane_documents: list[tuple[LanesDocument, DocumentOrigin]] = field(default_factory=list)

    def read(self, file: Path, name: str) -> None:
        """Take the documents of one file."""
        try:
            data = self.instead[file] if file in self.instead else file.read_bytes()
            documents = load_documents(data, name, CONFIG)
        except ConfigError as error:
            self.problems.extend(error.problems)
            self.complete = False
            return
        except OSError as error:
            raise SelectionError(f"{name}: {disk_error_text(error)}", where="--config") from None
        text = DocumentText(name, decode_text(data, name, CONFIG))
        for index, document in enumerate(documents):
            if document.value is not None:
                self._document(document.value, DocumentOrigin(text, index, document.line))

    def _document(self, value: Any, origin: DocumentOrigin) -> None:
        kind = value.get("kind") if isinstance(value, dict) else None
        model = DOCUMENTS.get(kind) if isinstance(kind, str) else None
        if model is None:
            self.complete = False
            message = "unknown kind of configuration" if kind else "not a configuration: kind is missing"
            origin.problem(self.problems, ("kind",), message, did_you_mean(str(kind), DOCUMENTS))
            return
        match _validated(model, value, lambda *what: origin.problem(self.problems, *what)):
            case ProductDocument(spec=spec):
                self._product(spec, origin)
            case NodesDocument() as nodes:
                self._nodes(nodes, origin)
            case LanesDocument() as lanes:
                self.lane_documents.append((lanes, origin))
            case _:
                self.complete = False

    def _product(self, spec: Product, origin: DocumentOrigin) -> None:
        if other := self.products.get(spec.name):
            message = f"the product {spec.name} is defined twice; first at {other.origin.source}"
            origin.problem(self.problems, ("spec", "name"), message, "keep one of them")
            return
        scopes = [scope.name for scope in spec.scopes]
        for index, name in enumerate(scopes):
            if name in scopes[:index]:
                origin.problem(self.problems, ("spec", "scopes", index), f"the scope {name} is there twice")
        for index, scope in enumerate(spec.scopes):
            for at, name in enumerate(scope.includes):
                if name not in scopes:
                    path = ("spec", "scopes", index, "includes", at)
                    origin.problem(self.problems, path, f"no scope {name}", did_you_mean(name, scopes))
        self.products[spec.name] = ConfiguredProduct(spec, origin)

    def _nodes(self, document: NodesDocument, origin: DocumentOrigin) -> None:
        for name, value in document.nodes.items():
            if other := self.node_layers.get(name):
                message = f"the node {name} is defined twice; first at {other[-1].origin.at(other[-1].path)}"
                origin.problem(self.problems, ("nodes", name), message, "keep one of them")
                continue
            defaults = ConfigLayer(document.defaults, origin, ("defaults",))
            self.node_layers[name] = [defaults, ConfigLayer(value, origin, ("nodes", name))]

    def config(self, folder: Path, templates: Path, selection: Selection | None) -> Config:
        """Merge and validate everything that was read, but for products that `selection` cannot mean."""
        self.unread = self._unread(selection)
        products = {
            name: one if name in self.unread else replace(one, models=self._models(one, templates))
            for name, one in self.products.items()
        }
        self.products = products
        nodes: dict[str, ConfiguredNode] = {}
        for name, layers in self.node_layers.items():
            merged = merge_layers(layers)
            spec = _validated(NodeConfig, merged.value, lambda *what, m=merged: m.problem(self.problems, *what))
            if spec is not None:
                check_node_config_policies(spec, folder, merged, self.problems)
                spec = node_with_remotes_of_lanes(spec, name, merged, self.lane_documents, self.problems)
                nodes[name] = ConfiguredNode(name, self._with_products(name, spec, merged), merged)
        lanes: list[ConfiguredLane] = []
        for document, origin in self.lane_documents:
            lanes += self._lanes(document, origin, nodes)
        self._check_pulls(lanes, nodes)
        return Config(folder, templates, products, nodes, tuple(lanes))

    def _unread(self, selection: Selection | None) -> set[str]:
        if selection is None:
            return set()
        specs = {name: one.spec for name, one in self.products.items()}
        return set(specs).difference(
            products_named_by_selection(specs, [one for one, _ in self.lane_documents], selection)
        )

    def _models(self, product: ConfiguredProduct, templates: Path) -> ProductModels:
        folder = product.spec.templates
        found = read_product_models(templates / folder, f"{templates.resolve().name}/{folder}", self.problems)
        if found is None:
            self.broken.add(product.spec.name)
        return found or PLAIN

    def _with_products(self, named: str, node: NodeConfig, merged: MergedConfig) -> NodeConfig:
        """The node, with what it says about each product checked and filled in."""
        filled: dict[str, dict[str, Any]] = {}
        with_lanes = {document.product for document, _ in self.lane_documents if named in document.nodes}
        for name in dict.fromkeys((*node.products, *sorted(with_lanes.intersection(self.products)))):
            if name in self.unread:
                continue
            if name in self.products and name not in self.broken:
                filled[name] = self._node_facts(name, node, merged)
            elif name not in self.products and self.complete:
                hint = did_you_mean(name, self.products)
                merged.problem(self.problems, ("products", name), f"no product {name}", hint)
        return node.model_copy(update={"products": filled})

    def _node_facts(self, product: str, node: NodeConfig, merged: MergedConfig) -> dict[str, Any]:
        def report(path: DocumentPath, *what: str) -> None:
            merged.problem(self.problems, ("products", product, *path), *what)

        models, value = self.products[product].models, node.products.get(product, {})
        found = _validated(models.node, value, report)
        facts = {} if found is None else found.model_dump(mode="json", by_alias=True)
        if facts:
            models.check_node_rules(facts, node, report)
        return facts

    def _lanes(
        self, document: LanesDocument, origin: DocumentOrigin, nodes: Mapping[str, ConfiguredNode]
    ) -> list[ConfiguredLane]:
        if document.product not in self.products and self.complete:
            hint = did_you_mean(document.product, self.products)
            origin.problem(self.problems, ("product",), f"no product {document.product}", hint)
        found: list[ConfiguredLane] = []
        for node, lanes in document.nodes.items():
            if node not in self.node_layers and self.complete:
                origin.problem(self.problems, ("nodes", node), f"no node {node}", did_you_mean(node, self.node_layers))
            for name in lanes:
                if name not in document.lanes:
                    hint = did_you_mean(name, document.lanes)
                    origin.problem(self.problems, ("nodes", node, name), f"no lane {name} under `lanes`", hint)
                elif document.product in self.unread:
                    merged = merge_lane_layers(document, origin, node, name)
                    bare = Lane.model_construct(enabled=bool(merged.value.get("enabled", True)))
                    found.append(ConfiguredLane(document.product, node, name, bare, merged))
                elif (entry := self._lane(document, origin, node, name)) is not None:
                    if node in nodes:
                        self._check(entry, nodes[node].spec)
                    found.append(entry)
        return found

    def _check(self, entry: ConfiguredLane, node: NodeConfig) -> None:
        """Policies of every lane, and the rules of its product."""
        check_lane_config_policies(entry.spec, node, entry.merged, self.problems)
        product = self.products[entry.product]
        product.models.check_rules(entry.spec, node, entry.merged, self.problems)
        for part in product.models.schema.needs:
            if getattr(node, to_snake(part)) is None:
                text = f"{entry.product} needs {part} on a node, and {entry.node} declares none"
                entry.merged.problem(self.problems, (), text, f"declare {part} of {entry.node}")

    def _check_pulls(self, lanes: list[ConfiguredLane], nodes: Mapping[str, ConfiguredNode]) -> None:
        """Who merges: a question over all lanes."""
        known = [one for one in lanes if one.node in nodes and one.product not in self.unread]
        found = [
            comparable_lane_taking_pull_requests(
                one.spec, nodes[one.node].spec, product=one.product, named=one.name, at=one.node
            )
            for one in known
        ]
        for entry, one in zip(known, found, strict=True):
            having = self._nodes_with(entry.product, entry.name)
            if one is not None and (
                fault := lane_merge_authority_fault(one, [other for other in found if other], having)
            ):
                entry.merged.problem(self.problems, fault.path, fault.text, fault.remedy)

    def _nodes_with(self, product: str, lane: str) -> list[str]:
        """Where a lane is declared, also where it has problems: those are reported, not that it is missing."""
        nodes = [one.nodes.items() for one, _ in self.lane_documents if one.product == product]
        return [node for entries in nodes for node, known in entries if lane in known]

    def _lane(self, document: LanesDocument, origin: DocumentOrigin, node: str, name: str) -> ConfiguredLane | None:
        merged = merge_lane_layers(document, origin, node, name)
        known = self.products.get(document.product)
        if known is None or document.product in self.broken:
            return None  # the fields of its lanes are not known
        spec = _validated(known.models.lane, merged.value, lambda *what: merged.problem(self.problems, *what))
        return None if spec is None else ConfiguredLane(document.product, node, name, spec, merged)


def _validated(model: type[StrictModel], value: Any, report: Any) -> Any:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        report_model_errors(error, model, value, report)
        return None
