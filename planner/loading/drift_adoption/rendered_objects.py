"""Declared objects in rendered texts: where they stand, and what differs between two renderings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from planner.address import Address, group_of_api_version
from planner.dataclass import dataclass
from planner.document_diff import diff_documents, equal_documents
from planner.document_editing import MISSING, replace_value, value_at
from planner.drift_adoption import FieldToAdopt
from planner.errors import ConfigError
from planner.field_path import FieldPath, render_path
from planner.loading.document_origin import DocumentOrigin
from planner.loading.drift_adoption.render_selected_templates import RenderedTemplate
from planner.loading.yaml.document_limits import YamlDocument
from planner.loading.yaml.load_documents import TEMPLATE, load_documents
from planner.source_line_ref import SourceRef
from planner.values import Json, JsonObject


@dataclass(frozen=True, slots=True)
class RenderedObject:
    """A declared object in the rendered texts, and where it stands there."""

    text: RenderedTemplate
    index: int
    line: int
    document: JsonObject

    @property
    def key(self) -> tuple[object, ...]:
        """Which place it is, in whatever rendering: two nodes may have objects of one address."""
        return self.text.product, self.text.node, self.text.lane, self.text.scope, self.text.template, self.index

    def source(self, path: FieldPath) -> SourceRef:
        """The line of the template that the field most likely came from."""
        return DocumentOrigin(self.text.text, self.index, self.line).at(path_with_positions(self.document, path))


Allowed: TypeAlias = Mapping[tuple[object, ...], Sequence[FieldToAdopt]]  # by `Place.key`


def first_unadopted_rendering_difference(
    before: Sequence[RenderedTemplate], after: Sequence[RenderedTemplate], allowed: Allowed
) -> str:
    """The first thing that differs and may not."""
    if [(one.lane, one.scope, one.template) for one in before] != [
        (one.lane, one.scope, one.template) for one in after
    ]:
        return "which templates are rendered"
    for one, other in zip(before, after, strict=True):
        if one.text.text == other.text.text:
            continue
        where = f"{one.text.name} for {one.node}" + (f"/{one.lane}" if one.lane else "")
        old, new = list(objects_in_rendered_template(one)), parse_rendered_text(other.text.text, other.text.name)
        if new is None or len(new) != len(load_documents(one.text.text.encode(), one.text.name, TEMPLATE)):
            return where
        for place in old:
            if beyond := _document_difference(place, new[place.index].value, allowed):
                return f"{beyond} ({where})"
    return ""


def _document_difference(place: RenderedObject, after: Json, allowed: Allowed) -> str:
    if equal_documents(place.document, after):
        return ""
    expected = after
    for one in allowed.get(place.key, ()):
        if equal_documents(value_at(after, one.path, MISSING), one.live):
            expected = replace_value(expected, one.path, value_at(place.document, one.path))
    if equal_documents(expected, place.document):
        return ""
    changes = diff_documents(place.document, expected)
    name = f"{place.document.get('kind')}/{(place.document.get('metadata') or {}).get('name')}"
    return f"{render_path(changes[0].path)} of {name}" if changes else name


def objects_in_rendered_template(text: RenderedTemplate) -> Iterator[RenderedObject]:
    """Every object that a rendered template declares; nothing where it is no YAML."""
    documents = parse_rendered_text(text.text.text, text.text.name) or ()
    for index, document in enumerate(documents):
        if isinstance(document.value, dict):
            yield RenderedObject(text, index, document.line, document.value)


def parse_rendered_text(text: str, name: str) -> tuple[YamlDocument, ...] | None:
    """The documents of a rendered text; None where it is no YAML."""
    try:
        return load_documents(text.encode(), name, TEMPLATE)
    except ConfigError:
        return None


def declares_object(document: Any, address: Address) -> bool:
    """Whether a document declares this object. One that names no namespace may stand in any."""
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        return False
    metadata = document["metadata"]
    namespaces = ("", None, address.namespace)
    kind = document.get("kind"), group_of_api_version(str(document.get("apiVersion", ""))), metadata.get("name")
    return kind == (address.kind, address.group, address.name) and metadata.get("namespace") in namespaces


def path_with_positions(document: Json, path: FieldPath) -> tuple[str | int, ...]:
    """The path with positions in place of the keys of list items, as far as it exists."""
    found: list[str | int] = []
    for element in path:
        inside = value_at(document, (element,), MISSING)
        if inside is MISSING:
            break
        at = element if isinstance(element, str | int) else next(n for n, one in enumerate(document) if one is inside)
        found.append(at)
        document = inside
    return tuple(found)
