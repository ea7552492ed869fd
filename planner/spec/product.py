"""A product, and the documents that configuration files are made of."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from planner.spec.base import Flag, InnerPath, Name, NodeName, StrictModel, Text, Values
from planner.spec.git import GitRemote


class ProductTemplateScope(StrictModel):
    """A part of a product that can be planned alone: a folder of templates."""

    name: Name = Field(description="Word for `--scope`; also the folder under the product's templates.")
    per: Literal["node", "lane"] = Field(
        description="`node`: rendered once per node with all its lanes; `lane`: rendered once per lane."
    )
    folders: tuple[InnerPath, ...] = Field(
        (), description="Folders under templates/, instead of the product's own of this name."
    )
    description: Text | None = Field(None, description="What is in it.")
    includes: tuple[Name, ...] = Field((), description="Scopes that are taken along when this one is named.")
    default: Flag = Field(
        True, description="Whether it is taken when no scope is named. False: only by its own verb or by name."
    )


class Product(StrictModel):
    """A product: its scopes in the order they are applied, and where their templates are."""

    name: Name = Field(description="Word for `--product`.")
    version: Text = Field(description="Version of its configuration, for people.")
    templates: InnerPath = Field(description="Folder under templates/.")
    scopes: tuple[ProductTemplateScope, ...] = Field(min_length=1, description="Scopes, in order.")
    default: Flag = Field(False, description="Whether it is taken where no product is named and several would fit.")
    values: Values = Field(default_factory=dict, description="Anything else that templates need; not checked.")


class ProductDocument(StrictModel):
    """`kind: Product` - defines one product."""

    api_version: Literal["hwplan.dev/v1"] = Field(description="Always hwplan.dev/v1.")
    kind: Literal["Product"] = Field(description="Product.")
    spec: Product = Field(description="The product.")


class NodesDocument(StrictModel):
    """`kind: Nodes` - defines nodes. Each node is merged over `defaults`, as lanes are."""

    api_version: Literal["hwplan.dev/v1"] = Field(description="Always hwplan.dev/v1.")
    kind: Literal["Nodes"] = Field(description="Nodes.")
    defaults: dict[str, Any] = Field(default_factory=dict, description="Part of a Node that every node starts from.")
    nodes: dict[NodeName, dict[str, Any]] = Field(description="Nodes by name; each is merged over `defaults`.")


class LanesDocument(StrictModel):
    """`kind: Lanes` - the lanes of a product. Order of merging: `defaults`, `lanes.<lane>`, `nodes.<node>.<lane>`.

    Mappings merge key by key; anything else replaces what was there; `null` takes a key away.
    """

    api_version: Literal["hwplan.dev/v1"] = Field(description="Always hwplan.dev/v1.")
    kind: Literal["Lanes"] = Field(description="Lanes.")
    product: Name = Field(description="Product that the lanes belong to.")
    remotes: dict[Name, GitRemote] = Field(
        default_factory=dict,
        description="Added to the git mirror of each node that has a lane, with the branches of the lanes there.",
    )
    defaults: dict[str, Any] = Field(default_factory=dict, description="Part of a Lane that every lane starts from.")
    lanes: dict[Name, dict[str, Any]] = Field(description="Lanes by name, as they are on every node.")
    nodes: dict[NodeName, dict[Name, dict[str, Any] | None]] = Field(
        description="Which lanes a node has, and what is different there. An empty value means: no difference."
    )


DOCUMENTS: dict[str, type[StrictModel]] = {"Product": ProductDocument, "Nodes": NodesDocument, "Lanes": LanesDocument}
