"""Sets of field paths as `managedFields[].fieldsV1` holds them. Owns their parsing, algebra and canonical form.

A set is a tree: `members` are elements that belong to the set themselves, `children` are those below which it goes on
(an element can be both). Treat both as read-only. The algebra is that of structured-merge-diff: `a - b` takes away
exactly the paths of b, not what is below them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cmp_to_key

from planner.field_path import Element, FieldPath, ListItemPathElement, Scalar, SetMemberPathElement
from planner.values import JsonObject, JsonValue


class FieldSet:
    """An immutable set of field paths."""

    __slots__ = ("children", "members")

    def __init__(self, members: Iterable[Element] = (), children: dict[Element, FieldSet] | None = None) -> None:
        self.members: frozenset[Element] = frozenset(members)
        self.children: dict[Element, FieldSet] = children or {}

    @classmethod
    def of(cls, paths: Iterable[FieldPath]) -> FieldSet:
        """The set of exactly these paths. An empty path is left out: nobody owns the whole object."""
        members: set[Element] = set()
        below: dict[Element, list[FieldPath]] = {}
        for path in paths:
            if len(path) == 1:
                members.add(path[0])
            elif path:
                below.setdefault(path[0], []).append(path[1:])
        return cls(members, {element: cls.of(rest) for element, rest in below.items()})

    @classmethod
    def parse(cls, fields_v1: JsonObject) -> FieldSet:
        """Read `fieldsV1`. Kinds of element that are not known are dropped. Raises ValueError on anything else."""
        return _parse(fields_v1) or EMPTY

    def serialise(self) -> JsonObject:
        """The `fieldsV1` form, keys in the server's order."""
        out: JsonObject = {}
        for element in sorted(self.members | self.children.keys(), key=ORDER):
            inner: JsonObject = {}
            child = self.children.get(element)
            if child:
                inner = child.serialise()
                if element in self.members:
                    inner = {".": {}, **inner}
            out[_text(element)] = inner
        return out

    def __or__(self, other: FieldSet) -> FieldSet:
        if not self:
            return other
        if not other:
            return self
        children = dict(self.children)
        for element, child in other.children.items():
            mine = children.get(element)
            children[element] = child if mine is None else mine | child
        return FieldSet(self.members | other.members, children)

    def __sub__(self, other: FieldSet) -> FieldSet:
        children = {}
        for element, child in self.children.items():
            theirs = other.children.get(element)
            left = child if theirs is None else child - theirs
            if left:
                children[element] = left
        return FieldSet(self.members - other.members, children)

    def __and__(self, other: FieldSet) -> FieldSet:
        children = {}
        for element, child in self.children.items():
            theirs = other.children.get(element)
            both = EMPTY if theirs is None else child & theirs
            if both:
                children[element] = both
        return FieldSet(self.members & other.members, children)

    def without(self, other: FieldSet) -> FieldSet:
        """Like `-`, but a path of `other` takes everything below it along."""
        children = {}
        for element, child in self.children.items():
            if element not in other.members:
                theirs = other.children.get(element)
                left = child if theirs is None else child.without(theirs)
                if left:
                    children[element] = left
        return FieldSet(self.members - other.members, children)

    def below(self, element: Element) -> FieldSet:
        """The paths that begin with `element`, without it."""
        return self.children.get(element, EMPTY)

    def holds_below(self, path: FieldPath) -> bool:
        """Whether the set holds something below a path."""
        node = self
        for element in path:
            node = node.below(element)
        return bool(node)

    def __contains__(self, path: FieldPath) -> bool:
        node = self
        for element in path[:-1]:
            found = node.children.get(element)
            if found is None:
                return False
            node = found
        return bool(path) and path[-1] in node.members

    def __iter__(self) -> Iterator[FieldPath]:
        """Every path of the set, in order: an element before what is below it."""
        for element in sorted(self.members | self.children.keys(), key=ORDER):
            if element in self.members:
                yield (element,)
            for rest in self.children.get(element, EMPTY):
                yield (element, *rest)

    def __bool__(self) -> bool:
        return bool(self.members) or any(self.children.values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FieldSet):
            return NotImplemented
        mine = {element: child for element, child in self.children.items() if child}
        theirs = {element: child for element, child in other.children.items() if child}
        return self.members == other.members and mine == theirs

    __hash__ = None  # type: ignore[assignment]  # compared, never a dictionary key

    def __repr__(self) -> str:
        return f"FieldSet({json.dumps(self.serialise())})"

    def leaves(self) -> tuple[FieldPath, ...]:
        """Paths of the set below which the set holds nothing, in order."""
        out: list[FieldPath] = []
        for element in sorted(self.members | self.children.keys(), key=ORDER):
            child = self.children.get(element)
            if child:
                out += [(element, *rest) for rest in child.leaves()]
            elif element in self.members:
                out.append((element,))
        return tuple(out)


