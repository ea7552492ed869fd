"""What an apply would leave behind although nobody declares it any more: values that the server filled in by itself.

A default that follows from a field (the deprecated twin of `serviceAccountName`, `rollingUpdate` of a strategy, host
ports of a host network) is owned by nobody; server-side apply never removes it, and the old value lives on, or the
server refuses the new configuration because of it. Pure: it compares what a *new* object of the last configuration
would hold with a new object of the present one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from planner.document_editing import MISSING, value_at
from planner.errors import PermanentError
from planner.field_path import FieldPath
from planner.plan import FieldChange
from planner.values import Json, JsonObject, JsonValue
from providers.cluster_interface import FIELD_MANAGER
from providers.kubernetes.preview.field_changes import undeclared_fields_of_other_managers
from providers.kubernetes.secret_values_as_fingerprints import with_secret_stand_ins
from providers.kubernetes.ssa.field_set import EMPTY, FieldSet
from providers.kubernetes.ssa.merge_types import MergeType, MergeTypeTable
from providers.kubernetes.ssa.ownership import fields_applied_by, project_fields
from providers.kubernetes.ssa.typed_values import ABSENT, equal_json, list_item_element

_NO_TIME = "1970-01-01T00:00:00Z"
_PARTS = frozenset(("apiVersion", "kind", "metadata", "status"))


def predict_as_created(document: JsonObject, types: MergeTypeTable) -> JsonObject | None:
    """What the server would store for a document if there were no object yet; None where that cannot be determined."""
    from providers.kubernetes.ssa import merge  # the whole of server-side apply: not before it has to be computed

    try:
        return merge.merge_server_side_apply(None, document, manager=FIELD_MANAGER, types=types, now=_NO_TIME).object
    except (PermanentError, KeyError, TypeError, AttributeError, ValueError):
        return None  # a part of a document need not make sense as a whole


def undeclared_fields_of_others_beyond_defaults(
    live: JsonObject, types: Callable[[], MergeTypeTable], declared: Sequence[FieldPath] = ()
) -> tuple[FieldChange, ...]:
    """What others added to an object of ours (undeclared_fields_of_other_managers), less what the server would have set
    without them.

    Whoever creates an object owns its defaults too. Such a value is nobody's decision: an object made of what we own
    alone would hold it as well.
    """
    added = undeclared_fields_of_other_managers(live, declared)
    if not added:
        return ()
    table, plain = types(), with_secret_stand_ins(live)
    part = project_fields(plain, fields_applied_by(plain, FIELD_MANAGER), table)
    anew = predict_as_created({**part, **_identity(plain, part)}, table)
    if anew is None:
        return added
    return tuple(
        change
        for change in added
        if change.sensitive or not equal_json(value_at(anew, change.path, MISSING), change.after)
    )


def unowned_leftover_defaults(live: JsonObject, desired: JsonObject, types: MergeTypeTable) -> tuple[FieldPath, ...]:
    """Fields of `live` that nobody owns, that followed from what we applied last, and do not from `desired`."""
    owned = fields_applied_by(live, FIELD_MANAGER)
    if not owned or (after := predict_as_created(desired, types)) is None:
        return ()
    part = project_fields(live, owned, types)
    before = predict_as_created({**part, **_identity(live, part)}, types)
    if before is None:
        return ()
    kind = types.type_of(str(desired["apiVersion"]), str(desired["kind"]))
    everybody = _everybody(live)
    found: list[FieldPath] = []
    for name in before.keys() - _PARTS:
        below = kind.child(name)
        if below is not None:
            one, other, now = (document.get(name, ABSENT) for document in (before, after, live))
            found += _left(below, (name,), one, other, now, everybody.below(name), name in everybody.members)
    return tuple(sorted(found, key=lambda path: [*map(str, path)]))


def _identity(live: JsonObject, part: JsonObject) -> JsonObject:
    names = {key: live["metadata"][key] for key in ("name", "namespace") if key in live["metadata"]}
    metadata = {**(part.get("metadata") or {}), **names}
    return {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata}


def _everybody(live: JsonObject) -> FieldSet:
    fields = EMPTY
    for entry in live["metadata"].get("managedFields") or ():
        fields |= FieldSet.parse(entry.get("fieldsV1") or {})
    return fields


def _left(
    kind: MergeType,
    path: FieldPath,
    before: JsonValue,
    after: JsonValue,
    live: JsonValue,
    owned: FieldSet,
    is_owned: bool,
) -> Iterator[FieldPath]:
    """`owned` is what anybody owns below the path, `is_owned` whether somebody owns the path itself."""
    if before is ABSENT or live is ABSENT:
        return
    if after is ABSENT and not owned and not is_owned and equal_json(before, live):
        yield path
    elif isinstance(before, dict) and isinstance(live, dict) and kind.is_map and not kind.atomic:
        inner = after if isinstance(after, dict) else {}
        for name, value in before.items():
            below = kind.child(name)
            if below is not None:
                sides = (value, inner.get(name, ABSENT), live.get(name, ABSENT))
                yield from _left(below, (*path, name), *sides, owned.below(name), name in owned.members)
    elif isinstance(before, list) and isinstance(live, list) and kind.list_kind == "map":
        yield from _left_items(kind, path, before, after if isinstance(after, list) else [], live, owned)


def _left_items(
    kind: MergeType, path: FieldPath, before: list[Json], after: list[Json], live: list[Json], owned: FieldSet
) -> Iterator[FieldPath]:
    wanted, there = ({list_item_element(kind, item): item for item in items} for items in (after, live))
    for item in before:
        element = list_item_element(kind, item)
        if element in wanted:  # an item that is not declared any more goes as a whole
            sides = (item, wanted[element], there.get(element, ABSENT))
            yield from _left(kind.items(), (*path, element), *sides, owned.below(element), element in owned.members)
