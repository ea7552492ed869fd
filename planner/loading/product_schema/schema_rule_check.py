"""Rules of a schema that need more than the one value: conditions, images of the node, names of other fields, refusals.

Walks schema and value together, after the value was checked and filled in by its model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from planner.dataclass import dataclass
from planner.kind_hook_types import Report
from planner.loading.config_policies.image_sources import input_image_faults, registry_host_of_image
from planner.loading.problems import did_you_mean
from planner.loading.product_schema.models_from_schema import LOCAL
from planner.spec.node import NodeConfig
from planner.spec.product_schema_document import SchemaFieldRequirement, SchemaNode

_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class SchemaRuleChecker:
    """One walk: the definitions of the schema, the whole value, the node it is on, and where problems go."""

    definitions: Mapping[str, SchemaNode]
    whole: Mapping[str, Any]
    node: NodeConfig
    report: Report

    def check(self, schema: SchemaNode, value: Any, path: _Path = ()) -> None:
        """Report what the schema forbids in the value at the path."""
        schema = self._resolved(schema)
        if value is None:
            return
        if schema.refused is not None:
            self.report(path, f"{_dotted(path)} is refused: {schema.refused.reason}", schema.refused.remedy)
            return
        if isinstance(value, str):
            self._text(schema, value, path)
        elif isinstance(value, list) and schema.items is not None:
            for index, item in enumerate(value):
                self.check(schema.items, item, (*path, index))
        elif isinstance(value, dict):
            self._mapping(schema, value, path)

    def _resolved(self, schema: SchemaNode) -> SchemaNode:
        while schema.ref is not None and schema.ref.startswith(LOCAL):
            schema = self.definitions[schema.ref.removeprefix(LOCAL)]
        return schema

    def _mapping(self, schema: SchemaNode, value: Mapping[str, Any], path: _Path) -> None:
        for condition in schema.all_of:
            if _holds(condition.if_, value):
                for message, hint in _missing(condition.then, value, _said(condition.if_)):
                    self.report(path, f"{_dotted(path)}: {message}" if path else message, hint)
        for name, inner in schema.properties.items():
            self.check(inner, value.get(name), (*path, name))
            if inner.copy_of is not None:
                self._copy(inner.copy_of, name, value, path)
        if isinstance(schema.additional_properties, SchemaNode):
            for name, item in value.items():
                self.check(schema.additional_properties, item, (*path, name))

    def _text(self, schema: SchemaNode, value: str, path: _Path) -> None:
        for pattern, refused in schema.refused_values.items():
            if re.fullmatch(pattern, value):
                self.report(path, f"{_dotted(path)}: this value is refused: {refused.reason}", refused.remedy)
        if schema.key_of is not None:
            known = [*(_at(self.whole, schema.key_of) or ()), *schema.key_or]
            if value not in known:
                self.report(path, f"{_dotted(path)}: no {schema.key_of} {value}", did_you_mean(value, known))
        if schema.image is not None:
            for message, hint in self._image_faults(schema.image, value):
                self.report(path, f"{_dotted(path)}: {message}", hint)

    def _image_faults(self, policy: str, image: str) -> Iterator[tuple[str, str]]:
        registry = self.node.registry
        local = registry is not None and registry_host_of_image(image) == registry.host
        if policy == "input" or (policy == "input-or-made" and not local):
            yield from input_image_faults(image, self.node)
        elif not local:
            where = f" {registry.host}" if registry is not None else ""
            yield f"not in the node's registry{where}", "what the node uses stands in its own registry"
        elif policy != "output":
            targets = {one.target for one in self.node.images.values()}
            if image not in targets:
                yield "no target of the node's images, so nothing would make it", did_you_mean(image, targets)

    def _copy(self, source: str, name: str, value: Mapping[str, Any], path: _Path) -> None:
        """An image of the node with this target has to be the copy of what the field beside it names."""
        for image_name, image in self.node.images.items():
            if image.target == value.get(name) and image.source != value.get(source):
                text = f"{source} is not the source of the node's image {image_name}, whose target {name} is"
                self.report((*path, source), text, f"write {image.source}" if image.source else "")


def _holds(wanted: SchemaFieldRequirement, value: Mapping[str, Any]) -> bool:
    return (
        all(value.get(name) == one.const for name, one in wanted.properties.items())
        and all(value.get(name) is not None for name in wanted.required)
        and (not wanted.any_of or any(_holds(one, value) for one in wanted.any_of))
    )


def _missing(wanted: SchemaFieldRequirement, value: Mapping[str, Any], why: str) -> Iterator[tuple[str, str]]:
    for name in wanted.required:
        if value.get(name) is None:
            yield f"{why}, but {name} is missing", f"add {name}"
    for name, one in wanted.properties.items():
        if value.get(name) != one.const:
            yield f"{why}, but {name} is not {one.const}", f"write {name}: {one.const}"
    if wanted.any_of and not any(_holds(one, value) for one in wanted.any_of):
        ways = " or ".join(" and ".join((*one.required, *one.properties)) for one in wanted.any_of)
        yield f"{why}, but there is no {ways}", f"add {ways}"


def _said(wanted: SchemaFieldRequirement) -> str:
    """The condition in words."""
    parts = [f"{name} is {one.const}" for name, one in wanted.properties.items()]
    return " and ".join([*parts, *(f"{name} is there" for name in wanted.required)]) or "one of these is there"


def _at(value: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _dotted(path: _Path) -> str:
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else (f".{part}" if out else part)
    return out
