"""One resource to judge, and the judgements that need no prediction: nothing to do, or better not touched. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace

from planner.dataclass import dataclass
from planner.errors import PermanentError, ProviderError
from planner.field_path import FieldPath, path_covers, render_path
from planner.late_text import LateText
from planner.plan import DriftedField
from planner.ports import Observation, PresentObject, Preview, PreviewEffect
from planner.resource import SET_LABEL, Resource
from planner.values import JsonObject, SealedSecret, outputs_in_document
from providers.cluster_interface import FIELD_MANAGER
from providers.kubernetes.applied_digest_annotation import applied_digest_annotation
from providers.kubernetes.errors import Invalid
from providers.kubernetes.field_ownership_migration import named_managers_owning_fields
from providers.kubernetes.object_location import ObjectLocation
from providers.kubernetes.preview.document_to_send import document_to_send_unrevealed, non_json_leaves
from providers.kubernetes.preview.field_changes import why_added_field_is_harmless
from providers.kubernetes.preview.field_takeover import TakenField
from providers.kubernetes.preview.leftover_server_defaults import undeclared_fields_of_others_beyond_defaults
from providers.kubernetes.read_observations import is_applied_by_our_manager
from providers.kubernetes.readiness import object_readiness
from providers.kubernetes.secret_values_as_fingerprints import is_secret, with_secret_stand_ins
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.ownership import apply_changes_nothing


@dataclass(frozen=True, slots=True)
class PreviewInput:
    """One resource to judge, with everything that is known about it. `live` is sealed; `content` is its digest."""

    resource: Resource
    location: ObjectLocation
    desired: JsonObject = field(repr=False)
    live: JsonObject | None = field(repr=False)
    content: str | LateText
    outputs: JsonObject = field(default_factory=dict, repr=False)  # of the live object
    unknown: bool = False  # an output that it uses is not known yet

    @property
    def effect(self) -> PreviewEffect:
        """What happens to it if anything does."""
        return PreviewEffect.UPDATE if self.live else PreviewEffect.CREATE

    @property
    def ours(self) -> bool:
        """Whether the live object belongs to this set, and was applied by us and not merely labelled."""
        return (
            self.live is not None
            and _owner(self.live) == self.resource.owned_by
            and is_applied_by_our_manager(self.live)
        )

    @property
    def applied_last(self) -> bool:
        """Whether this very document is what was applied last."""
        mine = applied_digest_annotation(self.desired)
        return bool(mine) and self.live is not None and applied_digest_annotation(self.live) == mine

    @property
    def changed_document(self) -> JsonObject | None:
        """The document to write, if it is not the resource's own."""
        return self.desired if self.desired != self.resource.manifest else None


def preview_unless_prediction_needed(
    resource: Resource,
    location: ObjectLocation,
    seen: Observation,
    types: Callable[[], MergeTypeTable],
    *,
    simulated: bool,
) -> PreviewInput | Preview:
    """The preview if it can be determined at once, else the case to predict.

    `types` gives the type table of its kind. An object that is as declared, leaf by leaf, costs no more than that look
    at its document as it came.
    """
    if isinstance(seen, PresentObject) and seen.value is not None:
        live = seen.value
        plain = PreviewInput(resource, location, resource.manifest, live, seen.content, seen.outputs)
    else:
        live = None
        plain = PreviewInput(resource, location, resource.manifest, None, "")
    as_it_came = location.namespace == resource.address.namespace and not resource.options.ignore_fields
    moves = live is not None and _moves_ownership(resource, live, types)
    if live is not None and as_it_came and not moves and _is_same(plain, compare_leaves=True):
        return make_unchanged_preview(plain, types)
    case = replace(plain, desired=document_to_send_unrevealed(resource, location, live, types))
    if live is not None and not moves and _is_unchanged(case, simulated):
        return make_unchanged_preview(case, types)
    return _refusal(case) or replace(case, unknown=bool(outputs_in_document(case.desired)))


def _moves_ownership(resource: Resource, live: JsonObject, types: Callable[[], MergeTypeTable]) -> bool:
    """Whether a command or an annotation asks to take over what others own of an object, and there is any."""
    options = resource.options
    if options.take_over and named_managers_owning_fields(live, options.take_over):
        return True
    return options.reset_undeclared and any(
        bool(change.manager) and not why_added_field_is_harmless(change.path)
        for change in undeclared_fields_of_others_beyond_defaults(live, types)
    )


