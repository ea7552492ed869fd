"""The values that documents are made of: JSON plus three kinds of leaf that JSON does not have.

A `Sealed` leaf stands for a secret (a reference and a keyed fingerprint, never the value), a `Ref` for an output of
another resource that is not known yet, a `Sub` for a text with such outputs inside. All three have one JSON form, so a
document with them can be stored, hashed and read back. Owns that form, canonical bytes and digests; reads no secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from planner.address import Address
from planner.redaction import GUARD

# A document tree. mypy cannot check a recursive alias against dict[str, Any] from a parser without casts
# at every step, so trees are `Any` inside and typed at the functions that read them.
Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]

MARK = "$hwplan"  # the one key of a special leaf in its JSON form


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret leaf. `ref` says where the value is read (`file:secrets/pg.env#PASSWORD`), `fingerprint` is keyed.

    An empty fingerprint means that the value does not exist yet (generated at apply).
    """

    ref: str
    fingerprint: str


_GENERATE = "generate:"


def generated_ref(length: int, rotation: int = 1) -> str:
    """The reference of a value that is made by the write: `generate:32`, `generate:32/2` after one rotation."""
    return f"{_GENERATE}{length}" + (f"/{rotation}" if rotation > 1 else "")


def parse_generated(ref: str) -> tuple[int, int] | None:
    """Length and rotation of a reference that `generated_ref` made; None for one that names a source."""
    if not ref.startswith(_GENERATE):
        return None
    length, _, rotation = ref.removeprefix(_GENERATE).partition("/")
    return int(length), int(rotation or 1)


@dataclass(frozen=True, slots=True)
class Ref:
    """An output of another resource: `!ref GitHead/source#short`."""

    address: Address
    output: str

    def __str__(self) -> str:
        return f"{self.address}#{self.output}"


@dataclass(frozen=True, slots=True)
class Sub:
    """A text with outputs inside: `!sub "ci-poll-${GitHead/source#short}"`."""

    parts: tuple[str | Ref, ...]


class SecretValue:
    """A secret's bytes. Has no text form of any kind; the only way out is `reveal`, called by a provider's write.

    The redactor learns it at once, so that no text of this process can hold it by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value
        GUARD.learn(value)

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


Vault: TypeAlias = Mapping[str, SecretValue]  # Sealed.ref -> value; lives in memory only


def encode(value: Json) -> Json:
    """Replace special leaves by their JSON form, deeply. The input is not changed."""
    match value:
        case dict():
            return {key: encode(item) for key, item in value.items()}
        case list() | tuple():
            return [encode(item) for item in value]
        case Sealed(ref, fingerprint):
            return {MARK: {"sealed": ref, "fingerprint": fingerprint}}
        case Ref():
            return {MARK: {"ref": str(value)}}
        case Sub(parts):
            return {MARK: {"sub": [part if isinstance(part, str) else {"ref": str(part)} for part in parts]}}
        case _:
            return value


def decode(value: Json) -> Json:
    """The reverse of `encode`. Raises ValueError on a special leaf that is none of the three."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) != {MARK}:
        return {key: decode(item) for key, item in value.items()}
    match value[MARK]:
        case {"sealed": str(ref), "fingerprint": str(fingerprint)}:
            return Sealed(ref, fingerprint)
        case {"ref": str(text)}:
            return parse_ref(text)
        case {"sub": list(parts)}:
            return Sub(tuple(part if isinstance(part, str) else parse_ref(part["ref"]) for part in parts))
    raise ValueError("unknown special value in a document")


def parse_ref(text: str) -> Ref:
    """Read `Kind/name#output`. Raises ValueError when a part is missing."""
    address, hash_sign, output = text.partition("#")
    if not hash_sign or not output:
        raise ValueError(f"{text!r} names no output: expected Kind/name#output")
    return Ref(Address.parse(address), output)


def canonical(value: Json) -> bytes:
    """The one byte form of a document: UTF-8 JSON, sorted keys, no spaces, no NaN. Basis of every digest and id."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode(errors="surrogatepass")  # a server may send half a surrogate pair, and it has one byte form too


def digest(value: Json) -> str:
    """`sha256:<hex>` of the canonical bytes."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """Every leaf with its plain path; empty maps and lists count as leaves."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def open_outputs(value: Json) -> list[Ref | Sub]:
    """Every Ref and Sub in a document. Called for each document several times, so it builds nothing else."""
    found: list[Ref | Sub] = []
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, Ref | Sub):
            found.append(item)
    return found


def copied(value: Json) -> Json:
    """A copy that shares no map and no list with `value`; leaves never change, so they are shared."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def substitute(value: Json, lookup: Callable[[Ref], Json | None]) -> Json:
    """Replace every Ref and Sub whose outputs `lookup` knows (not None); the others stay as they are."""
    match value:
        case dict():
            return {key: substitute(item, lookup) for key, item in value.items()}
        case list():
            return [substitute(item, lookup) for item in value]
        case Ref():
            known = lookup(value)
            return value if known is None else known
        case Sub(parts):
            filled = tuple(part if isinstance(part, str) else _text_or_ref(part, lookup) for part in parts)
            if all(isinstance(part, str) for part in filled):
                return "".join(part for part in filled if isinstance(part, str))
            return Sub(filled)
        case _:
            return value


def _text_or_ref(ref: Ref, lookup: Callable[[Ref], Json | None]) -> str | Ref:
    known = lookup(ref)
    return ref if known is None else str(known)
