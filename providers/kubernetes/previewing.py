"""What would happen to each resource: nothing (decided without a request), or a prediction judged by who owns what.

Owns the decisions: when fields may be taken from others, when an object may be adopted, replaced, or is left alone.
Writes nothing. Dry runs go out in parallel, and only for what is not known to be unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.address import Address, group_of
from planner.diff import ListKeys
from planner.errors import PermanentError, ProviderError
from planner.path import FieldPath, render
from planner.plan import Drift, Verified
from planner.ports import Absent, Effect, Fingerprinter, Observation, Present, Preview
from planner.resource import APPLIED, SET_LABEL, Resource
from planner.values import JsonObject, Ref, Sealed, Sub
from providers.kubernetes.cluster import FIELD_MANAGER, Cluster, KindInfo
from providers.kubernetes.comparing import (
    Taken,
    covers,
    created_fields,
    field_changes,
    reversed_change,
    undeclared,
)
from providers.kubernetes.errors import Cause, Invalid, NamespaceMissing, NotServed, ResourceVersionConflict
from providers.kubernetes.migrating import is_client_side
from providers.kubernetes.outputs import lasting, names_of, outputs_of
from providers.kubernetes.parallel import Parallel
from providers.kubernetes.placing import Spot, coming_kinds, is_crd, spot_of
from providers.kubernetes.predicting import Prediction, ask, compute, expectation, filled, restored
from providers.kubernetes.readiness import readiness
from providers.kubernetes.reading import applied_by_us, content_of
from providers.kubernetes.schemas import Schemas, group_kind
from providers.kubernetes.sealing import is_secret, seal, stand_in
from providers.kubernetes.ssa.immutable import immutable_changes
from providers.kubernetes.ssa.ownership import unchanged
from providers.kubernetes.ssa.schema import TypeTable, list_keys
from providers.kubernetes.ssa.validate import check
from providers.kubernetes.wanted import prepared, special_leaves

_RE_READS = 3


@dataclass(frozen=True, slots=True)
class _Case:
    """One resource to judge, with everything that is known about it."""

    resource: Resource
    spot: Spot
    desired: JsonObject = field(repr=False)
    live: JsonObject | None = field(repr=False)
    content: str
    unknown: bool = False  # an output that it uses is not known yet

    @property
    def ours(self) -> bool:
        return self.live is not None and _owner(self.live) == self.resource.owned_by and applied_by_us(self.live)

    @property
    def applied_last(self) -> bool:
        """Whether this very document is what was applied last."""
        mine = _annotations(self.desired).get(APPLIED)
        return mine is not None and self.live is not None and _annotations(self.live).get(APPLIED) == mine


class Previewer:
    """The judgement of one plan: knows which namespaces and kinds are on their way in it."""

    def __init__(
        self, cluster: Cluster, fingerprinter: Fingerprinter, default_namespace: str, parallelism: int
    ) -> None:
        self._cluster = cluster
        self._fingerprinter = fingerprinter
        self._default_namespace = default_namespace
        self._parallel = Parallel(1 if cluster.simulated else parallelism)
        self._new_namespaces: frozenset[str] = frozenset()
        self._new_kinds: dict[tuple[str, str], KindInfo] = {}
        self._moving: frozenset[tuple[str, str]] = frozenset()
        self._schemas: Schemas | None = None
        self._crds: tuple[JsonObject, ...] = ()

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See planner.ports.Provider.preview."""
        readable = [(r, seen) for r, seen in items if isinstance(seen, (Present, Absent))]
        self._crds = tuple(r.manifest for r, _ in readable if is_crd(r.manifest))
        self._new_kinds = coming_kinds(self._crds)
        absent = (r.address for r, seen in readable if isinstance(seen, Absent))
        self._new_namespaces = frozenset(a.name for a in absent if (a.kind, a.group) == ("Namespace", ""))
        out = self._judge([pair for pair in readable if is_crd(pair[0].manifest)])
        moving = (r.manifest for r, _ in readable if r.address in out and out[r.address].effect is not Effect.NONE)
        self._moving = frozenset(group_kind(crd) for crd in moving)
        return out | self._judge([pair for pair in readable if not is_crd(pair[0].manifest)])

    def _judge(self, items: Sequence[tuple[Resource, Observation]]) -> dict[Address, Preview]:
        out: dict[Address, Preview] = {}
        open_cases: list[_Case] = []
        for resource, seen in items:
            found = self._case(resource, seen)
            if isinstance(found, _Case):
                open_cases.append(found)
            else:
                out[resource.address] = found
        if open_cases and self._schemas is None:
            self._schemas = Schemas(self._cluster, self._crds)
        for case, preview in zip(open_cases, self._parallel.map(self._predicted, open_cases), strict=True):
            out[case.resource.address] = preview
        return out

    # --- without a request -----------------------------------------------------------------------------------------

    def _case(self, resource: Resource, seen: Observation) -> _Case | Preview:
        """What can be decided at once, else the case to predict."""
        address = resource.address
        live = seen.value if isinstance(seen, Present) else None
        effect = Effect.UPDATE if live else Effect.CREATE
        try:
            kind = self._cluster.kind(resource.api_version, address.kind)
        except ProviderError as error:
            return _blocked(effect, error)
        kind = kind or self._new_kinds.get((resource.api_version, address.kind))
        if kind is None:
            return _blocked(effect, NotServed("the cluster does not serve this kind", remedy="declare its CRD"))
        spot = spot_of(kind, address, self._default_namespace)
        plain = resource.manifest if spot.namespace == address.namespace else prepared(resource, spot, live)
        content = seen.content if isinstance(seen, Present) else ""
        case = _Case(resource, spot, plain, live, content)
        if live is not None and not resource.options.ignore_fields and _is_unchanged(case, self._cluster.simulated):
            return _nothing(case)
        case = replace(case, desired=prepared(resource, spot, live))
        if live is not None and _is_unchanged(case, self._cluster.simulated):
            return _nothing(case)
        return _refusal(case) or replace(case, unknown=_has_unknown(case.desired))

    # --- with a prediction -----------------------------------------------------------------------------------------

    def _predicted(self, case: _Case) -> Preview:
        try:
            preview = self._update(case) if case.live else self._create(case)
        except ProviderError as error:
            preview = _blocked(Effect.UPDATE if case.live else Effect.CREATE, error)
        drain = getattr(self._cluster, "drain_warnings", None)
        return replace(preview, warnings=(*preview.warnings, *drain())) if drain else preview

    def _create(self, case: _Case) -> Preview:
        if case.unknown or case.spot.namespace in self._new_namespaces or not self._is_served(case):
            return self._create_by_schema(case)
        try:
            prediction = ask(self._cluster, case.spot, stand_in(case.desired), None)
        except Invalid:
            if not self._is_moving(case):
                raise
            return self._create_by_schema(case)  # the live CRD is not the one that it will meet
        except NamespaceMissing as error:
            message, remedy = f"{error.message} and is not declared", "declare the Namespace, or create it"
            raise NamespaceMissing(message, namespace=error.namespace, remedy=remedy) from None
        return Preview(
            Effect.CREATE,
            created_fields(case.desired),
            prediction.verified,
            _if_other(case),
            expectation(prediction.after, case.desired),
            outputs=names_of(case.desired),
        )

    def _create_by_schema(self, case: _Case) -> Preview:
        """A create that no server can be asked about yet."""
        types = self._types(case)
        document, _ = filled(stand_in(case.desired), types)
        known = types.knows(case.spot.kind.api_version, case.spot.kind.kind)
        _refuse_invalid(document, types)
        return Preview(
            Effect.CREATE,
            created_fields(case.desired),
            Verified.SCHEMA if known else Verified.NO,
            _if_other(case),
            outputs=names_of(case.desired),
        )

    def _update(self, case: _Case) -> Preview:
        assert case.live is not None
        migrate = not case.ours and is_client_side(case.live)
        types = self._types(case)
        try:
            case, prediction = self._prediction(case, types, migrate)
        except Invalid as error:
            if not error.immutable:
                raise
            return self._replace(case, types, error.causes)
        return self._settled(case, prediction, types, migrate)

    def _prediction(self, case: _Case, types: TypeTable, migrate: bool) -> tuple[_Case, Prediction]:
        """Ask where a true answer can be had, compute elsewhere. The case comes back as it was read last."""
        if case.unknown or is_secret(case.desired):
            return case, self._computed(case, types, migrate)
        try:
            case, asked = self._asked(case)
        except Invalid:
            if self._is_moving(case):
                return case, self._computed(case, types, migrate)
            raise
        assert case.live is not None
        if not case.live["metadata"].get("managedFields"):  # the server makes an owner up before the first apply
            return case, replace(asked, taken=self._computed(case, types, False).taken)
        if not migrate:
            return case, asked
        unmigrated = self._computed(case, types, False)
        agrees = not field_changes(unmigrated.after, asked.after, _keys(case, types))
        computed = self._computed(case, types, True)
        return case, replace(computed, verified=asked.verified if agrees else computed.verified)

    def _asked(self, case: _Case) -> tuple[_Case, Prediction]:
        """The dry run, on the version that was observed: status may have moved, anything else is another plan."""
        for _ in range(_RE_READS):
            try:
                return case, ask(self._cluster, case.spot, stand_in(case.desired), case.live)
            except ResourceVersionConflict:
                raw = self._cluster.get(*case.spot)
                live = None if raw is None else seal(raw, self._fingerprinter)
                if live is None or content_of(live, self._fingerprinter) != case.content:
                    break
                case = replace(case, live=live)
        raise PermanentError("it was changed while the plan was made", remedy="plan again")

    def _computed(self, case: _Case, types: TypeTable, migrate: bool) -> Prediction:
        assert case.live is not None
        document, meaning = filled(stand_in(case.desired, case.live), types)
        _refuse_invalid(document, types)
        live = stand_in(case.live)
        prediction = compute(types, document, live, migrate=migrate)
        if changes := immutable_changes(live, prediction.after, types):
            raise Invalid(tuple(Cause(render(path), "FieldValueInvalid", m, immutable=True) for path, m in changes))
        exact = prediction.exact and not case.unknown
        return replace(prediction, after=restored(prediction.after, meaning), exact=exact)

    def _replace(self, case: _Case, types: TypeTable, causes: tuple[Cause, ...]) -> Preview:
        """Immutable fields differ: delete and create, if the resource allows it."""
        assert case.live is not None
        document, meaning = filled(stand_in(case.desired, case.live), types)
        after = restored(compute(types, document, stand_in(case.live)).after, meaning)
        fields = field_changes(case.live, seal(after, self._fingerprinter), _keys(case, types))
        evidence = "; ".join(str(cause) for cause in causes)
        preview = Preview(
            Effect.REPLACE,
            fields,
            Verified.SCHEMA,
            _if_other(case),
            drifted=case.applied_last,
            evidence=evidence,
            outputs=names_of(case.desired),
        )
        if case.resource.options.replace_allowed:
            return preview
        remedy = "allow it with hwplan.dev/replace: allow (deletes the object and creates it anew)"
        return replace(preview, blocked=evidence, remedy=remedy)

    # --- judging a prediction --------------------------------------------------------------------------------------

    def _settled(self, case: _Case, prediction: Prediction, types: TypeTable, migrate: bool) -> Preview:
        assert case.live is not None
        after = seal(prediction.after, self._fingerprinter)
        fields = field_changes(case.live, after, _keys(case, types), prediction.taken)
        if not fields and not migrate and _same_owners(case.live, after):
            return _nothing(case)
        if not case.ours and (refused := _not_adoptable(case, prediction.taken)):
            return replace(_kept(case, refused), fields=fields)
        declared = tuple(
            Drift(case.resource.address, reversed_change(change), declared=True)
            for change in fields
            if case.ours and (case.applied_last or change.manager)
        )
        return Preview(
            Effect.UPDATE,
            fields,
            prediction.verified,
            _if_other(case),
            expectation(prediction.after, case.desired) if prediction.exact else "",
            tuple(item.path for item in prediction.taken),
            migrate,
            case.ours and case.applied_last,
            (*declared, *_foreign_drift(case, tuple(item.path for item in prediction.taken))),
            outputs=lasting(case.live),
        )

    # --- what is known of the plan ---------------------------------------------------------------------------------

    def _types(self, case: _Case) -> TypeTable:
        assert self._schemas is not None
        return self._schemas.table(case.spot.kind)

    def _is_moving(self, case: _Case) -> bool:
        return (group_of(case.spot.kind.api_version), case.spot.kind.kind) in self._moving

    def _is_served(self, case: _Case) -> bool:
        return self._cluster.kind(case.spot.kind.api_version, case.spot.kind.kind) is not None


