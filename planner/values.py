"""The values that documents are made of: JSON plus three kinds of leaf that JSON does not have.

A `SealedSecret` leaf stands for a secret (a reference and a keyed fingerprint, never the value), an `OutputRef` for an
output of another resource that is not known yet, an `OutputTemplate` for a text with such outputs inside. All three
have one JSON form, so a document with them can be stored, hashed and read back. Owns that form, canonical bytes and
digests; reads no secret.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any, NoReturn, TypeAlias, cast, overload

from planner.address import Address
from planner.dataclass import dataclass
from planner.redaction.clean_values import AS_IT_IS
from planner.redaction.redactor import REDACTOR

# Two names for one thing, a document tree. `JsonValue` says what it is made of, for code that takes documents of any
# shape apart. `Json` is the tree whose shape a schema, a model or its writer vouches for, and stands at borders: where
# a parser gives a document, and where fields of a known kind are read by name. Either goes where the other is wanted.
SpecialLeaf: TypeAlias = "SealedSecret | OutputRef | OutputTemplate"
JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | SpecialLeaf | None"
JsonMap: TypeAlias = dict[str, JsonValue]
Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]

MARK = "$hwplan"  # the one key of a special leaf in its JSON form


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret leaf. `ref` says where the value is read (`file:secrets/pg.env#PASSWORD`), `fingerprint` is keyed.

    An empty fingerprint means that the value does not exist yet (generated at apply).
    """

    ref: str = field(metadata=AS_IT_IS)
    fingerprint: str = field(metadata=AS_IT_IS)


_GENERATE = "generate:"


def generated_secret_reference(length: int, rotation: int = 1) -> str:
    """The reference of a value that is made by the write: `generate:32`, `generate:32/2` after one rotation."""
    return f"{_GENERATE}{length}" + (f"/{rotation}" if rotation > 1 else "")


def parse_generated_secret_reference(ref: str) -> tuple[int, int] | None:
    """Length and rotation of a reference that `generated_secret_reference` made; None for one that names a source."""
    if not ref.startswith(_GENERATE):
        return None
    length, _, rotation = ref.removeprefix(_GENERATE).partition("/")
    return int(length), int(rotation or 1)


@dataclass(frozen=True, slots=True)
class OutputRef:
    """An output of another resource: `!ref GitHead/source#short`."""

    address: Address
    output: str

    def __str__(self) -> str:
        return f"{self.address}#{self.output}"


@dataclass(frozen=True, slots=True)
class OutputTemplate:
    """A text with outputs inside: `!sub "ci-poll-${GitHead/source#short}"`."""

    parts: tuple[str | OutputRef, ...]


