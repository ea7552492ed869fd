"""The kind for an object behind a REST API."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from planner.spec.base import HttpUrl, Model, Text
from planner.spec.kinds.envelope import FreeValue, KindModel

UrlPath: TypeAlias = Annotated[str, StringConstraints(pattern=r"^/[^\s?#]*$", max_length=1024)]


class RestAuth(Model):
    """Credentials, by reference."""

    secret: Text = Field(description="Secret that holds the credential, `namespace/name`.")
    key: Text = Field("token", description="Key in it.")
    header: Text = Field("Authorization", description="Header that carries it.")
    prefix: str = Field("Bearer ", description="Text before it.")


class RestVerbs(Model):
    """How the API creates, changes and deletes."""

    create: Literal["POST", "PUT"] = Field("POST", description="Create.")
    update: Literal["PUT", "PATCH", "POST"] = Field("PUT", description="Change.")
    delete: Literal["DELETE"] | None = Field("DELETE", description="Delete; `null` when it cannot.")


class RestObjectSpec(Model):
    """Where the object is and what it has to be."""

    base_url: HttpUrl = Field(description="Beginning of every URL of the API.")
    path: UrlPath = Field(description="Path of the collection.")
    key: Text = Field(description="Field that tells objects apart.")
    body: dict[str, FreeValue] = Field(description="Wanted fields; others are left alone.")
    auth: RestAuth | None = Field(None, description="Credentials.")
    verbs: RestVerbs = Field(default_factory=RestVerbs, description="Verbs of the API.")
    outputs: dict[Text, Text] = Field(
        default_factory=dict, description="Name of an output -> field path in the answer."
    )


class RestObject(KindModel):
    """An object behind a REST API. Outputs: as declared."""

    kind: Literal["RestObject"] = Field(description="RestObject.")
    spec: RestObjectSpec = Field(description="The object.")