EMPTY = FieldSet()


def parse_fields_v1_key(key: str) -> Element | None:
    """One key of `fieldsV1` as a path element; None when it is of a kind that is not known. Raises ValueError."""
    kind, rest = key[:2], key[2:]
    if kind == "f:":
        return rest
    if kind == "k:":
        return ListItemPathElement(tuple(sorted(_keys(json.loads(rest)).items())))
    if kind == "v:":
        return SetMemberPathElement(_scalar(json.loads(rest)))
    if kind == "i:":
        return int(rest)
    if len(key) < 2 or key[1] != ":":
        raise ValueError(f"{key!r} is no element of a field set")
    return None


def check_fields_v1(fields_v1: JsonValue) -> None:
    """Raises ValueError where `FieldSet.parse` would. Builds nothing: a plan looks at every manager of every object."""
    if not isinstance(fields_v1, dict):
        raise ValueError("a field set is made of objects")
    for key, below in fields_v1.items():
        known = key[:2] == "f:" or (key != "." and parse_fields_v1_key(key) is not None)
        if known and (below or below.__class__ is not dict):
            check_fields_v1(below)


def _keys(found: JsonValue) -> dict[str, Scalar]:
    if not isinstance(found, dict) or not found:
        raise ValueError("the key of a list item is no map")
    return {name: _scalar(value) for name, value in found.items()}


def _scalar(found: JsonValue) -> Scalar:
    if found is None or isinstance(found, str | int | float):
        return found
    raise ValueError("the key of a list item is no plain value")


def _parse(fields_v1: JsonObject) -> FieldSet | None:
    if not isinstance(fields_v1, dict):
        raise ValueError("a field set is made of objects")
    members: list[Element] = []
    children: dict[Element, FieldSet] = {}
    for key, value in fields_v1.items():
        if key == ".":
            continue
        element = parse_fields_v1_key(key)
        if element is None:
            continue
        inner = _parse(value)
        if inner is not None:
            children[element] = inner
        if inner is None or "." in value:
            members.append(element)
    return FieldSet(members, children) if members or children else None


def _text(element: Element) -> str:
    match element:
        case str():
            return "f:" + element
        case int():
            return f"i:{element}"
        case ListItemPathElement(keys):
            return "k:" + json.dumps(dict(keys), separators=(",", ":"), ensure_ascii=False)
        case SetMemberPathElement(value):
            return "v:" + json.dumps(value, ensure_ascii=False)


def _compare(left: Element, right: Element) -> int:
    """The order of structured-merge-diff: fields, then keyed items, then set members, then indexes."""
    a, b = _rank(left), _rank(right)
    if a != b:
        return -1 if a < b else 1
    if isinstance(left, ListItemPathElement) and isinstance(right, ListItemPathElement):
        for (name, value), (other_name, other_value) in zip(left.keys, right.keys, strict=False):
            order = _less(name, other_name) or _scalars(value, other_value)
            if order:
                return order
        return _less(len(left.keys), len(right.keys))
    if isinstance(left, SetMemberPathElement) and isinstance(right, SetMemberPathElement):
        return _scalars(left.value, right.value)
    return _less(left, right)


def _rank(element: Element) -> int:
    return (
        0
        if isinstance(element, str)
        else 1
        if isinstance(element, ListItemPathElement)
        else 2
        if isinstance(element, SetMemberPathElement)
        else 3
    )


def _scalars(left: Scalar, right: Scalar) -> int:
    """Numbers before texts before booleans before null; numbers by value."""
    kinds = [3 if x is None else 2 if isinstance(x, bool) else 1 if isinstance(x, str) else 0 for x in (left, right)]
    return _less(kinds[0], kinds[1]) or (0 if left is None else _less(left, right))


def _less(left: object, right: object) -> int:
    before: bool = left < right  # type: ignore[operator]  # both sides are of one kind here
    return -1 if before else int(left != right)


ORDER = cmp_to_key(_compare)