# --- small judgements ----------------------------------------------------------------------------------------------


def _annotations(document: JsonObject) -> JsonObject:
    return document["metadata"].get("annotations") or {}


def _owner(live: JsonObject) -> str:
    return str((live["metadata"].get("labels") or {}).get(SET_LABEL, ""))


def _is_unchanged(case: _Case, simulated: bool) -> bool:
    """Whether nothing is to be done, decided without a request.

    Where values cannot enter the digest (Secrets), or a person may have edited a file behind our back (a snapshot),
    every leaf is compared too.
    """
    assert case.live is not None
    if _owner(case.live) != case.resource.owned_by:
        return False
    leaves_too = simulated or is_secret(case.desired)
    if not leaves_too and not case.applied_last:
        return False
    live, desired = case.live, case.desired
    if is_secret(desired):
        live, desired = stand_in(live), stand_in(desired, live)
    return unchanged(live, desired, manager=FIELD_MANAGER, leaves_too=leaves_too)


def _nothing(case: _Case) -> Preview:
    assert case.live is not None
    state = readiness(case.live, waits=case.resource.options.wait != "none")
    return Preview(
        Effect.NONE,
        drift=_foreign_drift(case),
        outputs=outputs_of(case.live),
        awaiting="" if state.done and state.ok else state.message or "not ready",
    )


