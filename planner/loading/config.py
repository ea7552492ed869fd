"""The configuration: `config/*.yaml` becomes products, nodes and lanes. Every problem of all files at once.

A file holds documents `kind: Product`, `Nodes` or `Lanes` (planner.spec.product). Nothing is rendered or read from the
outside here. Imports the models, so it is itself imported lazily.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from planner.drift import ACKNOWLEDGEMENTS
from planner.errors import ConfigError, SelectionError
from planner.loading.model_problems import report_errors
from planner.loading.origin import InputText, Origin
from planner.loading.overlay import Layer, Merged, merge
from planner.loading.policies import check_lane, check_node
from planner.loading.problems import Problems, did_you_mean
from planner.loading.yaml_source import CONFIG, decode_text, load_documents
from planner.spec.base import Model
from planner.spec.lane import Lane
from planner.spec.node import Node
from planner.spec.product import DOCUMENTS, LanesDocument, NodesDocument, Product, ProductDocument

_NOT_CONFIG = frozenset({"manifests", "schema", "templates", "secrets"})  # subfolders that hold something else
_MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A node and where it was defined."""

    name: str
    spec: Node
    merged: Merged = field(repr=False)


@dataclass(frozen=True, slots=True)
class LaneEntry:
    """A lane of a product on a node, and where it was defined."""

    product: str
    node: str
    name: str
    spec: Lane
    merged: Merged = field(repr=False)