def _is_unchanged(case: PreviewInput, simulated: bool) -> bool:
    """Leaf by leaf, or because it carries our stamp and nobody has taken a field from us since.

    The stamp says nothing about values of Secrets, nor about files of a snapshot that a person may have edited.
    """
    if _is_same(case, compare_leaves=True):
        return True
    by_stamp = case.applied_last and not simulated and not is_secret(case.desired)
    return by_stamp and _is_same(case, compare_leaves=False)


def _is_same(case: PreviewInput, *, compare_leaves: bool) -> bool:
    assert case.live is not None
    if _owner(case.live) != case.resource.owned_by:
        return False
    live, desired = case.live, case.desired
    if is_secret(desired):
        live, desired = with_secret_stand_ins(live), with_secret_stand_ins(desired, live)
    return apply_changes_nothing(live, desired, manager=FIELD_MANAGER, compare_leaves=compare_leaves)


def make_unchanged_preview(case: PreviewInput, types: Callable[[], MergeTypeTable]) -> Preview:
    """The preview of an object that is as declared: what it still lacks, and what others added to it."""
    assert case.live is not None
    state = object_readiness(case.live, waits=case.resource.options.wait != "none")
    return Preview(
        PreviewEffect.NONE,
        drift=undeclared_fields_of_others_not_ignored(case, types),
        outputs=case.outputs,
        awaiting="" if state.done and state.ok else state.message or "not ready",
    )


def undeclared_fields_of_others_not_ignored(
    case: PreviewInput, types: Callable[[], MergeTypeTable], declared: Sequence[FieldPath] = ()
) -> tuple[DriftedField, ...]:
    """What others added to an object of ours, less what it leaves to others (ignore-fields). `declared` are fields of
    ours that they own now: reported elsewhere."""
    if case.live is None or not case.ours:
        return ()
    address = case.resource.address
    added = undeclared_fields_of_others_beyond_defaults(case.live, types, declared)
    return tuple(
        DriftedField(address, change, declared=False, harmless=why_added_field_is_harmless(change.path))
        for change in added
        if not any(path_covers(path, change.path) for path in case.resource.options.ignore_fields)
    )


def make_blocked_preview(effect: PreviewEffect, error: ProviderError) -> Preview:
    """The preview of a change that is blocked, for the reason that the error gives."""
    evidence = "; ".join(str(cause) for cause in error.causes) if isinstance(error, Invalid) else ""
    return Preview(effect, blocked=error.message, evidence=evidence, remedy=error.remedy)


def adoption_obstacle(case: PreviewInput, taken: tuple[TakenField, ...]) -> PermanentError | None:
    """Why an object that is not ours cannot be adopted: values that others set may be taken only by name.

    Where what is stored stays the same no value is taken from anybody, and nobody has to allow it.
    """
    allowed = case.resource.options.adopt_fields
    refused = [item for item in taken if not item.same and not any(path_covers(path, item.path) for path in allowed)]
    if not refused:
        return None
    words = [
        f"{render_path(t.path)} is managed by {t.manager}" + (f" since {t.time}" if t.time else "") for t in refused
    ]
    names = ",".join(render_path(item.path) for item in refused)
    remedy = f"allow it with hwplan.dev/adopt-fields: {names}, or leave it with hwplan.dev/ignore-fields"
    return PermanentError("; ".join(words), remedy=remedy)


def _refusal(case: PreviewInput) -> Preview | None:
    """Reasons to touch nothing that need no prediction."""
    if place := _misplaced_secret(case.desired):
        error = PermanentError(f"{place} holds a secret outside of a Secret's data", remedy="use a Secret")
        return make_blocked_preview(case.effect, error)
    if case.live is None:
        return None
    if case.live["metadata"].get("deletionTimestamp"):
        error = PermanentError("it is being deleted", remedy="wait until it is gone, then plan again")
        return make_blocked_preview(case.effect, error)
    owner = _owner(case.live)
    if owner and owner != case.resource.owned_by:
        remedy = f"remove it from one of the two, or its label {SET_LABEL}"
        return make_blocked_preview(case.effect, PermanentError(f"it belongs to another set: {owner}", remedy=remedy))
    return None


def _misplaced_secret(document: JsonObject) -> str:
    """The first place outside of a Secret's data that holds a secret; empty when there is none."""
    sealed = (path for path, leaf in non_json_leaves(document) if isinstance(leaf, SealedSecret))
    allowed = is_secret(document)
    wrong = (path for path in sealed if not (allowed and len(path) == 2 and path[0] == "data"))
    return ".".join(map(str, next(wrong, ())))


def _owner(live: JsonObject) -> str:
    return str((live["metadata"].get("labels") or {}).get(SET_LABEL, ""))