class SecretValue:
    """A secret's bytes. Has no text form of any kind; the only way out is `reveal`, called by a provider's write.

    The redactor learns it at once, so that no text of this process can hold it by accident. A `public` one is handled
    like a secret, and shown where it stands in other texts (planner.redaction.public_secret_values)."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes, *, public: bool = False) -> None:
        self._value = value
        if not public:
            REDACTOR.learn(value)

    def reveal(self) -> bytes:
        """The bytes themselves. Call it only while building the request that writes them."""
        return self._value

    def __repr__(self) -> str:
        return "SecretValue(…)"

    def __str__(self) -> str:
        return "(secret)"

    def __format__(self, spec: str) -> str:
        return "(secret)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret value cannot be pickled")

    def __eq__(self, other: object) -> bool:
        raise TypeError("secret values are compared by fingerprint")

    __hash__ = None  # type: ignore[assignment]  # secrets are no dictionary keys


Vault: TypeAlias = Mapping[str, SecretValue]  # SealedSecret.ref -> value; lives in memory only


def is_plain_json(value: Any) -> bool:
    """Whether a document holds nothing but built-in values: JSON as it stands, a tuple being a list. Most are, and
    `marshal`, which takes no other, says so in a fifth of the time of a look at each value; what it makes is not used.
    It gives up where a value nests too deeply, which is a no as well."""
    try:
        marshal.dumps(value)
    except ValueError:
        return False
    return True


@overload
def encode_special_leaves(value: JsonObject) -> JsonObject: ...
@overload
def encode_special_leaves(value: JsonValue | tuple[JsonValue, ...]) -> JsonValue: ...
def encode_special_leaves(value: JsonValue | tuple[JsonValue, ...]) -> JsonValue:
    """Replace special leaves by their JSON form, deeply. The input is not changed; what holds none comes back as it is,
    so that the plan of a large document does not hold it twice."""
    return _encode(value) if not is_plain_json(value) else cast(JsonValue, value)


def _encode(value: JsonValue | tuple[JsonValue, ...]) -> JsonValue:
    match value:
        case dict():
            changed = {key: new for key, item in value.items() if (new := _encode(item)) is not item}
            return {**value, **changed} if changed else value
        case list():
            items = [_encode(item) for item in value]
            return value if all(map(operator.is_, items, value)) else items
        case tuple():
            return [_encode(item) for item in value]
        case SealedSecret(ref, fingerprint):
            return {MARK: {"sealed": ref, "fingerprint": fingerprint}}
        case OutputRef():
            return {MARK: {"ref": str(value)}}
        case OutputTemplate(parts):
            return {MARK: {"sub": [part if isinstance(part, str) else {"ref": str(part)} for part in parts]}}
        case _:
            return value


def decode_special_leaves(value: JsonValue) -> Json:
    """Restore special leaves from their JSON form: the reverse of `encode_special_leaves`. Raises ValueError on a
    special leaf that is none of the three."""
    if isinstance(value, list):
        return [decode_special_leaves(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) != {MARK}:
        return {key: decode_special_leaves(item) for key, item in value.items()}
    match value[MARK]:
        case {"sealed": str(ref), "fingerprint": str(fingerprint)}:
            return SealedSecret(ref, fingerprint)
        case {"ref": str(text)}:
            return parse_output_ref(text)
        case {"sub": list(parts)}:
            return OutputTemplate(tuple(map(_sub_part, parts)))
    raise ValueError("unknown special value in a document")


def _sub_part(part: JsonValue) -> str | OutputRef:
    match part:
        case str():
            return part
        case {"ref": str(text)}:
            return parse_output_ref(text)
    raise ValueError("unknown special value in a document")


def parse_output_ref(text: str) -> OutputRef:
    """Read `Kind/name#output`. Raises ValueError when a part is missing."""
    address, hash_sign, output = text.partition("#")
    if not hash_sign or not output:
        raise ValueError(f"{text!r} names no output: expected Kind/name#output")
    return OutputRef(Address.parse(address), output)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical_bytes(value: Json) -> bytes:
    """The one byte form of a document: UTF-8 JSON, sorted keys, no spaces, no NaN. Basis of every digest and id."""
    text = _CANONICAL(value)
    return text.encode(errors="surrogatepass")  # a server may send half a surrogate pair, and it has one byte form too


def document_digest(value: Json) -> str:
    """`sha256:<hex>` of the canonical bytes."""
    return "sha256:" + hashlib.sha256(canonical_bytes(value)).hexdigest()


def value_leaves(
    value: JsonValue, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], JsonValue]]:
    """Every leaf with its plain path; empty maps and lists count as leaves."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from value_leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from value_leaves(item, (*path, index))
    else:
        yield path, value


def outputs_in_document(value: JsonValue) -> list[OutputRef | OutputTemplate]:
    """Find every OutputRef and OutputTemplate in a document. Called for each document several times, so it builds
    nothing else."""
    if is_plain_json(value):
        return []
    found: list[OutputRef | OutputTemplate] = []
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend([one for one in item.values() if one.__class__ is not str])
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, (OutputRef, OutputTemplate)):
            found.append(item)
    return found


@overload
def deep_copy(value: JsonObject) -> JsonObject: ...
@overload
def deep_copy(value: JsonValue) -> JsonValue: ...
def deep_copy(value: JsonValue) -> JsonValue:
    """A copy that shares no map and no list with `value`; leaves never change, so they are shared."""
    if isinstance(value, dict):
        return {key: deep_copy(item) for key, item in value.items()}
    return [deep_copy(item) for item in value] if isinstance(value, list) else value


@overload
def substitute_outputs(value: JsonObject, lookup: Callable[[OutputRef], JsonValue]) -> JsonObject: ...
@overload
def substitute_outputs(value: JsonValue, lookup: Callable[[OutputRef], JsonValue]) -> JsonValue: ...
def substitute_outputs(value: JsonValue, lookup: Callable[[OutputRef], JsonValue]) -> JsonValue:
    """Replace every OutputRef and OutputTemplate whose outputs `lookup` knows (not None); the others stay as they
    are."""
    match value:
        case dict():
            return {key: substitute_outputs(item, lookup) for key, item in value.items()}
        case list():
            return [substitute_outputs(item, lookup) for item in value]
        case OutputRef():
            known = lookup(value)
            return value if known is None else known
        case OutputTemplate(parts):
            filled = tuple(part if isinstance(part, str) else _text_or_ref(part, lookup) for part in parts)
            if all(isinstance(part, str) for part in filled):
                return "".join(part for part in filled if isinstance(part, str))
            return OutputTemplate(filled)
        case _:
            return value


def _text_or_ref(ref: OutputRef, lookup: Callable[[OutputRef], JsonValue]) -> str | OutputRef:
    known = lookup(ref)
    return ref if known is None else str(known)