@dataclass(frozen=True, slots=True)
class ProductEntry:
    """A product and where it was defined."""

    spec: Product
    origin: Origin = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration. `folder` is where it was read from, `templates` the root of all templates."""

    folder: Path
    templates: Path
    products: Mapping[str, ProductEntry]
    nodes: Mapping[str, NodeEntry]
    lanes: tuple[LaneEntry, ...]

    def lanes_of(self, product: str, node: str) -> tuple[LaneEntry, ...]:
        """The lanes of a product on a node, in the order of the file."""
        return tuple(lane for lane in self.lanes if lane.product == product and lane.node == node)

    def nodes_of(self, product: str) -> tuple[str, ...]:
        """The nodes where a product has lanes."""
        return tuple(dict.fromkeys(lane.node for lane in self.lanes if lane.product == product))


def load_config(folder: Path, templates: Path | None = None) -> Config:
    """Read the configuration in `folder`.

    `templates` is the root of the templates; when None, `<folder>/templates`, else `<folder>/../templates`, else the
    ones shipped with hwplan. Raises SelectionError when there is no configuration, ConfigError with every problem.
    """
    files = _files(folder)
    reader = _Reader(Problems())
    for file in files:
        reader.read(file, f"{folder.resolve().name}/{file.relative_to(folder).as_posix()}")
    config = reader.config(folder, templates or _templates(folder))
    reader.problems.raise_any()
    return config


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SelectionError(
            f"no configuration folder {folder}", where="--config", remedy="make one with: hwplan init, or name one"
        )
    found = [*folder.glob("*.yaml"), *folder.glob("*/*.yaml")]
    inside = (file for file in found if file.parent == folder or file.parent.name not in _NOT_CONFIG)
    files = sorted(file for file in inside if file.name != ACKNOWLEDGEMENTS)
    if not files:
        raise SelectionError(f"{folder} holds no *.yaml", where="--config", remedy="make a start with: hwplan init")
    if len(files) > _MOST_FILES:
        raise SelectionError(
            f"{folder} holds more than {_MOST_FILES} files", where="--config", remedy="name another folder"
        )
    return files


def _templates(folder: Path) -> Path:
    for candidate in (folder / "templates", folder.resolve().parent / "templates"):
        if candidate.is_dir():
            return candidate
    return Path(__file__).resolve().parent.parent.parent / "templates"


@dataclass(slots=True)
class _Reader:
    """Reads file after file and keeps what it found."""

    problems: Problems
    complete: bool = True  # false when a part could not be read: then nothing is reported as missing
    products: dict[str, ProductEntry] = field(default_factory=dict)
    node_layers: dict[str, list[Layer]] = field(default_factory=dict)
    lane_documents: list[tuple[LanesDocument, Origin]] = field(default_factory=list)

    def read(self, file: Path, name: str) -> None:
        """Take the documents of one file."""
        try:
            data = file.read_bytes()
            documents = load_documents(data, name, CONFIG)
        except ConfigError as error:
            self.problems.extend(error.problems)
            self.complete = False
            return
        except OSError as error:
            raise SelectionError(f"{name}: {(error.strerror or 'cannot be read').lower()}", where="--config") from None
        text = InputText(name, decode_text(data, name, CONFIG))
        for index, document in enumerate(documents):
            if document.value is not None:
                self._document(document.value, Origin(text, index, document.line))

    def _document(self, value: Any, origin: Origin) -> None:
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

    def _product(self, spec: Product, origin: Origin) -> None:
        if other := self.products.get(spec.name):
            message = f"the product {spec.name} is defined twice; first at {other.origin.source}"
            origin.problem(self.problems, ("spec", "name"), message, "keep one of them")
            return
        scopes = [scope.name for scope in spec.scopes]
        for index, name in enumerate(scopes):
            if name in scopes[:index]:
                origin.problem(self.problems, ("spec", "scopes", index), f"the scope {name} is there twice")
        self.products[spec.name] = ProductEntry(spec, origin)

    def _nodes(self, document: NodesDocument, origin: Origin) -> None:
        for name, value in document.nodes.items():
            if other := self.node_layers.get(name):
                message = f"the node {name} is defined twice; first at {other[-1].origin.at(other[-1].path)}"
                origin.problem(self.problems, ("nodes", name), message, "keep one of them")
                continue
            defaults = Layer(document.defaults, origin, ("defaults",))
            self.node_layers[name] = [defaults, Layer(value, origin, ("nodes", name))]

    def config(self, folder: Path, templates: Path) -> Config:
        """Merge and validate everything that was read."""
        nodes: dict[str, NodeEntry] = {}
        for name, layers in self.node_layers.items():
            merged = merge(layers)
            spec = _validated(Node, merged.value, lambda *what, m=merged: m.problem(self.problems, *what))
            if spec is not None:
                check_node(spec, folder, merged, self.problems)
                nodes[name] = NodeEntry(name, spec, merged)
        lanes: list[LaneEntry] = []
        for document, origin in self.lane_documents:
            lanes += self._lanes(document, origin, nodes)
        return Config(folder, templates, self.products, nodes, tuple(lanes))

    def _lanes(self, document: LanesDocument, origin: Origin, nodes: Mapping[str, NodeEntry]) -> list[LaneEntry]:
        if document.product not in self.products and self.complete:
            hint = did_you_mean(document.product, self.products)
            origin.problem(self.problems, ("product",), f"no product {document.product}", hint)
        found: list[LaneEntry] = []
        for node, lanes in document.nodes.items():
            if node not in self.node_layers and self.complete:
                origin.problem(self.problems, ("nodes", node), f"no node {node}", did_you_mean(node, self.node_layers))
            for name, value in lanes.items():
                if name not in document.lanes:
                    hint = did_you_mean(name, document.lanes)
                    origin.problem(self.problems, ("nodes", node, name), f"no lane {name} under `lanes`", hint)
                elif (entry := self._lane(document, origin, node, name, value or {})) is not None:
                    if node in nodes:
                        check_lane(entry.spec, nodes[node].spec, entry.merged, self.problems)
                    found.append(entry)
        return found

    def _lane(
        self, document: LanesDocument, origin: Origin, node: str, name: str, value: dict[str, Any]
    ) -> LaneEntry | None:
        merged = merge(
            [
                Layer(document.defaults, origin, ("defaults",)),
                Layer(document.lanes[name], origin, ("lanes", name)),
                Layer(value, origin, ("nodes", node, name)),
            ]
        )
        spec = _validated(Lane, merged.value, lambda *what: merged.problem(self.problems, *what))
        return None if spec is None else LaneEntry(document.product, node, name, spec, merged)


def _validated(model: type[Model], value: Any, report: Any) -> Any:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        report_errors(error, model, value, report)
        return None
