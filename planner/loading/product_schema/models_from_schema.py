"""From a schema to a model: fields of a product are then checked, filled in, completed and explained as all others are.

Owns what each word of a planner.spec.product_schema_document.SchemaNode comes to in pydantic. Rules that need more than
the one value are in planner.loading.product_schema.schema_rule_check.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StringConstraints, create_model
from pydantic.fields import FieldInfo

from planner.dataclass import dataclass
from planner.loading.document_origin import Path
from planner.loading.problems import did_you_mean
from planner.spec import base, images, lane, namespaces_proxies_storage, secrets
from planner.spec.base import StrictModel
from planner.spec.model_walk import fields_of_model
from planner.spec.product_schema_document import SchemaNode

LOCAL: Final = "#/$defs/"
SHARED: Final = "hwplan:"
FORMATS: Final[Mapping[str, Any]] = {
    "branch": base.Branch,
    "commit": base.Commit,
    "cron": base.Cron,
    "dotted-name": base.DottedName,
    "duration": base.Duration,
    "env-name": base.EnvName,
    "file-mode": base.FileMode,
    "full-ref": base.FullRef,
    "git-url": base.GitUrl,
    "http-url": base.HttpUrl,
    "image": base.ImageRef,
    "image-source": base.ImageSource,
    "inner-path": base.InnerPath,
    "key-name": base.KeyName,
    "name": base.Name,
    "node-name": base.NodeName,
    "port": base.Port,
    "quantity": base.Quantity,
    "registry-host": base.RegistryHost,
    "repo-name": base.RepoName,
    "sha256": base.Sha256,
}
MODELS: Final[Mapping[str, type[StrictModel]]] = {
    "BuildConfig": images.BuildConfig,
    "EgressProxy": namespaces_proxies_storage.EgressProxy,
    "Namespace": namespaces_proxies_storage.Namespace,
    "ResourceBounds": namespaces_proxies_storage.ResourceBounds,
    "Storage": namespaces_proxies_storage.Storage,
    "GateProbe": lane.GateProbe,
    "RunRetention": lane.RunRetention,
    "FileSource": secrets.FileSource,
    "SecretOrigin": secrets.SecretOrigin,
    "SecretRule": secrets.SecretRule,
}


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """A part of a schema file that no model can be made of, at a path of the document."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""


class SchemaModelMaker:
    """Makes models of the nodes of one schema file. Definitions are made once; `faults` grows with what is wrong."""

    def __init__(self, definitions: Mapping[str, SchemaNode]) -> None:
        self.faults: list[SchemaFault] = []
        self._definitions = definitions
        self._made: dict[str, Any] = {}

    def model(
        self, name: str, node: SchemaNode, path: Path, parent: type[StrictModel] = StrictModel
    ) -> type[StrictModel]:
        """A model of a mapping with the fields of `parent` too, which the node may demand or say more of.

        `path` is where the node stands in the file.
        """
        inherited = {info.alias or key: key for key, info in parent.model_fields.items()}
        fields: dict[str, Any] = {}
        for index, (key, inner) in enumerate(node.properties.items()):
            annotation = self._type(inner, f"{name}{key[:1].upper()}{key[1:]}", (*path, "properties", key))
            known = inherited.get(key, f"field_{index}")
            fields[known] = _field(annotation, inner, key, required=key in node.required)
        for index, key in enumerate(node.required):
            if key in inherited and inherited[key] not in fields:
                fields[inherited[key]] = _demanded(parent, key)
            elif key not in node.properties:
                hint = did_you_mean(key, (*node.properties, *inherited))
                self.faults.append(SchemaFault((*path, "required", index), f"no field {key}", hint))
        made: type[StrictModel] = create_model(
            name, __base__=parent, __doc__=node.description or parent.__doc__, **fields
        )
        return made

    def _type(self, node: SchemaNode, name: str, path: Path) -> Any:
        if node.ref is not None:
            return self._referenced(node.ref, (*path, "$ref"))
        if node.enum or node.const is not None:
            return Literal[tuple(node.enum or (node.const,))]
        match node.type:
            case "object":
                return self._mapping(node, name, path)
            case "array":
                item = self._type(node.items, name, (*path, "items")) if node.items else Any
                items: Any = tuple.__class_getitem__((item, ...))
                return Annotated[items, Field(min_length=node.min_items, max_length=node.max_items)]
            case "string":
                return _text(node)
            case "integer":
                form = FORMATS["port"] if node.format == "port" else StrictInt
                return Annotated[form, Field(ge=node.minimum, le=node.maximum)]
            case "number":
                return Annotated[StrictInt | StrictFloat, Field(ge=node.minimum, le=node.maximum)]
            case "boolean":
                return StrictBool
            case None:
                return Any

    def _mapping(self, node: SchemaNode, name: str, path: Path) -> Any:
        if isinstance(node.additional_properties, SchemaNode):
            value = self._type(node.additional_properties, name, (*path, "additionalProperties"))
            mapping: Any = dict.__class_getitem__((_text(node.property_names or SchemaNode(type="string")), value))
            return Annotated[mapping, Field(min_length=node.min_properties)]
        return self.model(name, node, path)

    def _referenced(self, ref: str, path: Path) -> Any:
        if ref.startswith(SHARED):
            found: Any = MODELS.get(ref.removeprefix(SHARED))
            known = [f"{SHARED}{one}" for one in MODELS]
        else:
            found = self._defined(ref, path)
            known = [f"{LOCAL}{one}" for one in self._definitions]
        if found is None:
            self.faults.append(SchemaFault(path, f"no definition {ref}", did_you_mean(ref, known)))
        return Any if found is None else found

    def _defined(self, ref: str, path: Path) -> Any:
        name = ref.removeprefix(LOCAL)
        if name not in self._definitions:
            return None
        if name not in self._made:
            self._made[name] = Any  # what it is inside itself
            self._made[name] = self._type(self._definitions[name], name, ("$defs", name))
        elif self._made[name] is Any and self._definitions[name].type is not None:
            self.faults.append(SchemaFault(path, f"{ref} holds itself"))
        return self._made[name]


def _text(node: SchemaNode) -> Any:
    bounds = StringConstraints(min_length=node.min_length, max_length=node.max_length, pattern=node.pattern)
    return Annotated[FORMATS[node.format] if node.format else str, bounds]


def _field(annotation: Any, node: SchemaNode, key: str, *, required: bool) -> tuple[Any, FieldInfo]:
    words: dict[str, Any] = {"alias": key, "title": key, "description": node.description}
    if "default" in node.model_fields_set:
        return annotation, Field(node.default, validate_default=True, **words)
    return (annotation, Field(**words)) if required else (annotation | None, Field(None, **words))


def _demanded(parent: type[StrictModel], key: str) -> tuple[Any, FieldInfo]:
    """A field of the parent that may not be left out."""
    info = fields_of_model(parent)[key]
    kept = [one for one in get_args(info.annotation) if one is not NoneType]
    annotation = kept[0] if kept and NoneType in get_args(info.annotation) else info.annotation
    return annotation, Field(alias=info.alias, description=info.description)
