"""`templates/<product>/schema.yaml`: what a product adds to lanes and nodes, in a part of JSON Schema (2020-12).

Owns the form alone. planner.loading.product_schema makes models of it, so that fields of a product are checked,
completed and explained like those of every lane.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, model_validator

from planner.spec.base import StrictModel, Text

Limit = Annotated[StrictInt, Field(ge=0, le=1_000_000)]
Format = Literal[
    "branch", "commit", "cron", "dotted-name", "duration", "env-name", "file-mode", "full-ref", "git-url", "http-url",
    "image", "image-source", "inner-path", "key-name", "name", "node-name", "port", "quantity", "registry-host",
    "repo-name", "sha256",
]  # fmt: skip
ImagePolicy = Literal["input", "output", "made", "input-or-made"]


class RefusedFieldMessage(StrictModel):
    """The message for a field that a product refuses: why, and what to write instead."""

    reason: Text = Field(description="Why it is refused.")
    remedy: Text = Field(description="What to do.")


class SchemaCondition(StrictModel):
    """A condition of a product's schema: `if` one requirement holds of a mapping, `then` another has to."""

    if_: SchemaFieldRequirement = Field(alias="if", description="When it counts.")
    then: SchemaFieldRequirement = Field(description="What is needed then.")


class SchemaFieldRequirement(StrictModel):
    """A requirement of a product's schema: fields that have to be there, or to have a value."""

    properties: dict[Text, SchemaConstValue] = Field(default_factory=dict, description="Fields that have this value.")
    required: tuple[Text, ...] = Field((), description="Fields that are there.")
    any_of: tuple[SchemaFieldRequirement, ...] = Field((), description="One of these is enough.")


class SchemaConstValue(StrictModel):
    """The JSON Schema word `const`: the one value that is allowed."""

    const: Any = Field(description="The value.")


class SchemaNode(StrictModel):
    """A schema of one value. Words of JSON Schema mean what they mean there; the others begin with `x-`.

    A mapping takes the fields of `properties` and no other, or, with `additionalProperties`, any key with such a value.
    A field that is left out has its `default`; without one it is null for templates.
    """

    ref: Text | None = Field(
        None,
        alias="$ref",
        description="A definition: `#/$defs/NAME`, or `hwplan:NAME` for one that hwplan has.",
    )
    type: Literal["object", "array", "string", "integer", "number", "boolean"] | None = Field(
        None, description="Its type; without one it may be anything."
    )
    description: Text | None = Field(None, description="What it is, for people.")
    default: Any = Field(None, description="What it is when it is left out; `{}` is a mapping with its own defaults.")
    enum: tuple[StrictBool | StrictInt | Text, ...] = Field((), description="The values that it may have.")
    const: StrictBool | StrictInt | Text | None = Field(None, description="The one value that it may have.")
    properties: dict[Text, SchemaNode] = Field(default_factory=dict, description="Its fields, by name.")
    required: tuple[Text, ...] = Field((), description="Fields that have to be there.")
    additional_properties: SchemaNode | Literal[False] | None = Field(
        None, description="What each value of a mapping with free keys is."
    )
    property_names: SchemaNode | None = Field(None, description="What its keys are: a string with a format or pattern.")
    min_properties: Limit | None = Field(None, description="Least number of keys.")
    items: SchemaNode | None = Field(None, description="What each item of a list is.")
    min_items: Limit | None = Field(None, description="Least number of items.")
    max_items: Limit | None = Field(None, description="Most items.")
    min_length: Limit | None = Field(None, description="Least number of characters.")
    max_length: Limit | None = Field(None, description="Most characters.")
    pattern: Text | None = Field(None, description="Regular expression.")
    format: Format | None = Field(None, description="A form that hwplan knows; for a string, or `port` for an integer.")
    minimum: StrictInt | StrictFloat | None = Field(None, description="Least number.")
    maximum: StrictInt | StrictFloat | None = Field(None, description="Greatest number.")
    all_of: tuple[SchemaCondition, ...] = Field(
        (), description="What is needed when something else holds: `if` and `then`."
    )
    image: ImagePolicy | None = Field(
        None,
        alias="x-image",
        description="`input`: an image of a public registry; `output`: in the node's registry; `made`: there, and made "
        "by the node's `images`; `input-or-made`: one of the two.",
    )
    copy_of: Text | None = Field(
        None, alias="x-copy-of", description="The field beside it that names the public image which this one copies."
    )
    key_of: Text | None = Field(
        None, alias="x-key-of", description="The text is a key of this mapping of the lane, such as `services`."
    )
    key_or: tuple[Text, ...] = Field((), alias="x-key-or", description="Words that are allowed besides the keys.")
    refused: RefusedFieldMessage | None = Field(
        None, alias="x-refused", description="The field exists to be refused, with a reason."
    )
    refused_values: dict[Text, RefusedFieldMessage] = Field(
        default_factory=dict, alias="x-refused-values", description="Texts, as regular expressions, that are refused."
    )

    @model_validator(mode="after")
    def _one_kind_of_mapping(self) -> Self:
        if self.properties and isinstance(self.additional_properties, SchemaNode):
            raise ValueError("a mapping has either `properties` or `additionalProperties`")
        if self.type is None and (self.properties or self.items):
            raise ValueError("say the type: object for `properties`, array for `items`")
        return self


class ProductSchema(StrictModel):
    """`kind: ProductSchema` - the fields of a product, in the file `schema.yaml` of its templates."""

    api_version: Literal["hwplan.dev/v1"] = Field(description="Always hwplan.dev/v1.")
    kind: Literal["ProductSchema"] = Field(description="ProductSchema.")
    lane: SchemaNode = Field(
        default_factory=lambda: SchemaNode(type="object"),
        description="Fields of its lanes besides those of every lane; `required` may name those too.",
    )
    node: SchemaNode = Field(
        default_factory=lambda: SchemaNode(type="object"),
        description="Fields under `products.<product>` of a node where it has lanes.",
    )
    needs: tuple[Literal["argo", "egressProxy", "gitMirror", "registry", "tekton"], ...] = Field(
        (), description="What a node has to declare where the product has lanes."
    )
    defs: dict[Text, SchemaNode] = Field(default_factory=dict, alias="$defs", description="Definitions, by name.")
