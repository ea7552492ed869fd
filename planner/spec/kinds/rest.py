"""The kind for an object behind a REST API."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, StrictInt, StringConstraints, model_validator

from planner.document_editing import set_field
from planner.field_path import FieldPath, parse_path
from planner.spec.base import Flag, HttpUrl, StrictModel, Text
from planner.spec.kinds.envelope import FreeValue, KindModel, SecretLeaf
from planner.values import JsonObject, JsonValue, SealedSecret


def _base_url(text: str) -> str:
    if "?" in text or "#" in text:
        raise ValueError("expected a base URL without `?` and `#`")
    return text


def _is_path(text: str) -> str:
    parse_path(text)
    return text


def _is_field(text: str) -> str:
    if not text or not all(isinstance(element, str) for element in parse_path(text)):
        raise ValueError("expected the names of fields, joined by dots: credentials.token")
    return text


BaseUrl: TypeAlias = Annotated[HttpUrl, AfterValidator(_base_url)]
UrlPath: TypeAlias = Annotated[str, StringConstraints(pattern=r"^/[^\s?#{}]*$", max_length=1024)]
ItemPath: TypeAlias = Annotated[str, StringConstraints(pattern=r"^/[^\s?#{}]*\{id\}[^\s?#{}]*$", max_length=1024)]
HeaderName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")]
SecretName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[-a-z0-9.]{1,63}/[-a-z0-9.]{1,253}$")]
PathText: TypeAlias = Annotated[str, StringConstraints(max_length=1024), AfterValidator(_is_path)]
FieldText: TypeAlias = Annotated[str, StringConstraints(max_length=1024), AfterValidator(_is_field)]


class RestAuth(StrictModel):
    """Credentials, by reference. Sent to the host of `baseUrl` only, in one header."""

    secret: SecretName = Field(description="Secret that holds the credential, `namespace/name`.")
    key: Text = Field("token", description="Key in it.")
    header: HeaderName = Field("Authorization", description="Header that carries it.")
    prefix: str = Field("Bearer ", description="Text before it.")


class RestPagination(StrictModel):
    """How a list that comes in pages is read to its end. `Link: <...>; rel="next"` is followed without this."""

    by: Literal["page", "offset", "cursor"] = Field(
        "page", description="What the parameter counts: pages, objects, or nothing (the answer names the next page)."
    )
    parameter: Text = Field("page", description="Query parameter that asks for a page.")
    first: StrictInt = Field(1, description="Number of the first page; of no meaning elsewhere.")
    next: FieldText | None = Field(None, description="With `cursor`: field that holds the next value; gone at the end.")
    total: FieldText | None = Field(
        None, description="Field with the number of all objects. Without it an empty page is the end."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.by == "cursor") != (self.next is not None):
            raise ValueError("`next` belongs to `by: cursor`, and only to it")
        return self


class RestList(StrictModel):
    """How the API lists a collection."""

    items: FieldText | None = Field(
        None, description="Field of the answer that holds the list; none when the answer itself is the list."
    )
    query: dict[Text, str] = Field(default_factory=dict, description="Query parameters.")
    pages: RestPagination | None = Field(None, description="How pages are read.")


class RestSecret(StrictModel):
    """A field of the body that comes from a Secret."""

    secret: SecretName = Field(description="The Secret, `namespace/name`.")
    key: Text = Field(description="Key in it.")
    readable: Flag = Field(
        False,
        description="The API gives the value back, so that it can be compared. When it answers nothing or a mask, leave"
        " this out: the field is written, and never read.",
    )


class RestVerbs(StrictModel):
    """How the API creates and changes. Objects are never deleted: nothing in them says whose they are."""

    create: Literal["POST", "PUT"] = Field(
        "POST", description="`POST` to the collection, or `PUT` to the object's own path."
    )
    update: Literal["PUT", "PATCH", "POST"] = Field(
        "PUT", description="`PUT` and `POST` send the whole object, `PATCH` only its top-level fields that change."
    )
    patch_type: Literal["application/json", "application/merge-patch+json"] = Field(
        "application/json", description="Content type of a `PATCH`."
    )


class RestObjectSpec(StrictModel):
    """Where the object is and what it has to be."""

    base_url: BaseUrl = Field(description="Beginning of every URL of the API. Credentials go to its host only.")
    path: UrlPath = Field(description="Path of the collection.")
    list_: RestList = Field(default_factory=RestList, alias="list", description="How the collection is listed.")
    key: FieldText = Field(description="Field that distinguishes objects; the body has it.")
    id: FieldText = Field("id", description="Field that names an object in its own path.")
    item: ItemPath | None = Field(
        None, description="Path of one object with `{id}` in it; `{id}` below the collection when left out."
    )
    details: Flag = Field(
        False, description="The list is short of fields: ask for each wanted object by its own path as well."
    )
    object: FieldText | None = Field(
        None, description="Field of an answer about one object that holds it; none when the answer is the object."
    )
    body: dict[Text, FreeValue] = Field(description="Wanted fields; others are left alone. A list is one value.")
    secrets: dict[FieldText, RestSecret] = Field(
        default_factory=dict, description="Field of the body -> the Secret that its value comes from."
    )
    fingerprints: FieldText | None = Field(
        None,
        description="Free text field of the object (a note) in which hwplan keeps a keyed fingerprint of the secrets"
        " that cannot be read back, so that a new value is noticed. Without it a new value is sent only together with"
        " another change.",
    )
    omit: tuple[FieldText, ...] = Field(
        (),
        description="Fields that the API answers and does not take, or answers masked: never sent back with an update.",
    )
    auth: RestAuth | None = Field(None, description="Credentials.")
    verbs: RestVerbs = Field(default_factory=RestVerbs, description="Verbs of the API.")
    outputs: dict[Text, PathText] = Field(
        default_factory=dict, description="Name of an output -> field of the object. Never name a secret: it is shown."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for problem in _problems(self):
            raise ValueError(problem)
        return self


class RestObject(KindModel):
    """An object behind a REST API. Outputs: as declared."""

    kind: Literal["RestObject"] = Field(description="RestObject.")
    spec: RestObjectSpec = Field(description="The object.")

    @classmethod
    def output_names(cls, manifest: JsonObject) -> Collection[str]:
        """Those that the document declares itself."""
        return manifest["spec"].get("outputs") or {}

    @classmethod
    def with_secret_leaves(cls, manifest: JsonObject, leaf: SecretLeaf) -> JsonObject:
        """The document with its leaves in the body, where `secrets` says so, and beside the credentials."""
        spec: JsonObject = dict(manifest["spec"])
        for path, named in (spec.get("secrets") or {}).items():
            spec["body"] = set_field(spec["body"], parse_path(path), leaf(named))
        if auth := spec.get("auth"):
            # Without its fingerprint: who asks does not belong to what is asked for.
            spec["auth"] = {**auth, "value": SealedSecret(leaf({"key": "token", **auth}).ref, "")}
        return {**manifest, "spec": spec}


def _problems(spec: RestObjectSpec) -> Iterator[str]:
    secret = [parse_path(path) for path in spec.secrets]
    retained = [parse_path(spec.fingerprints)] if spec.fingerprints else []
    if not _has(spec.body, parse_path(spec.key)):
        yield "the body has no value for the field that `key` names"
    if any(_has(spec.body, path) for path in (*secret, *retained)):
        yield "a field of `secrets` or `fingerprints` stands in the body as well"
    if any(_is_barred(spec.body, path) for path in (*secret, *retained)):
        yield "a field of `secrets` or `fingerprints` leads into a value of the body that is no mapping"
    if any(
        _overlap(one, other) for at, one in enumerate((*secret, *retained)) for other in (*secret, *retained)[at + 1 :]
    ):
        yield "two fields of `secrets` and `fingerprints` lie in each other"
    if any(_overlap(parse_path(text), path) for text in (*spec.outputs.values(), spec.id, spec.key) for path in secret):
        yield "an output, `id` or `key` names a secret field"
    if spec.fingerprints and all(one.readable for one in spec.secrets.values()):
        yield "`fingerprints` is of use only with a secret that is not readable"
    if spec.verbs.create == "PUT" and spec.id != spec.key:
        yield "`create: PUT` needs `id` and `key` to be one field: the path is known before the object is"


def _has(value: JsonValue, path: FieldPath) -> bool:
    for element in path:
        if not isinstance(value, dict) or element not in value:
            return False
        value = value[element]
    return True


def _is_barred(value: JsonValue, path: FieldPath) -> bool:
    """Whether something that is no mapping stands on the way to the field."""
    for element in path[:-1]:
        if not isinstance(value, dict):
            return True
        if element not in value:
            return False
        value = value[element]
    return not isinstance(value, dict)


def _overlap(one: FieldPath, other: FieldPath) -> bool:
    """Whether one of the two paths leads into the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
