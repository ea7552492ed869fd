"""One resource to judge, and the judgements that need no prediction: nothing to do, or better not touched. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from planner.errors import PermanentError, ProviderError
from planner.path import FieldPath, render
from planner.plan import Drift
from planner.ports import Effect, Observation, Present, Preview
from planner.resource import SET_LABEL, Resource
from planner.values import JsonObject, Sealed, open_outputs
from providers.kubernetes.cluster import FIELD_MANAGER
from providers.kubernetes.comparing import Taken, covers, undeclared
from providers.kubernetes.errors import Invalid
from providers.kubernetes.placing import Spot
from providers.kubernetes.readiness import readiness
from providers.kubernetes.reading import applied_by_us
from providers.kubernetes.sealing import is_secret, stand_in
from providers.kubernetes.ssa.ownership import unchanged
from providers.kubernetes.stamping import stamp_of
from providers.kubernetes.wanted import prepared, special_leaves


@dataclass(frozen=True, slots=True)
class Case:
    """One resource to judge, with everything that is known about it. `live` is sealed; `content` is its digest."""

    resource: Resource
    spot: Spot
    desired: JsonObject = field(repr=False)
    live: JsonObject | None = field(repr=False)
    content: str
    outputs: JsonObject = field(default_factory=dict, repr=False)  # of the live object
    unknown: bool = False  # an output that it uses is not known yet

    @property
    def effect(self) -> Effect:
        """What happens to it if anything does."""
        return Effect.UPDATE if self.live else Effect.CREATE

    @property
    def ours(self) -> bool:
        """Whether the live object belongs to this set, and was applied by us and not merely labelled."""
        return self.live is not None and _owner(self.live) == self.resource.owned_by and applied_by_us(self.live)

    @property
    def applied_last(self) -> bool:
        """Whether this very document is what was applied last."""
        mine = stamp_of(self.desired)
        return bool(mine) and self.live is not None and stamp_of(self.live) == mine

    @property
    def changed_document(self) -> JsonObject | None:
        """The document to write, if it is not the resource's own."""
        return self.desired if self.desired != self.resource.manifest else None


def settle(resource: Resource, spot: Spot, seen: Observation, *, simulated: bool) -> Case | Preview:
    """The preview if it can be told at once, else the case to predict.

    An object that is as declared, leaf by leaf, costs no more than that look at its document as it came.
    """
    if isinstance(seen, Present) and seen.value is not None:
        live = seen.value
        plain = Case(resource, spot, resource.manifest, live, seen.content, seen.outputs)
    else:
        live = None
        plain = Case(resource, spot, resource.manifest, None, "")
    as_it_came = spot.namespace == resource.address.namespace and not resource.options.ignore_fields
    if live is not None and as_it_came and _is_same(plain, leaves_too=True):
        return nothing(plain)
    case = replace(plain, desired=prepared(resource, spot, live))
    if live is not None and _is_unchanged(case, simulated):
        return nothing(case)
    return _refusal(case) or replace(case, unknown=bool(open_outputs(case.desired)))


def _is_unchanged(case: Case, simulated: bool) -> bool:
    """Leaf by leaf, or because it carries our stamp and nobody has taken a field from us since.

    The stamp says nothing about values of Secrets, nor about files of a snapshot that a person may have edited.
    """
    if _is_same(case, leaves_too=True):
        return True
    by_stamp = case.applied_last and not simulated and not is_secret(case.desired)
    return by_stamp and _is_same(case, leaves_too=False)


def _is_same(case: Case, *, leaves_too: bool) -> bool:
    assert case.live is not None
    if _owner(case.live) != case.resource.owned_by:
        return False
    live, desired = case.live, case.desired
    if is_secret(desired):
        live, desired = stand_in(live), stand_in(desired, live)
    return unchanged(live, desired, manager=FIELD_MANAGER, leaves_too=leaves_too)


def nothing(case: Case) -> Preview:
    """The preview of an object that is as declared: what it still lacks, and what others added to it."""
    assert case.live is not None
    state = readiness(case.live, waits=case.resource.options.wait != "none")
    return Preview(
        Effect.NONE,
        drift=foreign_drift(case),
        outputs=case.outputs,
        awaiting="" if state.done and state.ok else state.message or "not ready",
    )


def foreign_drift(case: Case, declared: Sequence[FieldPath] = ()) -> tuple[Drift, ...]:
    """What others added to an object of ours. `declared` are fields of ours that they own now: told elsewhere."""
    if case.live is None or not case.ours:
        return ()
    return tuple(Drift(case.resource.address, change, declared=False) for change in undeclared(case.live, declared))


def blocked(effect: Effect, error: ProviderError) -> Preview:
    """The preview of what cannot be done, for the reason that the error gives."""
    evidence = "; ".join(str(cause) for cause in error.causes) if isinstance(error, Invalid) else ""
    return Preview(effect, blocked=error.message, evidence=evidence, remedy=error.remedy)


def not_adoptable(case: Case, taken: tuple[Taken, ...]) -> PermanentError | None:
    """Why an object that is not ours cannot be adopted: fields that others manage may be taken only by name."""
    allowed = case.resource.options.adopt_fields
    refused = [item for item in taken if not any(covers(path, item.path) for path in allowed)]
    if not refused:
        return None
    words = [f"{render(t.path)} is managed by {t.manager}" + (f" since {t.time}" if t.time else "") for t in refused]
    names = ",".join(render(item.path) for item in refused)
    remedy = f"allow it with hwplan.dev/adopt-fields: {names}, or leave it with hwplan.dev/ignore-fields"
    return PermanentError("; ".join(words), remedy=remedy)


def _refusal(case: Case) -> Preview | None:
    """Reasons to touch nothing that need no prediction."""
    if place := _misplaced_secret(case.desired):
        error = PermanentError(f"{place} holds a secret outside of a Secret's data", remedy="use a Secret")
        return blocked(case.effect, error)
    if case.live is None:
        return None
    if case.live["metadata"].get("deletionTimestamp"):
        error = PermanentError("it is being deleted", remedy="wait until it is gone, then plan again")
        return blocked(case.effect, error)
    owner = _owner(case.live)
    if owner and owner != case.resource.owned_by:
        remedy = f"remove it from one of the two, or its label {SET_LABEL}"
        return blocked(case.effect, PermanentError(f"it belongs to another set: {owner}", remedy=remedy))
    return None


def _misplaced_secret(document: JsonObject) -> str:
    """The first place outside of a Secret's data that holds a secret; empty when there is none."""
    sealed = (path for path, leaf in special_leaves(document) if isinstance(leaf, Sealed))
    allowed = is_secret(document)
    wrong = (path for path in sealed if not (allowed and len(path) == 2 and path[0] == "data"))
    return ".".join(map(str, next(wrong, ())))


def _owner(live: JsonObject) -> str:
    return str((live["metadata"].get("labels") or {}).get(SET_LABEL, ""))
