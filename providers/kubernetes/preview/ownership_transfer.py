"""Which ownership an update needs to move to us first, so that what is not declared any more really goes. Pure.

Owns the choice: kubectl's client-side entries at adoption, managers that the resource names, what the server filled in
for an earlier configuration, and, where a command asks for it, every field that somebody else added.
"""

from __future__ import annotations

from planner.field_path import FieldPath, ListItemPathElement, SetMemberPathElement, path_covers, render_path
from planner.values import JsonObject
from providers.cluster_interface import FIELD_MANAGER
from providers.kubernetes.errors import Invalid
from providers.kubernetes.field_ownership_migration import (
    FieldOwnershipMoves,
    has_client_side_apply_fields,
    named_managers_owning_fields,
    object_with_migrated_ownership,
)
from providers.kubernetes.preview.field_changes import why_added_field_is_harmless
from providers.kubernetes.preview.field_takeover import TakenField
from providers.kubernetes.preview.leftover_server_defaults import (
    undeclared_fields_of_others_beyond_defaults,
    unowned_leftover_defaults,
)
from providers.kubernetes.preview.preview_input import PreviewInput
from providers.kubernetes.secret_values_as_fingerprints import is_secret, with_secret_stand_ins
from providers.kubernetes.ssa.field_set import FieldSet
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.ownership import fields_applied_by, fields_owned_by_others


def ownership_moves_before_apply(
    case: PreviewInput, document: JsonObject, types: MergeTypeTable
) -> FieldOwnershipMoves:
    """The moves before `document` (stand-ins, no open outputs) is applied to the live object of a case."""
    assert case.live is not None
    options = case.resource.options
    entries = FieldOwnershipMoves(
        client_side=not case.ours and has_client_side_apply_fields(case.live),
        managers=frozenset(named_managers_owning_fields(case.live, options.take_over)),
    )
    base = object_with_migrated_ownership(case.live, entries)
    fields: tuple[FieldPath, ...] = (
        () if is_secret(document) else unowned_leftover_defaults(with_secret_stand_ins(base), document, types)
    )
    if options.reset_undeclared:
        fields = (*fields, *_added(base, types))
    return FieldOwnershipMoves(entries.client_side, entries.managers, tuple(dict.fromkeys(fields)))


def fields_taken_by_ownership_moves(live: JsonObject, moves: FieldOwnershipMoves) -> tuple[TakenField, ...]:
    """The fields that ownership moves take from other managers than kubectl's client-side apply, with whose they
    were."""
    if not (moves.managers or moves.fields):
        return ()
    found = (
        TakenField(path, owner.manager, owner.time) for path, _, owner in fields_owned_by_others(live, FIELD_MANAGER)
    )
    return tuple(
        one
        for one in found
        if one.manager in moves.managers or any(path_covers(path, one.path) for path in moves.fields)
    )


def add_remedy_for_field_set_by_others(error: Invalid, live: JsonObject) -> Invalid:
    """The server's refusal, with a remedy where a refused field is not declared and another manager set it."""
    fields = [cause.field for cause in error.causes if cause.field]
    owners = {
        owner.manager
        for path, _, owner in fields_owned_by_others(live, FIELD_MANAGER)
        if any(render_path(path).startswith(field) for field in fields)
    }
    if not owners or error.remedy:
        return error
    names = ", ".join(sorted(owners))
    remedy = f"{names} set it: remove it there, or own what {names} owns with hwplan.dev/take-over"
    return Invalid(error.causes, where=error.where, remedy=remedy)


def _added(live: JsonObject, types: MergeTypeTable) -> tuple[FieldPath, ...]:
    """What others added to an object and is not harmless, list items as a whole. Not what nobody is known to have set:
    replicas without an owner may be those of an autoscaler."""
    ours = fields_applied_by(live, FIELD_MANAGER)
    paths = (
        change.path for change in undeclared_fields_of_others_beyond_defaults(live, lambda: types) if change.manager
    )
    return tuple(dict.fromkeys(_whole(path, ours) for path in paths if not why_added_field_is_harmless(path)))


def _whole(path: FieldPath, ours: FieldSet) -> FieldPath:
    """The list item around a path if we own nothing in it: a part of it would stay as a broken item."""
    below = ours
    for at, element in enumerate(path):
        if (
            isinstance(element, (ListItemPathElement, SetMemberPathElement))
            and element not in below.members
            and element not in below.children
        ):
            return path[: at + 1]
        below = below.below(element)
    return path
