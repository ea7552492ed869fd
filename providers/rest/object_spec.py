"""What a RestObject asks for, read from its document: the collection, the object in it, and how to speak to both. Pure.

The document was checked against its model; what is read here may only lack outputs of others in its body.
"""

from __future__ import annotations

from dataclasses import field
from urllib.parse import quote, urlencode, urlsplit

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.field_path import FieldPath, parse_path
from planner.values import Json, JsonObject, JsonValue, OutputRef, OutputTemplate, SealedSecret
from providers.web.json_body import find_json_value_at_path

_LONGEST_ID = 512


@dataclass(frozen=True, slots=True)
class RestAuthHeader:
    """The header that carries a credential. `ref` is where its value is read, `shown` how messages name it."""

    ref: str
    shown: str
    header: str = "Authorization"
    prefix: str = "Bearer "


@dataclass(frozen=True, slots=True)
class RestPaging:
    """How pages are asked for. `by` is page, offset or cursor; `next` and `total` are fields of an answer."""

    by: str = "page"
    parameter: str = "page"
    first: int = 1
    next: FieldPath = ()
    total: FieldPath = ()


@dataclass(frozen=True, slots=True)
class RestCollection:
    """A collection of an API. Equal ones are listed once, however many objects are wanted of them.

    `items` and `object` are the fields of answers that hold the list or the one object, () for the answer itself; `id`
    is the field that names an object in its own path, which is `item`.
    """

    base: str
    path: str
    item: str
    id: FieldPath
    items: FieldPath = ()
    object: FieldPath = ()
    query: tuple[tuple[str, str], ...] = ()
    pages: RestPaging | None = None
    auth: RestAuthHeader | None = None

    @property
    def url(self) -> str:
        """The URL that objects are created at."""
        return self.base + self.path

    @property
    def host(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.base).netloc

    def list_url(self, **more: str) -> str:
        """The URL of a list, with the declared query and more parameters."""
        query = urlencode([*self.query, *more.items()], quote_via=quote)
        return f"{self.url}?{query}" if query else self.url

    def item_url(self, identifier: str) -> str:
        """The URL of one object. Raises PermanentError for an id that would lead to another path."""
        if identifier in ("", ".", "..") or len(identifier) > _LONGEST_ID:
            raise PermanentError("this id of an object cannot stand in a path", where=self.host)
        try:
            return self.base + self.item.replace("{id}", quote(identifier, safe=""))
        except UnicodeEncodeError:
            raise PermanentError("this id of an object cannot stand in a path", where=self.host) from None


@dataclass(frozen=True, slots=True)
class ParsedRestObjectSpec:
    """The parsed spec of a RestObject. `name` is the value of its `key` field; `body` has sealed leaves for secrets.

    `readable` are the secret fields that the API gives back; `note` is the field that keeps fingerprints of the others
    (() for none); `omit` are fields that are never sent.
    """

    address: Address
    collection: RestCollection
    key: FieldPath
    name: Json
    body: JsonObject = field(repr=False)
    readable: frozenset[FieldPath] = frozenset()
    note: FieldPath = ()
    omit: tuple[FieldPath, ...] = ()
    details: bool = False
    create: str = "POST"
    update: str = "PUT"
    patch_type: str = "application/json"
    outputs: tuple[tuple[str, FieldPath], ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the key waits for an output of another resource."""
        return isinstance(self.name, OutputRef | OutputTemplate)

    @property
    def shown(self) -> str:
        """The object in messages: `name="codex"` of its collection."""
        return f"{'.'.join(map(str, self.key))}={key_or_id_text(self.name)} in {self.collection.path}"


def parse_rest_object_spec(address: Address, manifest: JsonObject) -> ParsedRestObjectSpec:
    """Parse the document of a RestObject."""
    spec = manifest["spec"]
    key, secrets, verbs = parse_path(spec["key"]), spec.get("secrets") or {}, spec.get("verbs") or {}
    found = find_json_value_at_path(spec["body"], key)
    return ParsedRestObjectSpec(
        address=address,
        collection=_collection(spec),
        key=key,
        name=found[0] if found else None,
        body=spec["body"],
        readable=frozenset(parse_path(path) for path, named in secrets.items() if named.get("readable")),
        note=parse_path(spec.get("fingerprints") or ""),
        omit=tuple(parse_path(path) for path in spec.get("omit") or ()),
        details=bool(spec.get("details")),
        create=verbs.get("create", "POST"),
        update=verbs.get("update", "PUT"),
        patch_type=verbs.get("patchType", "application/json"),
        outputs=tuple((name, parse_path(path)) for name, path in sorted((spec.get("outputs") or {}).items())),
    )


def _collection(spec: JsonObject) -> RestCollection:
    path = spec["path"].rstrip("/") or "/"
    listed = spec.get("list") or {}
    return RestCollection(
        base=spec["baseUrl"].rstrip("/"),
        path=path,
        item=spec.get("item") or f"{path.rstrip('/')}/{{id}}",
        id=parse_path(spec.get("id", "id")),
        items=parse_path(listed.get("items") or ""),
        object=parse_path(spec.get("object") or ""),
        query=tuple(sorted((listed.get("query") or {}).items())),
        pages=_pages(listed["pages"]) if listed.get("pages") is not None else None,
        auth=_auth(spec["auth"]) if spec.get("auth") else None,
    )


def _pages(pages: JsonObject) -> RestPaging:
    return RestPaging(
        pages.get("by", "page"),
        pages.get("parameter", "page"),
        pages.get("first", 1),
        parse_path(pages.get("next") or ""),
        parse_path(pages.get("total") or ""),
    )


def _auth(auth: JsonObject) -> RestAuthHeader:
    key, leaf = auth.get("key", "token"), auth.get("value")
    namespace, _, name = auth["secret"].partition("/")
    ref = leaf.ref if isinstance(leaf, SealedSecret) else f"kubernetes:{namespace}/{name}#{key}"
    shown = f"the key {key} of Secret {auth['secret']}"
    return RestAuthHeader(ref, shown, auth.get("header", "Authorization"), auth.get("prefix", "Bearer "))


def key_or_id_text(value: JsonValue) -> str:
    """A short printable form of a key or an id."""
    text = ascii(value) if isinstance(value, str | int | float | bool) else "(no plain value)"
    return text if len(text) <= 80 else text[:80] + "..."
