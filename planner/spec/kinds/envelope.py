"""What every document of a hwplan kind has around its spec: apiVersion, kind and metadata."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, PlainValidator, StringConstraints

from planner.spec.base import KeyName, Model
from planner.values import Ref, Sub

ObjectName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,251}[a-zA-Z0-9])?$")]
SecretName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[-a-z0-9.]{1,63}/[-a-z0-9.]{1,253}$")]
AnnotationKey: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[-._/a-zA-Z0-9]{1,317}$")]


class Metadata(Model):
    """Name, labels and annotations."""

    name: ObjectName = Field(description="Name; unique among resources of this kind in a node and lane.")
    namespace: KeyName | None = Field(None, description="Not used by hwplan kinds except where their spec says so.")
    labels: dict[AnnotationKey, str] = Field(default_factory=dict, description="Labels.")
    annotations: dict[AnnotationKey, str] = Field(
        default_factory=dict, description="Annotations; `hwplan.dev/...` are options."
    )


class KindModel(Model):
    """Base of all kinds. Subclasses add `kind` and `spec`."""

    api_version: Literal["hwplan.dev/v1"] = Field(description="Always hwplan.dev/v1.")
    metadata: Metadata = Field(description="Name, labels, annotations.")


class SecretKeyRef(Model):
    """The type of a field whose value stands in a Secret. Plans show its keyed fingerprint, nothing shows the value.

    The loader adds `value`, a sealed leaf, to what the provider gets.
    """

    secret: SecretName = Field(description="The Secret, `namespace/name`.")
    key: KeyName = Field(description="Key in it.")


def _any_value(value: Any) -> Any:
    return value


def _deferred(value: Any) -> Any:
    if isinstance(value, (Ref, Sub)):
        return value
    raise ValueError("expected `!ref` or `!sub`")


# An output of another resource, in the place of a value that is only known later.
Deferred: TypeAlias = Annotated[Any, PlainValidator(_deferred, json_schema_input_type=str)]
FreeValue: TypeAlias = Annotated[Any, PlainValidator(_any_value)]
