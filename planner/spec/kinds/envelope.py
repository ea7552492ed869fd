"""What every document of a hwplan kind has around its spec: apiVersion, kind and metadata; and what a kind declares.

A model says of its kind what its outputs are called and where its documents name Secrets, the same for kinds of hwplan
and for those of other distributions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, Field, PlainValidator, StringConstraints

from planner.spec.base import KeyName, StrictModel
from planner.values import Json, JsonObject, JsonValue, OutputRef, OutputTemplate, SealedSecret

ObjectName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,251}[a-zA-Z0-9])?$")]
SecretName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[-a-z0-9.]{1,63}/[-a-z0-9.]{1,253}$")]
AnnotationKey: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[-._/a-zA-Z0-9]{1,317}$")]


class Metadata(StrictModel):
    """Name, labels and annotations."""

    name: ObjectName = Field(description="Name; unique among resources of this kind in a node and lane.")
    namespace: KeyName | None = Field(None, description="Not used by hwplan kinds except where their spec says so.")
    labels: dict[AnnotationKey, str] = Field(default_factory=dict, description="Labels.")
    annotations: dict[AnnotationKey, str] = Field(
        default_factory=dict, description="Annotations; `hwplan.dev/...` are options."
    )


SecretLeaf: TypeAlias = Callable[[JsonObject], SealedSecret]  # makes the sealed leaf of `{secret, key}`


class KindModel(StrictModel):
    """Base of all kinds. Subclasses add `kind` and `spec`, and declare what the loader has to know of the kind.

    `OUTPUTS` are the names that `!ref Kind/name#output` may have; None where they depend on the effect.
    """

    OUTPUTS: ClassVar[frozenset[str] | None] = None

    api_version: Literal["hwplan.dev/v1"] = Field(description="Always hwplan.dev/v1.")
    metadata: Metadata = Field(description="Name, labels, annotations.")

    @classmethod
    def output_names(cls, manifest: JsonObject) -> Collection[str] | None:
        """The names of the outputs that this document has, None where nobody can say."""
        return cls.OUTPUTS

    @classmethod
    def with_secret_leaves(cls, manifest: JsonObject, leaf: SecretLeaf) -> JsonObject:
        """The checked document with a sealed leaf where the provider looks for the value of a Secret that it names.

        Here: `value: <leaf>` beside every field of the type `SecretKeyRef`.
        """
        return _with_leaves(manifest, cls.model_validate(manifest), leaf) if _may_name_secrets(manifest) else manifest


class SecretKeyRef(StrictModel):
    """The type of a field whose value stands in a Secret. Plans show its keyed fingerprint, nothing shows the value.

    The loader adds `value`, a sealed leaf, to what the provider gets.
    """

    secret: SecretName = Field(description="The Secret, `namespace/name`.")
    key: KeyName = Field(description="Key in it.")


def _may_name_secrets(value: JsonValue) -> bool:
    """A quick look before a document is walked beside its model: most name none."""
    if isinstance(value, dict):
        return ("secret" in value and "key" in value) or any(map(_may_name_secrets, value.values()))
    return isinstance(value, list) and any(map(_may_name_secrets, value))


def _with_leaves(value: Json, model: Any, leaf: SecretLeaf) -> Json:
    """A copy of `value`, which `model` was read from, with `value: <leaf>` added to every reference."""
    match model:
        case SecretKeyRef():
            return {**value, "value": leaf(value)}
        case BaseModel():
            names = {info.alias or name: name for name, info in type(model).model_fields.items()}
            return {key: _with_leaves(item, getattr(model, names[key]), leaf) for key, item in value.items()}
        case dict():
            return {key: _with_leaves(item, model.get(key), leaf) for key, item in value.items()}
        case list() | tuple() if isinstance(value, list) and len(value) == len(model):
            return [_with_leaves(item, inner, leaf) for item, inner in zip(value, model, strict=True)]
        case _:
            return value


def _any_value(value: Any) -> Any:
    return value


def _deferred(value: Any) -> Any:
    if isinstance(value, (OutputRef, OutputTemplate)):
        return value
    raise ValueError("expected `!ref` or `!sub`")


# An output of another resource, in the place of a value that is only known later.
Deferred: TypeAlias = Annotated[Any, PlainValidator(_deferred, json_schema_input_type=str)]
FreeValue: TypeAlias = Annotated[Any, PlainValidator(_any_value)]
