"""Ownership moved to us, and the apply after it: predicted, then really done, and compared with what is stored."""

from __future__ import annotations

from planner.errors import PermanentError
from providers.kubernetes.field_ownership_migration import (
    FieldOwnershipMoves,
    named_managers_owning_fields,
    object_with_migrated_ownership,
    ownership_migration_patch,
)
from providers.kubernetes.preview.leftover_server_defaults import unowned_leftover_defaults
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.mutually_exclusive_fields import mutually_exclusive_field_errors
from tests.fidelity import compare
from tests.fidelity.server import APPLY, JSON_PATCH, Answer
from tests.fidelity.story import US, Case, Doc, apply_url, now, short

OTHERS = ("alpha", "beta", "kubectl-edit", "controller")


def check_moves(case: Case, desired: Doc) -> None:
    """Take over some managers and what nobody declares any more; changes the live object, so it comes last."""
    if case.live is None or not case.live["metadata"].get("managedFields") or case.kind == "Pod":
        return
    names = named_managers_owning_fields(case.live, case.rng.sample(OTHERS, case.rng.randint(0, 2)))
    moves = FieldOwnershipMoves(managers=frozenset(names))
    try:
        moves = FieldOwnershipMoves(
            managers=moves.managers,
            fields=unowned_leftover_defaults(object_with_migrated_ownership(case.live, moves), desired, case.types),
        )
        predicted = merge.merge_server_side_apply(
            object_with_migrated_ownership(case.live, moves),
            desired,
            manager=US,
            types=case.types,
            force=True,
            now=now(),
        )
    except PermanentError:
        return
    patch = ownership_migration_patch(case.live, moves)
    if not patch or predicted.unsure:
        return
    case.verdict.counts["moves"] += 1
    case.verdict.counts["moves with leftovers"] += bool(moves.fields)
    case.story.append(f"moves {moves}; then {short(desired)}")
    moved = case.server.request("PATCH", f"{case.url}/{case.name}?fieldManager=hwplan-op", patch, JSON_PATCH)
    if not moved.ok:
        case.wrong(f"the server refuses the moves: {moved.code} {moved.body.get('message')}")
        return
    answer = case.server.request("PATCH", apply_url(case, US, force=True, dry=True), desired, APPLY)
    _compare(case, predicted, answer)


def _compare(case: Case, predicted: merge.ApplyOutcome, answer: Answer) -> None:
    if not answer.ok:
        case.verdict.counts["moves, then refused"] += 1
        message = str(answer.body.get("message"))
        refused = "may not be specified when strategy" in message or "only allowed for updateStrategy" in message
        if refused and not mutually_exclusive_field_errors(predicted.object):
            case.wrong(f"fields that exclude each other for the server only: {message}")
        return
    if found := mutually_exclusive_field_errors(predicted.object):
        case.wrong(f"said to exclude each other, but accepted: {found}")
    for difference in compare.differences(predicted.object, answer.body):
        case.wrong(f"after the moves: {difference}")
        return
