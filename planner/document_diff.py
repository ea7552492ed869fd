"""What differs between two documents, field by field. Pure; reads no schema: the caller says how lists are matched.

Rules, each with its reason:
- Type-strict: `1`, `"1"` and `True` differ. `1` and `1.0` are one value: JSON has one kind of number, and the
  API server compares and answers them so (structured-merge-diff compares floats and ints by value).
- A subtree that is only on one side is one change at its highest path, unless a secret is in it: then its map keys are
  reported one by one, so that every secret has a line of its own.
- Keyed lists are matched by their key fields. Where putting the added items at the end does not give the order, the
  order is a change of the list itself, its two values being the names of its items (`["[name=a]", "[name=b]"]`).
- Lists that are written whole are matched by `name` where each item has one of its own.
- Other lists are aligned: an item put in the middle is one addition. In their paths the index
  of a change or removal counts in `before`, the index of an addition in `after`.
- A secret leaf appears as its fingerprint alone; a plain value under a sensitive path as `HIDDEN`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Literal, TypeAlias

from planner.dataclass import dataclass
from planner.field_path import FieldPath, ListItemPathElement, Scalar, SetMemberPathElement, path_sort_key
from planner.plan import FieldChange, FieldOp
from planner.values import (
    Json,
    JsonMap,
    JsonValue,
    OutputRef,
    OutputTemplate,
    SealedSecret,
    canonical_bytes,
    encode_special_leaves,
    is_plain_json,
)

ListRule: TypeAlias = tuple[str, ...] | Literal["set", "atomic"] | None
ListKeys: TypeAlias = Callable[[FieldPath], ListRule]

HIDDEN = "(hidden)"
_ALIGN_LIMIT = 250_000  # pairs of list items; beyond it lists are compared by index, so that time stays linear
_OPS = {FieldOp.REMOVE: 0, FieldOp.DISOWN: 1, FieldOp.CHANGE: 2, FieldOp.ADD: 3}


def list_matching_without_schema(path: FieldPath) -> ListRule:
    """The list rule of a document without a schema: items are matched by `name` where that is unique."""
    return None


def no_field_is_sensitive(path: FieldPath) -> bool:
    """Nothing is sensitive but what is sealed."""
    return False


def diff_documents(
    before: JsonValue,
    after: JsonValue,
    keys: ListKeys = list_matching_without_schema,
    *,
    sensitive: Callable[[FieldPath], bool] = no_field_is_sensitive,
) -> tuple[FieldChange, ...]:
    """Every change that turns `before` into `after`, in the order of `planner.field_path.path_sort_key`; empty when
    `same`.

    `keys` gives the rule of the list at a path: its key fields, "set", "atomic", or None when unknown. `sensitive`
    marks paths whose plain values must not be shown; it holds for everything below them.
    """
    if equal_documents(before, after):
        return ()
    walk = _Walk(keys, sensitive)
    _compare(walk, (), before, after, hidden=False)
    return tuple(sorted(walk.changes, key=lambda change: (path_sort_key(change.path), _OPS[change.op])))


def equal_documents(before: JsonValue, after: JsonValue) -> bool:
    """Type-strict equality of two documents; secrets are equal when their fingerprints are."""
    if before == after:
        return _same_types(before, after)
    return _same_slowly(before, after)


def _same_types(before: Json, after: Json) -> bool:
    """Whether two values that are `==` agree on which leaves are booleans; the only types that `==` mixes up are these.

    The hottest loop of a plan without changes: plain loops and class tests, a generator here costs four times as much.
    `==` has said that both have one shape, which no type can say.
    """
    if before.__class__ is dict:
        for key, one in before.items():  # noqa: SIM110
            if one.__class__ is not str and not _same_types(one, after[key]):
                return False
        return True
    if before.__class__ is list:
        for one, other in zip(before, after, strict=True):
            if one.__class__ is not str and not _same_types(one, other):
                return False
        return True
    return (before.__class__ is bool) is (after.__class__ is bool)


def _same_slowly(before: JsonValue, after: JsonValue) -> bool:
    """Equality of values that are not `==`: only secrets with one fingerprint from two places can make them equal."""
    match before, after:
        case SealedSecret(), SealedSecret():
            return bool(before.fingerprint) and before.fingerprint == after.fingerprint
        case dict(), dict():
            return before.keys() == after.keys() and all(
                equal_documents(one, after[key]) for key, one in before.items()
            )
        case list(), list():
            return len(before) == len(after) and all(map(equal_documents, before, after))
        case _:
            return False


@dataclass(frozen=True, slots=True)
class _Walk:
    """The rules of one comparison, and the changes found so far."""

    keys: ListKeys
    sensitive: Callable[[FieldPath], bool]
    changes: list[FieldChange] = field(default_factory=list)

    def hides(self, path: FieldPath) -> bool:
        return self.sensitive is not no_field_is_sensitive and self.sensitive(path)

    def add(self, path: FieldPath, op: FieldOp, before: JsonValue, after: JsonValue, sensitive: bool = False) -> None:
        self.changes.append(FieldChange(path, op, before, after, sensitive))


def _compare(walk: _Walk, path: FieldPath, before: JsonValue, after: JsonValue, *, hidden: bool) -> None:
    if before is after or equal_documents(before, after):
        return
    hidden = hidden or walk.hides(path)
    if isinstance(before, dict) and isinstance(after, dict):
        _compare_maps(walk, path, before, after, hidden)
    elif isinstance(before, list) and isinstance(after, list) and not hidden:
        _compare_lists(walk, path, before, after)
    elif hidden or _holds_secret(walk, path, before) or _holds_secret(walk, path, after):
        walk.add(path, FieldOp.CHANGE, _shown(before), _shown(after), True)
    else:
        walk.add(path, FieldOp.CHANGE, before, after)


def _compare_maps(walk: _Walk, path: FieldPath, before: JsonMap, after: JsonMap, hidden: bool) -> None:
    for key, one in before.items():
        if key in after:
            _compare(walk, (*path, key), one, after[key], hidden=hidden)
        else:
            _one_side(walk, (*path, key), one, FieldOp.REMOVE, hidden)
    for key, other in after.items():
        if key not in before:
            _one_side(walk, (*path, key), other, FieldOp.ADD, hidden)


def _one_side(walk: _Walk, path: FieldPath, value: JsonValue, op: FieldOp, hidden: bool = False) -> None:
    """A value that stands on one side only."""
    hidden = hidden or walk.hides(path)
    if not hidden and not _holds_secret(walk, path, value):
        walk.add(path, op, *_sides(op, value))
    elif isinstance(value, dict) and value and not isinstance(path[-1], int):
        for key, item in value.items():
            _one_side(walk, (*path, key), item, op, hidden)
    else:
        shown = (
            value.fingerprint if isinstance(value, SealedSecret) else HIDDEN if hidden else _masked(walk, path, value)
        )
        walk.add(path, op, *_sides(op, shown), True)


def _sides(op: FieldOp, value: JsonValue) -> tuple[JsonValue, JsonValue]:
    return (None, value) if op is FieldOp.ADD else (value, None)


def _holds_secret(walk: _Walk, path: FieldPath, value: JsonValue) -> bool:
    if walk.sensitive is no_field_is_sensitive and is_plain_json(value):
        return False
    return _finds_secret(walk, path, value)


def _finds_secret(walk: _Walk, path: FieldPath, value: JsonValue) -> bool:
    if isinstance(value, SealedSecret) or walk.hides(path):
        return True
    if isinstance(value, dict):
        return any(_finds_secret(walk, (*path, key), item) for key, item in value.items())
    return isinstance(value, list) and any(_finds_secret(walk, (*path, at), item) for at, item in enumerate(value))


def _shown(value: JsonValue) -> JsonValue:
    """One side of a change with a secret on either side: the plain side may be the very secret, so it is hidden."""
    return value.fingerprint if isinstance(value, SealedSecret) else HIDDEN


def _masked(walk: _Walk, path: FieldPath, value: JsonValue) -> JsonValue:
    """A subtree without plain sensitive values; secrets in it keep their place as fingerprints."""
    if isinstance(value, SealedSecret):
        return value.fingerprint
    if walk.hides(path):
        return HIDDEN
    if isinstance(value, dict):
        return {key: _masked(walk, (*path, key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(walk, (*path, at), item) for at, item in enumerate(value)]
    return value


def _compare_lists(walk: _Walk, path: FieldPath, before: list[JsonValue], after: list[JsonValue]) -> None:
    match walk.keys(path):
        case "atomic":
            _compare_atomic(walk, path, before, after)
        case "set":
            _compare_sets(walk, path, before, after)
        case None:
            _compare_items(walk, path, before, after, ("name",))
        case names:
            _compare_items(walk, path, before, after, names)


def _compare_atomic(walk: _Walk, path: FieldPath, before: list[JsonValue], after: list[JsonValue]) -> None:
    """A list that is written as a whole: reported by the names of its items, where each has one of its own.

    Custom kinds seldom declare the keys of their lists. A task that is taken out of the middle of a pipeline is one
    removal then, and not as many changes as tasks follow it.
    """
    if all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in (*before, *after)):
        _compare_items(walk, path, before, after, ("name",))
    else:
        _compare_positions(walk, path, before, after)


def _compare_sets(walk: _Walk, path: FieldPath, before: list[JsonValue], after: list[JsonValue]) -> None:
    """Sets have no order. A list that cannot be one (it repeats a member, or holds a map) is compared by position."""
    ours, theirs = _members(before), _members(after)
    if ours is None or theirs is None:
        _compare_positions(walk, path, before, after)
        return
    for member, value in ours.items():
        if member not in theirs:
            _one_side(walk, (*path, SetMemberPathElement(value)), value, FieldOp.REMOVE)
    for member, value in theirs.items():
        if member not in ours:
            _one_side(walk, (*path, SetMemberPathElement(value)), value, FieldOp.ADD)


def _members(items: list[JsonValue]) -> dict[object, Scalar] | None:
    found: dict[object, Scalar] = {}
    for item in items:
        if isinstance(item, (dict, list, SealedSecret, OutputRef, OutputTemplate)):
            return None
        found[_identity(item)] = item
    return found if len(found) == len(items) else None


def _identity(scalar: Scalar | OutputRef | OutputTemplate) -> object:
    """A key that is equal exactly for `same` scalars: `True == 1` must not be."""
    return (bool, scalar) if isinstance(scalar, bool) else scalar


def _compare_items(
    walk: _Walk, path: FieldPath, before: list[JsonValue], after: list[JsonValue], names: tuple[str, ...]
) -> None:
    ours, theirs = _keyed(before, names), _keyed(after, names)
    if ours is None or theirs is None:
        _compare_positions(walk, path, before, after)
        return
    for item, one in ours.items():
        if item in theirs:
            _compare(walk, (*path, item), one, theirs[item], hidden=False)
        else:
            _one_side(walk, (*path, item), one, FieldOp.REMOVE)
    for item, other in theirs.items():
        if item not in ours:
            _one_side(walk, (*path, item), other, FieldOp.ADD)
    added = sorted(
        (item for item in theirs if item not in ours), key=str
    )  # as they are reported: in order of their paths
    follows = [item for item in ours if item in theirs] + added
    if follows != list(theirs):
        walk.add(path, FieldOp.CHANGE, [str(item) for item in ours], [str(item) for item in theirs])


def _keyed(items: list[JsonValue], names: tuple[str, ...]) -> dict[ListItemPathElement, JsonMap] | None:
    """The items by their key fields; None when an item is no map, has none of the keys, or repeats another's."""
    found: dict[ListItemPathElement, JsonMap] = {}
    ordered = sorted(names)
    for item in items:
        if not isinstance(item, dict):
            return None
        pairs: list[tuple[str, Scalar]] = []
        for name in ordered:
            if name not in item:
                continue
            value = item[name]
            if isinstance(value, (dict, list, SealedSecret, OutputRef, OutputTemplate)):
                return None
            pairs.append((name, value))
        if not pairs:
            return None
        found[ListItemPathElement(tuple(pairs))] = item
    return found if len(found) == len(items) else None