def _foreign_drift(case: _Case, declared: Sequence[FieldPath] = ()) -> tuple[Drift, ...]:
    if case.live is None or not case.ours:
        return ()
    return tuple(Drift(case.resource.address, change, declared=False) for change in undeclared(case.live, declared))


def _refusal(case: _Case) -> Preview | None:
    """Reasons to touch nothing that need no prediction."""
    if place := _misplaced_secret(case.desired):
        return _kept(case, PermanentError(f"{place} holds a secret outside of a Secret's data", remedy="use a Secret"))
    if case.live is None:
        return None
    if case.live["metadata"].get("deletionTimestamp"):
        return _kept(case, PermanentError("it is being deleted", remedy="wait until it is gone, then plan again"))
    owner = _owner(case.live)
    if owner and owner != case.resource.owned_by:
        remedy = f"remove it from one of the two, or its label {SET_LABEL}"
        return _kept(case, PermanentError(f"it belongs to another set: {owner}", remedy=remedy))
    return None


def _misplaced_secret(document: JsonObject) -> str:
    """The first place outside of a Secret's data that holds a secret; empty when there is none."""
    sealed = (path for path, leaf in special_leaves(document) if isinstance(leaf, Sealed))
    allowed = is_secret(document)
    wrong = (path for path in sealed if not (allowed and len(path) == 2 and path[0] == "data"))
    return ".".join(map(str, next(wrong, ())))


