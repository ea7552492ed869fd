"""What would happen to a resource that is not known to be unchanged: a prediction, judged by who owns what.

Owns the decisions: when fields may be taken from others, when an object may be adopted, replaced, or is left alone.
Writes nothing. Imported only when there is something to judge: a plan with nothing to do needs none of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from planner.address import group_of
from planner.diff import ListKeys
from planner.errors import PermanentError, ProviderError
from planner.path import render
from planner.plan import Drift, FieldChange, FieldOp, Verified
from planner.ports import Effect, Fingerprinter, Preview
from planner.values import JsonObject
from providers.kubernetes.cases import Case, blocked, foreign_drift, not_adoptable, nothing
from providers.kubernetes.cluster import Cluster
from providers.kubernetes.comparing import created_fields, field_changes, reversed_change
from providers.kubernetes.errors import Cause, Forbidden, Invalid, NamespaceMissing, ResourceVersionConflict
from providers.kubernetes.horizon import Horizon
from providers.kubernetes.migrating import is_client_side
from providers.kubernetes.outputs import lasting, names_of
from providers.kubernetes.predicting import Prediction, ask, compute, expectation, filled, restored
from providers.kubernetes.reading import content_of
from providers.kubernetes.schemas import Schemas
from providers.kubernetes.sealing import is_secret, seal, seal_prediction, stand_in
from providers.kubernetes.ssa.immutable import immutable_changes
from providers.kubernetes.ssa.schema import TypeTable, list_keys
from providers.kubernetes.ssa.validate import check

_RE_READS = 3
UNASKED = "not asked of the server"
_NO_RIGHT = re.compile(r"\bcannot (?:patch|create|update) resource\b")  # the authorizer's words, not an admission's


@dataclass(frozen=True, slots=True)
class Judge:
    """Predicts cases and judges the predictions. Safe for many threads."""

    cluster: Cluster
    fingerprinter: Fingerprinter
    horizon: Horizon
    schemas: Schemas
    dry_creates: bool

    def predicted(self, case: Case) -> Preview:
        """The preview of a case; what the server refuses is blocked, never raised."""
        try:
            preview = self._judged(case)
        except ProviderError as error:
            preview = blocked(case.effect, error)
        kind = case.spot.kind
        if preview.verified is Verified.SCHEMA and not self._types(case).vouches(kind.api_version, kind.kind):
            preview = replace(preview, verified=Verified.NO)
        drain = getattr(self.cluster, "drain_warnings", None)
        return replace(preview, warnings=(*preview.warnings, *drain())) if drain else preview

    def _judged(self, case: Case) -> Preview:
        """Asked where the credentials allow it. Those that may only read get a local prediction, and are told so."""
        try:
            return self._update(case) if case.live else self._create(case)
        except Forbidden as error:
            if not self._is_read_only(error):
                raise
            told = f"{UNASKED}: {error.message}; predicted locally"
        preview = self._update(case, ask_server=False) if case.live else self._create_by_schema(case)
        return replace(preview, warnings=(told,)) if preview.effect is not Effect.NONE else preview

    def _is_read_only(self, error: Forbidden) -> bool:
        """Whether the credentials may not write, and nothing is about to be written with them.

        A quota or a policy that forbids this very object is an answer of the server. A straight apply (which makes no
        dry creates, docs/adr/0011) has to know what it will be refused before it begins.
        """
        return bool(_NO_RIGHT.search(error.message)) and (self.dry_creates or self.cluster.simulated)

    # --- new objects -----------------------------------------------------------------------------------------------

    def _create(self, case: Case) -> Preview:
        if case.unknown or case.spot.namespace in self.horizon.namespaces or not self._is_served(case):
            return self._create_by_schema(case)
        if not self.dry_creates and not self.cluster.simulated:
            return self._create_by_schema(case)
        try:
            prediction = ask(self.cluster, case.spot, stand_in(case.desired), None)
        except Invalid:
            if not self._is_moving(case):
                raise
            return self._create_by_schema(case)  # the live CRD is not the one that it will meet
        except NamespaceMissing as error:
            message, remedy = f"{error.message} and is not declared", "declare the Namespace, or create it"
            raise NamespaceMissing(message, namespace=error.namespace, remedy=remedy) from None
        expects = expectation(prediction.after, case.desired)
        return _created(case, prediction.verified, expects)

    def _create_by_schema(self, case: Case) -> Preview:
        """A create that no server can be asked about yet."""
        types = self._types(case)
        document, _ = filled(stand_in(case.desired), types)
        _refuse_invalid(document, types)
        return _created(case, Verified.SCHEMA, "")

    # --- live objects ----------------------------------------------------------------------------------------------

    def _update(self, case: Case, *, ask_server: bool = True) -> Preview:
        assert case.live is not None
        migrate = not case.ours and is_client_side(case.live)
        types = self._types(case)
        try:
            case, prediction = self._prediction(case, types, migrate, ask_server)
        except Invalid as error:
            if not error.immutable:
                raise
            return self._replace(case, types, error.causes)
        return self._settled(case, prediction, types, migrate)

    def _prediction(self, case: Case, types: TypeTable, migrate: bool, ask_server: bool) -> tuple[Case, Prediction]:
        """Ask where a true answer can be had, compute elsewhere. The case comes back as it was read last."""
        if case.unknown or is_secret(case.desired) or not ask_server:
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

    def _asked(self, case: Case) -> tuple[Case, Prediction]:
        """The dry run, on the version that was observed: status may have moved, anything else is another plan."""
        for _ in range(_RE_READS):
            try:
                return case, ask(self.cluster, case.spot, stand_in(case.desired), case.live)
            except ResourceVersionConflict:
                raw = self.cluster.get(*case.spot)
                live = None if raw is None else seal(raw, self.fingerprinter)
                if live is None or content_of(live, self.fingerprinter) != case.content:
                    break
                case = replace(case, live=live)
        raise PermanentError("it was changed while the plan was made", remedy="plan again")

    def _computed(self, case: Case, types: TypeTable, migrate: bool) -> Prediction:
        assert case.live is not None
        document, meaning = filled(stand_in(case.desired, case.live), types)
        _refuse_invalid(document, types)
        live = stand_in(case.live)
        prediction = compute(types, document, live, migrate=migrate)
        if changes := immutable_changes(live, prediction.after, types):
            raise Invalid(tuple(Cause(render(path), "FieldValueInvalid", m, immutable=True) for path, m in changes))
        exact = prediction.exact and not case.unknown
        return replace(prediction, after=restored(prediction.after, meaning), exact=exact)

    def _replace(self, case: Case, types: TypeTable, causes: tuple[Cause, ...]) -> Preview:
        """Immutable fields differ: delete and create, if the resource allows it."""
        assert case.live is not None
        document, meaning = filled(stand_in(case.desired, case.live), types)
        after = restored(compute(types, document, stand_in(case.live)).after, meaning)
        fields = field_changes(case.live, seal_prediction(after, self.fingerprinter), _keys(case, types))
        evidence = "; ".join(str(cause) for cause in causes)
        preview = Preview(
            Effect.REPLACE,
            fields,
            Verified.SCHEMA,
            case.changed_document,
            drifted=case.applied_last,
            evidence=evidence,
            outputs=names_of(case.desired),
        )
        if case.resource.options.replace_allowed:
            return preview
        remedy = "allow it with hwplan.dev/replace: allow (deletes the object and creates it anew)"
        return replace(preview, blocked=evidence, remedy=remedy)

    def _settled(self, case: Case, prediction: Prediction, types: TypeTable, migrate: bool) -> Preview:
        """What the prediction means: nothing, an update, an adoption, or a field that is not ours to take."""
        assert case.live is not None
        after = seal_prediction(prediction.after, self.fingerprinter)
        fields = field_changes(case.live, after, _keys(case, types), prediction.taken)
        if not fields and not migrate and _same_owners(case.live, after):
            return nothing(case)
        if not case.ours and (refused := not_adoptable(case, prediction.taken)):
            return replace(blocked(case.effect, refused), fields=fields)
        applied_last = case.applied_last and not all(_is_rotated(change) for change in fields)
        declared = tuple(
            Drift(case.resource.address, reversed_change(change), declared=True)
            for change in fields
            if case.ours and (change.manager or (applied_last and not _is_rotated(change)))
        )
        forced = tuple(item.path for item in prediction.taken)
        return Preview(
            Effect.UPDATE,
            fields,
            prediction.verified,
            case.changed_document,
            expectation(prediction.after, case.desired) if prediction.exact else "",
            forced,
            migrate,
            case.ours and applied_last,
            (*declared, *foreign_drift(case, forced)),
            outputs=lasting(case.live),
        )

    # --- what is known of the plan ---------------------------------------------------------------------------------

    def _types(self, case: Case) -> TypeTable:
        return self.schemas.table(case.spot.kind)

    def _is_moving(self, case: Case) -> bool:
        return (group_of(case.spot.kind.api_version), case.spot.kind.kind) in self.horizon.moving

    def _is_served(self, case: Case) -> bool:
        return self.cluster.kind(case.spot.kind.api_version, case.spot.kind.kind) is not None


def _created(case: Case, verified: Verified, expects: str) -> Preview:
    fields, outputs = created_fields(case.desired), names_of(case.desired)
    return Preview(Effect.CREATE, fields, verified, case.changed_document, expects, outputs=outputs)


def _refuse_invalid(document: JsonObject, types: TypeTable) -> None:
    """Raises Invalid with everything that a schema finds wrong."""
    if problems := check(document, types):
        raise Invalid(tuple(Cause(render(path), "FieldValueInvalid", message) for path, message in problems))


def _keys(case: Case, types: TypeTable) -> ListKeys:
    return list_keys(types, case.spot.kind.api_version, case.spot.kind.kind)


def _is_rotated(change: FieldChange) -> bool:
    """Whether only the value of a secret is another one, and nobody else set the one that lives: its source changed.
    What was applied last does not tell, for no value enters its digest."""
    return change.sensitive and change.op is FieldOp.CHANGE and not change.manager


def _same_owners(live: JsonObject, after: JsonObject) -> bool:
    return _timeless(live) == _timeless(after)


def _timeless(document: JsonObject) -> list[JsonObject]:
    entries = document["metadata"].get("managedFields") or ()
    plain = [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
    return sorted(plain, key=lambda e: (e.get("manager", ""), e.get("operation", ""), e.get("subresource", "")))