def _compare_positions(walk: _Walk, path: FieldPath, before: list[JsonValue], after: list[JsonValue]) -> None:
    for first, last, start, end in differing_ranges(before, after):
        paired = min(last - first, end - start)
        for offset in range(paired):
            _compare(walk, (*path, first + offset), before[first + offset], after[start + offset], hidden=False)
        for index in range(first + paired, last):
            _one_side(walk, (*path, index), before[index], FieldOp.REMOVE)
        for index in range(start + paired, end):
            _one_side(walk, (*path, index), after[index], FieldOp.ADD)


def differing_ranges(before: Sequence[JsonValue], after: Sequence[JsonValue]) -> Sequence[tuple[int, int, int, int]]:
    """The runs that differ, as (first, last) in `before` and (start, end) in `after`, equal items left out.

    Aligned as well as it can be in linear time: very long lists only by what their ends have in common.
    """
    head = 0
    while head < min(len(before), len(after)) and equal_documents(before[head], after[head]):
        head += 1
    last, end = len(before), len(after)
    while last > head and end > head and equal_documents(before[last - 1], after[end - 1]):
        last, end = last - 1, end - 1
    if last == head or end == head or (last - head) * (end - head) > _ALIGN_LIMIT or last - head == end - head == 1:
        return [(head, last, head, end)]
    from difflib import SequenceMatcher

    ours, theirs = [_token(item) for item in before[head:last]], [_token(item) for item in after[head:end]]
    codes = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    return [(head + a, head + b, head + c, head + d) for tag, a, b, c, d in codes if tag != "equal"]


def _token(item: JsonValue) -> object:
    """A hashable stand-in, equal only for `same` items. Finer than `same` is harmless: pairs are compared again."""
    match item:
        case SealedSecret(ref, fingerprint):
            return (SealedSecret, fingerprint or ref)
        case dict() | list():
            return canonical_bytes(encode_special_leaves(item))
        case _:
            return _identity(item)