def _has_unknown(document: JsonObject) -> bool:
    return any(isinstance(leaf, (Ref, Sub)) for _, leaf in special_leaves(document))


def _not_adoptable(case: _Case, taken: tuple[Taken, ...]) -> PermanentError | None:
    """Fields of a foreign object that others manage may be taken only by name."""
    allowed = case.resource.options.adopt_fields
    refused = [item for item in taken if not any(covers(path, item.path) for path in allowed)]
    if not refused:
        return None
    words = [f"{render(t.path)} is managed by {t.manager}" + (f" since {t.time}" if t.time else "") for t in refused]
    names = ",".join(render(item.path) for item in refused)
    remedy = f"allow it with hwplan.dev/adopt-fields: {names}, or leave it with hwplan.dev/ignore-fields"
    return PermanentError("; ".join(words), remedy=remedy)


def _blocked(effect: Effect, error: ProviderError) -> Preview:
    evidence = "; ".join(str(cause) for cause in error.causes) if isinstance(error, Invalid) else ""
    return Preview(effect, blocked=error.message, evidence=evidence, remedy=error.remedy)


def _kept(case: _Case, error: ProviderError) -> Preview:
    return _blocked(Effect.UPDATE if case.live else Effect.CREATE, error)


def _refuse_invalid(document: JsonObject, types: TypeTable) -> None:
    """Raises Invalid with everything that a schema finds wrong."""
    if problems := check(document, types):
        raise Invalid(tuple(Cause(render(path), "FieldValueInvalid", message) for path, message in problems))


def _if_other(case: _Case) -> JsonObject | None:
    return case.desired if case.desired != case.resource.manifest else None


def _keys(case: _Case, types: TypeTable) -> ListKeys:
    return list_keys(types, case.spot.kind.api_version, case.spot.kind.kind)


def _same_owners(live: JsonObject, after: JsonObject) -> bool:
    return _timeless(live) == _timeless(after)


def _timeless(document: JsonObject) -> list[JsonObject]:
    entries = document["metadata"].get("managedFields") or ()
    plain = [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
    return sorted(plain, key=lambda e: (e.get("manager", ""), e.get("operation", ""), e.get("subresource", "")))
