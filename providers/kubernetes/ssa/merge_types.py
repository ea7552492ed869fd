"""Merge types of Kubernetes kinds. Owns the type tree, its table form and its look-up; merges nothing.

The table (`builtin.json`, made by generate_builtin.py) holds types in a short form that is decoded only when it is
reached: a scalar letter, `#Name` for a named type, or a dictionary with any of `s` (scalar), `l` `i` `k` `d` (list,
items, key fields and their defaults), `f` `v` `r` `m` (fields, type of other keys, required, `atomic`/`granular`), `c`
(checks of a CRD) and `#` (a named type with its `m` overridden). A field is such a reference, or `[reference, flags,
default]`. Flags: `p` a pointer in Go (an explicit zero is retained), `a` always written (a pointer as null), none:
dropped when zero, `o` dropped as a zero struct.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from planner.field_path import FieldPath, ListItemPathElement, SetMemberPathElement
from planner.values import Json, JsonObject
from providers.kubernetes.ssa.crd_types import ServedCrdVersion, served_crd_versions

Raw = Any

_SCALARS = {
    "s": "string",
    "h": "integer",  # of 32 bits
    "i": "integer",
    "n": "number",
    "b": "boolean",
    "u": "untyped",
    "q": "quantity",
    "o": "int-or-string",
    "t": "time",
    "y": "bytes",
}
_UNTYPED: dict[str, Raw] = {"s": "u", "l": "atomic", "i": "w", "v": "w", "m": "atomic"}  # `w`: anything, as one leaf
_DEDUCED: dict[str, Raw] = {"s": "u", "l": "atomic", "i": "w", "v": "x"}  # `x`: maps granular, lists atomic
_OBJECT: dict[str, Raw] = {
    "f": {"apiVersion": "s", "kind": "s", "metadata": "#meta.v1.ObjectMeta"},
    "v": "x",
}


class MergeType:
    """One type: a scalar, a list, a map or struct, or (untyped) any of them. Children are decoded when asked for."""

    __slots__ = (
        "_children",
        "_fields",
        "_items",
        "_table",
        "_values",
        "always",
        "atomic",
        "checks",
        "defaulted",
        "is_map",
        "is_narrow",
        "key_defaults",
        "keys",
        "list_kind",
        "name",
        "required",
        "scalar",
    )

    def __init__(self, raw: dict[str, Raw], table: MergeTypeTable, name: str = "") -> None:
        self._table = table
        self.name = name  # the model's name, for built-in structs
        self._fields: dict[str, Raw] = raw.get("f", {})
        self._values: Raw = raw.get("v")
        self._items: Raw = raw.get("i")
        self._children: dict[str, MergeType | None] = {}
        self.scalar: str = _SCALARS.get(raw.get("s", ""), "")
        self.list_kind: str = raw.get("l", "")
        self.keys: tuple[str, ...] = tuple(raw.get("k", ()))
        self.key_defaults: Mapping[str, Json] = raw.get("d", {})  # what stands for a key that an item leaves out
        self.is_narrow: bool = raw.get("s") == "h"  # an integer of 32 bits
        self.is_map: bool = "f" in raw or "v" in raw
        self.atomic: bool = raw.get("m") == "atomic"
        self.required: tuple[str, ...] = tuple(raw.get("r", ()))
        self.checks: Mapping[str, Raw] = raw.get("c", {})
        self.defaulted: tuple[str, ...] = tuple(
            name for name, field in self._fields.items() if isinstance(field, list) and len(field) > 2
        )
        self.always: tuple[str, ...] | None = None  # canonical_document.py fills it when it first needs it

    @property
    def names(self) -> Mapping[str, Raw]:
        """Declared fields by name (their table form is nobody else's business)."""
        return self._fields

    @property
    def open(self) -> bool:
        """Whether keys that are not declared are allowed."""
        return self._values is not None

    def child(self, name: str) -> MergeType | None:
        """The type below a key, or None when the schema does not declare it."""
        try:
            return self._children[name]
        except KeyError:
            pass
        field = self._fields.get(name)
        if field is None:
            made = None if self._values is None else self._table.resolve(self._values)
        else:
            made = self._table.resolve(field[0] if isinstance(field, list) else field)
        self._children[name] = made
        return made

    def items(self) -> MergeType:
        """The type of list items."""
        made = self._children.get("[]")
        if made is None:
            made = self._children["[]"] = self._table.resolve(self._items if self._items is not None else "w")
        return made

    def flags(self, name: str) -> str:
        """How Go writes a declared field (see the module's docstring)."""
        field = self._fields.get(name)
        return field[1] if isinstance(field, list) and len(field) > 1 else ""

    def default(self, name: str) -> Json:
        """The default that the schema itself carries for a field, or None."""
        field = self._fields.get(name)
        return field[2] if isinstance(field, list) and len(field) > 2 else None


class MergeTypeTable:
    """The merge types of kinds, by (api_version, kind). Immutable; `with_crds` gives a new table."""

    def __init__(self, kinds: Mapping[str, Raw], types: Mapping[str, Raw], status: frozenset[str]) -> None:
        self._kinds = kinds
        self._types = types
        self._status = status
        self._made: dict[str, MergeType] = {}
        self._crds: dict[str, ServedCrdVersion] = {}
        self._holdings: dict[tuple[str, str, tuple[str, ...]], Literal["whole", "keyed", "parts", ""]] = {}

    @classmethod
    def builtin(cls) -> MergeTypeTable:
        """The shipped table of built-in kinds, read once per process."""
        return _builtin()

    def with_crds(self, crds: Sequence[JsonObject]) -> MergeTypeTable:
        """A table that also knows every served version of these CustomResourceDefinitions (decoded when used)."""
        return self.with_versions({name: version for crd in crds for name, version in served_crd_versions(crd).items()})

    def with_versions(self, versions: Mapping[str, ServedCrdVersion]) -> MergeTypeTable:
        """As `with_crds`, from what crds.served_crd_versions gave."""
        out = MergeTypeTable(self._kinds, self._types, self._status)
        out._crds = {**self._crds, **versions}
        return out

    def knows(self, api_version: str, kind: str) -> bool:
        """Whether the table has this kind; others get a deduced type."""
        key = f"{api_version}/{kind}"
        return key in self._kinds or key in self._crds

    def named(self) -> Iterator[tuple[str, str]]:
        """(api_version, kind) of every built-in kind."""
        for key in self._kinds:
            api_version, _, kind = key.rpartition("/")
            yield api_version, kind

    def vouches(self, api_version: str, kind: str) -> bool:
        """Whether the schema says anything about the fields of the kind; an open definition accepts all it is given."""
        found = self.type_of(api_version, kind) if self.knows(api_version, kind) else None
        return found is not None and bool(set(found._fields) - {"apiVersion", "kind", "metadata", "status"})

    def is_custom(self, api_version: str, kind: str) -> bool:
        """Whether the kind is defined by a CRD, or not known at all: no Go struct stands behind it."""
        return f"{api_version}/{kind}" not in self._kinds

    def has_status(self, api_version: str, kind: str) -> bool:
        """Whether `status` is a subresource, so that a write of the main resource leaves it alone."""
        key = f"{api_version}/{kind}"
        return key in self._status or bool(key in self._crds and self._crds[key].status)

    def deprecation(self, api_version: str, kind: str) -> str:
        """What the server warns of with every use of this version of a custom kind; "" when it is not deprecated."""
        found = self._crds.get(f"{api_version}/{kind}")
        return found.deprecation if found is not None else ""

    def versions(self, api_version: str, kind: str) -> frozenset[str]:
        """API versions of a CRD'd kind between which objects convert by their version alone; else just this one."""
        found = self._crds.get(f"{api_version}/{kind}")
        return found.versions if found is not None else frozenset((api_version,))

    def type_of(self, api_version: str, kind: str) -> MergeType:
        """The type of a kind. Unknown kinds get what the server does without a schema: maps granular, lists atomic."""
        key = f"{api_version}/{kind}"
        made = self._made.get(key)
        if made is None:
            if key in self._kinds:
                made = self.resolve("#" + self._kinds[key])
            elif key in self._crds:
                made = MergeType(self._crds[key].raw(), self)
            else:
                made = MergeType(_OBJECT, self)
            self._made[key] = made
        return made

    def holding(self, api_version: str, kind: str, path: tuple[str, ...]) -> Literal["whole", "keyed", "parts", ""]:
        """How the container at a path (`[]` for a list item) is owned: as a whole (atomic), as a keyed list or set, or
        by its parts; "" for what the table does not know."""
        key = (api_version, kind, path)
        known = self._holdings.get(key)
        if known is None:
            known = self._holdings[key] = self._holding(api_version, kind, path)
        return known

    def _holding(self, api_version: str, kind: str, path: tuple[str, ...]) -> Literal["whole", "keyed", "parts", ""]:
        if not self.knows(api_version, kind):
            return ""
        node: MergeType | None = self.type_of(api_version, kind)
        for step in path:
            if node is None:
                return ""
            node = node.items() if step == "[]" and node.list_kind else node.child(step)
        if node is None or node.is_map:
            return "" if node is None else ("whole" if node.atomic else "parts")
        return "keyed" if node.list_kind in ("map", "set") else "whole"

    def resolve(self, reference: Raw) -> MergeType:
        """A type from its table form."""
        if isinstance(reference, dict):
            if "#" in reference:
                return MergeType({**self._types[reference["#"]], "m": reference["m"]}, self, reference["#"])
            return MergeType(reference, self)
        made = self._made.get(reference)
        if made is None:
            name = reference[1:]
            if name:
                raw = self._types[name]
            else:
                raw = _UNTYPED if reference == "w" else _DEDUCED if reference == "x" else {"s": reference}
            made = self._made[reference] = MergeType(raw, self, name)
        return made


@lru_cache(maxsize=1)
def _builtin() -> MergeTypeTable:
    raw = json.loads(Path(__file__).with_name("builtin.json").read_bytes())
    return MergeTypeTable(raw["kinds"], raw["types"], frozenset(raw["status"]))


def list_keys(
    types: MergeTypeTable, api_version: str, kind: str
) -> Callable[[FieldPath], tuple[str, ...] | Literal["set", "atomic"] | None]:
    """How the list at a path is keyed: its key fields, `"set"`, `"atomic"`, or None where there is no list.

    Paths may hold plain indexes or `ListItemPathElement`s as list elements. Below an atomic list or map
    everything is atomic.
    """
    root = types.type_of(api_version, kind)

    def keyed(path: FieldPath) -> tuple[str, ...] | Literal["set", "atomic"] | None:
        node: MergeType | None = root
        atomic = False
        for element in path:
            if node is None:
                return None
            listed = isinstance(element, (int, ListItemPathElement, SetMemberPathElement))
            atomic = atomic or (node.list_kind == "atomic" if listed else node.atomic)
            node = node.items() if listed and node.list_kind else node.child(str(element))
        if node is None or not node.list_kind:
            return None
        if atomic or node.list_kind == "atomic":
            return "atomic"
        return node.keys if node.list_kind == "map" else "set"

    return keyed
