"""The laws of the differ, with DeepDiff as the oracle, and each rule of its docstring by example."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.document_diff import HIDDEN, ListRule, diff_documents, equal_documents
from planner.field_path import FieldPath, ListItemPathElement, SetMemberPathElement, path_sort_key, render_path
from planner.plan import FieldChange, FieldOp
from planner.values import Json, SealedSecret, parse_output_ref

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from([0.0, 1.0, 2.5]), st.sampled_from("ab1")
)
KEYS = st.sampled_from(["name", "a", "b", "1"])
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=14,
)
NAMED_LISTS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcdef"), "value": SCALARS}),
    max_size=6,
    unique_by=lambda item: str(item["name"]),
)
PLAIN_LISTS = st.lists(st.one_of(SCALARS, st.lists(SCALARS, max_size=2)), max_size=8)


def apply_changes(before: Json, changes: Iterable[FieldChange]) -> Json:
    """The plainest reading of a list of changes: inner ones first, in each list changes, removals, additions."""
    found = copy.deepcopy(before)
    for change in sorted(changes, key=turn):
        match change.op:
            case FieldOp.CHANGE if is_order(change):
                after: Json = change.after
                names = list(after)
                at(found, change.path).sort(key=lambda item, names=names: names.index(f"[name={item['name']}]"))
            case FieldOp.CHANGE:
                found = put(found, change.path, change.after)
            case FieldOp.REMOVE:
                remove(found, change.path)
            case _:
                insert(found, change.path, change.after)
    return found


def turn(change: FieldChange) -> tuple[int, int, int]:
    """Indexes of removals count before, so the last goes first; those of additions count after, so the first does."""
    phase = {FieldOp.CHANGE: 0, FieldOp.REMOVE: 1}.get(change.op, 2)
    index = change.path[-1] if change.path and isinstance(change.path[-1], int) else 0
    return (-len(change.path), phase, -index if phase == 1 else index)


def is_order(change: FieldChange) -> bool:
    return isinstance(change.before, list) and isinstance(change.after, list)


def at(value: Json, path: FieldPath) -> Json:
    for element in path:
        value = value[index_of(value, element)]
    return value


def index_of(holder: Json, element: object) -> Any:
    if isinstance(element, ListItemPathElement):
        return next(n for n, item in enumerate(holder) if all(equal_documents(item.get(k), v) for k, v in element.keys))
    if isinstance(element, SetMemberPathElement):
        return next(n for n, item in enumerate(holder) if equal_documents(item, element.value))
    return element


def put(root: Json, path: FieldPath, value: Json) -> Json:
    if not path:
        return value
    holder = at(root, path[:-1])
    holder[index_of(holder, path[-1])] = value
    return root


def remove(root: Json, path: FieldPath) -> None:
    holder = at(root, path[:-1])
    del holder[index_of(holder, path[-1])]


def insert(root: Json, path: FieldPath, value: Json) -> None:
    holder = at(root, path[:-1])
    if isinstance(holder, dict):
        holder[path[-1]] = value
    elif isinstance(path[-1], int):
        holder.insert(path[-1], value)
    else:
        holder.append(value)


def strictly_equal(before: Json, after: Json) -> bool:
    """An independent reading of equality: JSON types, with all numbers one type."""
    if isinstance(before, bool) or isinstance(after, bool):
        return isinstance(before, bool) and isinstance(after, bool) and before == after
    if isinstance(before, dict) and isinstance(after, dict):
        return set(before) == set(after) and all(strictly_equal(before[key], after[key]) for key in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(strictly_equal(a, b) for a, b in zip(before, after, strict=True))
    return bool(before == after)


@given(DOCUMENTS)
def test_nothing_differs_from_itself(document: Json) -> None:
    assert diff_documents(document, copy.deepcopy(document)) == ()


@given(DOCUMENTS, DOCUMENTS)
@settings(max_examples=300)
def test_empty_exactly_for_strictly_equal_documents(before: Json, after: Json) -> None:
    assert (diff_documents(before, after) == ()) == strictly_equal(before, after)
    assert equal_documents(before, after) == strictly_equal(before, after)


@given(DOCUMENTS, DOCUMENTS)
@settings(max_examples=100, deadline=None)
def test_agrees_with_deepdiff_on_whether_anything_differs(before: Json, after: Json) -> None:
    from deepdiff import DeepDiff

    oracle = DeepDiff(before, after, ignore_numeric_type_changes=True, threshold_to_diff_deeper=0)
    if _mixes_booleans(before) or _mixes_booleans(after):
        return  # DeepDiff takes True for 1 when it looks for a pair in lists
    assert (diff_documents(before, after) == ()) == (not oracle)


def _mixes_booleans(value: Json) -> bool:
    if isinstance(value, (dict, list)):
        return any(_mixes_booleans(item) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, bool)


@given(DOCUMENTS, DOCUMENTS)
@settings(max_examples=300)
def test_changes_turn_before_into_after(before: Json, after: Json) -> None:
    assert strictly_equal(apply_changes(before, diff_documents(before, after)), after)


@given(NAMED_LISTS, NAMED_LISTS)
@settings(max_examples=200)
def test_changes_of_a_keyed_list_give_its_items_and_their_order(before: Json, after: Json) -> None:
    changes = diff_documents({"env": before}, {"env": after})
    assert strictly_equal(apply_changes({"env": before}, changes), {"env": after})


@given(PLAIN_LISTS, PLAIN_LISTS)
@settings(max_examples=200)
def test_changes_of_a_plain_list_give_its_items_in_place(before: Json, after: Json) -> None:
    changes = diff_documents({"args": before}, {"args": after}, lambda path: "atomic")
    assert strictly_equal(apply_changes({"args": before}, changes), {"args": after})


@given(DOCUMENTS, DOCUMENTS)
def test_order_is_that_of_the_paths(before: Json, after: Json) -> None:
    paths = [path_sort_key(change.path) for change in diff_documents(before, after)]
    assert paths == sorted(paths)


@pytest.mark.parametrize(
    ("before", "after", "equal"),
    [(1, True, False), (0, False, False), (1, "1", False), (1, 1.0, True), (1.0, True, False), (None, False, False)],
)
def test_types_are_strict_but_numbers_are_one_type(before: Json, after: Json, equal: bool) -> None:
    wraps: tuple[Callable[[Json], Json], ...] = (
        lambda value: value,
        lambda value: {"a": [value]},
        lambda value: [{"a": value}, "x"],
    )
    for wrap in wraps:
        assert (diff_documents(wrap(before), wrap(after)) == ()) is equal


def reported(changes: tuple[FieldChange, ...]) -> list[str]:
    return [f"{change.op} {render_path(change.path)} {change.before!r} {change.after!r}" for change in changes]


def test_an_item_in_the_middle_of_a_plain_list_is_one_addition() -> None:
    assert reported(diff_documents({"args": ["a", "b", "c"]}, {"args": ["a", "x", "b", "c"]})) == [
        "add args[1] None 'x'"
    ]
    assert reported(diff_documents({"args": ["a", "x", "b"]}, {"args": ["a", "b"]})) == ["remove args[1] 'x' None"]


def test_items_are_matched_by_their_keys_and_an_item_goes_in_at_its_path() -> None:
    before: Json = {"ports": [{"port": 80, "protocol": "TCP", "name": "http"}, {"port": 53, "protocol": "UDP"}]}
    after: Json = {"ports": [{"port": 80, "protocol": "TCP", "name": "web"}, {"port": 53, "protocol": "UDP"}]}
    changes = diff_documents(before, after, lambda path: ("port", "protocol"))
    assert reported(changes) == ["change ports[port=80,protocol=TCP].name 'http' 'web'"]


def test_a_reordering_of_a_keyed_list_is_told() -> None:
    before: Json = [{"name": "a"}, {"name": "b"}]
    after: Json = [{"name": "b"}, {"name": "a"}]
    changes = diff_documents({"steps": before}, {"steps": after})
    assert reported(changes) == ["change steps ['[name=a]', '[name=b]'] ['[name=b]', '[name=a]']"]


def test_sets_have_no_order() -> None:
    def rule(path: FieldPath) -> ListRule:
        return "set"

    assert diff_documents({"finalizers": ["a", "b"]}, {"finalizers": ["b", "a"]}, rule) == ()
    assert reported(diff_documents({"f": ["a", 1]}, {"f": ["b", True]}, rule)) == [
        "remove f[=1] 1 None",
        "remove f[=a] 'a' None",
        "add f[=b] None 'b'",
        "add f[=true] None True",
    ]


def test_a_whole_subtree_is_one_change_at_its_highest_path() -> None:
    assert reported(diff_documents({"a": 1}, {"a": 1, "b": {"c": {"d": 1}}})) == ["add b None {'c': {'d': 1}}"]


FIRST, SECOND = (
    SealedSecret("file:a#K", "hmac-sha256:0011223344556677"),
    SealedSecret("env:B", "hmac-sha256:8899aabbccddeeff"),
)


def test_secrets_are_compared_and_told_by_fingerprint_alone() -> None:
    moved = SealedSecret("kubernetes:elsewhere#K", FIRST.fingerprint)
    assert diff_documents({"data": {"k": FIRST}}, {"data": {"k": moved}}) == ()
    (change,) = diff_documents({"data": {"k": FIRST}}, {"data": {"k": SECOND}})
    assert (change.before, change.after, change.sensitive) == (FIRST.fingerprint, SECOND.fingerprint, True)


def test_secrets_that_do_not_exist_yet_are_equal_only_when_they_are_the_same_one() -> None:
    assert diff_documents(SealedSecret("generate:a", ""), SealedSecret("generate:a", "")) == ()
    assert diff_documents(SealedSecret("generate:a", ""), SealedSecret("generate:b", "")) != ()
    assert diff_documents(SealedSecret("generate:a", ""), FIRST) != ()


def test_each_secret_of_a_new_subtree_has_its_own_line() -> None:
    changes = diff_documents({}, {"data": {"b": SECOND, "a": FIRST, "plain": "x"}})
    assert [(render_path(change.path), change.after, change.sensitive) for change in changes] == [
        ("data.a", FIRST.fingerprint, True),
        ("data.b", SECOND.fingerprint, True),
        ("data.plain", "x", False),
    ]


def test_the_plain_side_of_a_secret_is_hidden() -> None:
    (change,) = diff_documents({"k": "may be the secret itself"}, {"k": FIRST})
    assert (change.before, change.after, change.sensitive) == (HIDDEN, FIRST.fingerprint, True)
    (change,) = diff_documents({"k": {"deep": ["may be it"]}}, {"k": FIRST})
    assert (change.before, change.sensitive) == (HIDDEN, True)


@given(DOCUMENTS, DOCUMENTS)
def test_nothing_below_a_sensitive_path_is_shown(before: Json, after: Json) -> None:
    changes = diff_documents({"data": before}, {"data": after}, sensitive=lambda path: path[:1] == ("data",))
    assert all(change.sensitive for change in changes)
    assert {value for change in changes for value in (change.before, change.after)} <= {HIDDEN, None}


def test_a_sensitive_leaf_of_a_new_subtree_is_hidden() -> None:
    changes = diff_documents(
        {}, {"data": {"key": "hunter2", "plain": "x"}}, sensitive=lambda path: path == ("data", "key")
    )
    assert [(render_path(change.path), change.after, change.sensitive) for change in changes] == [
        ("data.key", HIDDEN, True),
        ("data.plain", "x", False),
    ]


def test_secrets_inside_list_items_are_masked_in_place() -> None:
    (change,) = diff_documents({"l": ["a"]}, {"l": ["a", {"k": FIRST, "v": 1}]}, lambda path: "atomic")
    assert change.sensitive
    assert change.after == {"k": FIRST.fingerprint, "v": 1}


def test_outputs_not_known_yet_are_values() -> None:
    ref = parse_output_ref("GitHead/source#commit")
    assert diff_documents({"a": ref}, {"a": parse_output_ref("GitHead/source#commit")}) == ()
    assert reported(diff_documents({"a": "x"}, {"a": ref})) == [f"change a 'x' {ref!r}"]


def test_very_long_lists_are_compared_in_linear_time() -> None:
    before: list[Json] = [str(n) for n in range(3000)]
    after: list[Json] = [str(-n) for n in range(3000)]
    assert len(diff_documents(before, after)) == 2999
