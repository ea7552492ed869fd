"""What would happen to a resource that is not known to be unchanged: a prediction, judged by who owns what.

Owns the decisions: when fields may be taken from others, when an object may be adopted, replaced, or is left alone.
Writes nothing. Imported only when there is something to judge: a plan with nothing to do needs none of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from planner.address import group_of_api_version
from planner.dataclass import dataclass
from planner.document_diff import ListKeys
from planner.errors import PermanentError, ProviderError
from planner.field_path import FieldPath, render_path
from planner.plan import DriftedField, FieldChange, FieldOp, VerifiedBy
from planner.ports import Fingerprinter, Preview, PreviewEffect
from planner.values import JsonObject
from providers.cluster_interface import Cluster
from providers.kubernetes.cluster_merge_types import ClusterMergeTypes
from providers.kubernetes.controller_derived_fields import remarks_on_unsent_content
from providers.kubernetes.errors import (
    DECLARE_NAMESPACE,
    Forbidden,
    Invalid,
    InvalidField,
    NamespaceMissing,
    ResourceVersionConflict,
)
from providers.kubernetes.field_ownership_migration import FieldOwnershipMoves
from providers.kubernetes.object_outputs import outputs_before_create, outputs_stable_over_update
from providers.kubernetes.preview.field_changes import (
    field_changes,
    field_changes_of_create,
    field_changes_of_replacement,
    remarks_on_fields_left_to_others,
)
from providers.kubernetes.preview.leftover_server_defaults import predict_as_created
from providers.kubernetes.preview.ownership_transfer import (
    add_remedy_for_field_set_by_others,
    fields_taken_by_ownership_moves,
    ownership_moves_before_apply,
)
from providers.kubernetes.preview.planned_prerequisites import PlannedPrerequisites
from providers.kubernetes.preview.predict_apply import (
    NO_MOVES,
    ApplyPrediction,
    digest_of_declared_fields,
    dry_run_apply,
    dry_run_resulting_object,
    predict_locally,
    with_placeholders,
    without_placeholders,
)
from providers.kubernetes.preview.preview_input import (
    PreviewInput,
    adoption_obstacle,
    make_blocked_preview,
    make_unchanged_preview,
    undeclared_fields_of_others_not_ignored,
)
from providers.kubernetes.preview.values_before_namespace_exists import (
    check_values_before_namespace_exists,
    remarks_on_metadata,
)
from providers.kubernetes.read_observations import digest_of_sealed_content
from providers.kubernetes.secret_values_as_fingerprints import (
    is_secret,
    seal_live_document,
    seal_prediction,
    with_secret_stand_ins,
)
from providers.kubernetes.ssa.immutable_fields import immutable_changes
from providers.kubernetes.ssa.merge_types import MergeTypeTable, list_keys
from providers.kubernetes.ssa.mutually_exclusive_fields import mutually_exclusive_field_errors
from providers.kubernetes.ssa.validate_object import object_validation_errors, unevaluated_cel_rules
from providers.kubernetes.ssa.wide_integers import holds_wide_integer, wide_integer_errors

_RE_READS = 3
UNASKED = "not asked of the server"
_NO_RIGHT = re.compile(r"\bcannot (?:patch|create|update) resource\b")  # the authorizer's words, not an admission's


@dataclass(frozen=True, slots=True)
class ChangePreviewer:
    """Previews the change of one object: predicts the outcome and judges it by who owns what. Safe for many threads."""

    cluster: Cluster
    fingerprinter: Fingerprinter
    horizon: PlannedPrerequisites
    schemas: ClusterMergeTypes
    dry_creates: bool

    def predicted(self, case: PreviewInput) -> Preview:
        """The preview of a case; what the server refuses is blocked, never raised."""
        return self._finished(case, self._judged)

    def predicted_by_schema(self, case: PreviewInput) -> Preview:
        """The preview of a new object without asking the server about it."""
        return self._finished(case, self._create_by_schema)

    def _finished(self, case: PreviewInput, judged: Callable[[PreviewInput], Preview]) -> Preview:
        try:
            preview = judged(case)
        except ProviderError as error:
            preview = make_blocked_preview(case.effect, error)
        open_rules: tuple[str, ...] = ()
        if preview.verified is VerifiedBy.SCHEMA and not preview.blocked:
            open_rules = self._open_rules(case)
            if open_rules or not self._types(case).vouches(case.location.kind.api_version, case.location.kind.kind):
                preview = replace(preview, verified=VerifiedBy.NO)
        heard = self.cluster.drain_warnings(case.resource.address.local)
        reported = (*preview.warnings, *open_rules, *remarks_on_unsent_content(case.resource.manifest), *heard)
        return replace(preview, warnings=reported) if reported else preview

    def _open_rules(self, case: PreviewInput) -> tuple[str, ...]:
        """A remark where rules of the kind's definition could not be evaluated here: only a server can."""
        kind, types = case.location.kind, self._types(case)
        if not types.is_custom(kind.api_version, kind.kind):
            return ()
        found = unevaluated_cel_rules(with_placeholders(with_secret_stand_ins(case.desired), types)[0], types)
        places = ", ".join(dict.fromkeys(render_path(path) or "the object" for path, _ in found))
        return (f"not verified: rules of its definition that only the server evaluates ({places})",) if found else ()

    def _judged(self, case: PreviewInput) -> Preview:
        """Asked where the credentials allow it. Those that may only read get a local prediction, and are reported
        so."""
        if holds_wide_integer(case.desired):
            kind = case.location.kind
            _refuse(wide_integer_errors(self._types(case).type_of(kind.api_version, kind.kind), case.desired))
        try:
            return self._update(case) if case.live else self._create(case)
        except Forbidden as error:
            if not self._is_read_only(error):
                raise
            reported = f"{UNASKED}: {error.message}; predicted locally"
        preview = self._update(case, ask_server=False) if case.live else self._create_by_schema(case)
        return replace(preview, warnings=(reported,)) if preview.effect is not PreviewEffect.NONE else preview

    def _is_read_only(self, error: Forbidden) -> bool:
        """Whether the credentials may not write, and nothing is about to be written with them.

        A quota or a policy that forbids this very object is an answer of the server. A straight apply (which makes no
        dry creates, docs/adr/0011) has to know what it will be refused before it begins.
        """
        return bool(_NO_RIGHT.search(error.message)) and (self.dry_creates or self.cluster.simulated)

    # --- new objects -----------------------------------------------------------------------------------------------

    def _create(self, case: PreviewInput) -> Preview:
        if case.unknown or not self._is_served(case):
            preview, remarks = self._create_by_schema(case), remarks_on_metadata(case.desired)
            return replace(preview, warnings=remarks) if remarks else preview
        if case.location.namespace in self.horizon.namespaces:
            return self._create_in_planned_namespace(case)
        try:
            prediction = dry_run_apply(self.cluster, case.location, with_secret_stand_ins(case.desired), None)
        except Invalid:
            if not self._is_moving(case):
                raise
            return self._create_by_schema(case)  # the live CRD is not the one that it will meet
        except NamespaceMissing as error:
            message = f"{error.message} and is not declared"
            raise NamespaceMissing(message, namespace=error.namespace, remedy=DECLARE_NAMESPACE) from None
        expects = digest_of_declared_fields(prediction.after, case.desired)
        return _created(case, prediction.verified, expects)

    def _create_by_schema(self, case: PreviewInput) -> Preview:
        """A create that no server can be asked about yet."""
        types = self._types(case)
        document, _ = with_placeholders(with_secret_stand_ins(case.desired), types)
        _refuse(object_validation_errors(document, types))
        return _created(case, VerifiedBy.SCHEMA, "")

    def _create_in_planned_namespace(self, case: PreviewInput) -> Preview:
        preview = self._create_by_schema(case)
        remarks = check_values_before_namespace_exists(
            self.cluster, case.location, with_secret_stand_ins(case.desired), self._types(case)
        )
        return replace(preview, warnings=remarks) if remarks else preview

    # --- live objects ----------------------------------------------------------------------------------------------

    def _update(self, case: PreviewInput, *, ask_server: bool = True) -> Preview:
        assert case.live is not None
        live, types = case.live, self._types(case)
        moves = ownership_moves_before_apply(
            case, with_placeholders(with_secret_stand_ins(case.desired, case.live), types)[0], types
        )
        try:
            case, prediction = self._prediction(case, types, moves, ask_server)
        except Invalid as error:
            if not error.immutable:
                raise add_remedy_for_field_set_by_others(error, live) from None
            return self._replace(case, types, error.causes)
        return self._settled(case, prediction, types, moves)

    def _prediction(
        self, case: PreviewInput, types: MergeTypeTable, moves: FieldOwnershipMoves, ask_server: bool
    ) -> tuple[PreviewInput, ApplyPrediction]:
        """Ask where a true answer can be had, compute elsewhere. The case comes back as it was read last."""
        if case.unknown or is_secret(case.desired) or not ask_server:
            return case, self._computed(case, types, moves)
        try:
            case, asked = self._asked(case)
        except Invalid as error:
            if self._is_moving(case):  # the live CRD is not the one that it will meet
                return case, self._computed(case, types, moves)
            if not moves or error.immutable:
                raise
            return case, self._rehearsed(case, types, moves)
        assert case.live is not None
        if not case.live["metadata"].get("managedFields"):  # the server makes an owner up before the first apply
            return case, replace(asked, taken=self._computed(case, types, NO_MOVES).taken)
        if not moves:
            return case, asked
        unmoved = self._computed(case, types, NO_MOVES)
        agrees = not field_changes(unmoved.after, asked.after, _keys(case, types))
        computed = self._computed(case, types, moves)
        return case, replace(computed, verified=asked.verified if agrees else computed.verified)

    def _rehearsed(self, case: PreviewInput, types: MergeTypeTable, moves: FieldOwnershipMoves) -> ApplyPrediction:
        """What the server refuses may go by the moves: it is asked about the outcome of both steps."""
        assert case.live is not None
        computed = self._computed(case, types, moves)
        if self.cluster.simulated:
            return computed
        answer = dry_run_resulting_object(self.cluster, case.location, case.live, computed.after)
        changed = field_changes(computed.after, answer, _keys(case, types))
        same = all(one.op is FieldOp.DISOWN for one in changed)
        return replace(
            computed, verified=VerifiedBy.SERVER if same else computed.verified, exact=computed.exact and same
        )

    def _asked(self, case: PreviewInput) -> tuple[PreviewInput, ApplyPrediction]:
        """The dry run, on the version that was observed: status may have moved, anything else is another plan."""
        for _ in range(_RE_READS):
            try:
                return case, dry_run_apply(self.cluster, case.location, with_secret_stand_ins(case.desired), case.live)
            except ResourceVersionConflict:
                raw = self.cluster.get(*case.location)
                live = None if raw is None else seal_live_document(raw, self.fingerprinter)
                if live is None or digest_of_sealed_content(live, self.fingerprinter) != case.content:
                    break
                case = replace(case, live=live)
        raise PermanentError("it was changed while the plan was made", remedy="plan again")

    def _computed(self, case: PreviewInput, types: MergeTypeTable, moves: FieldOwnershipMoves) -> ApplyPrediction:
        assert case.live is not None
        document, meaning = with_placeholders(with_secret_stand_ins(case.desired, case.live), types)
        _refuse(object_validation_errors(document, types))
        live = with_secret_stand_ins(case.live)
        prediction = predict_locally(types, document, live, moves)
        if changes := immutable_changes(live, prediction.after, types):
            raise Invalid(
                tuple(InvalidField(render_path(path), "FieldValueInvalid", m, immutable=True) for path, m in changes)
            )
        if found := mutually_exclusive_field_errors(prediction.after):
            raise Invalid(tuple(InvalidField(render_path(path), "FieldValueForbidden", words) for path, words in found))
        exact = prediction.exact and not case.unknown
        return replace(prediction, after=without_placeholders(prediction.after, meaning), exact=exact)

    def _replace(self, case: PreviewInput, types: MergeTypeTable, causes: tuple[InvalidField, ...]) -> Preview:
        """Immutable fields differ: delete and create, if the resource allows it."""
        assert case.live is not None
        document, meaning = with_placeholders(with_secret_stand_ins(case.desired, case.live), types)
        # The new object has nothing of the old one: neither what the server gave that one nor what others put there.
        anew = predict_as_created(document, types) or predict_locally(types, document, None).after
        after = seal_prediction(without_placeholders(anew, meaning), self.fingerprinter)
        fields = field_changes_of_replacement(case.live, after, _keys(case, types))
        evidence = "; ".join(str(cause) for cause in causes)
        preview = Preview(
            PreviewEffect.REPLACE,
            fields,
            VerifiedBy.SCHEMA,
            case.changed_document,
            drifted=case.applied_last,
            evidence=evidence,
            outputs=outputs_before_create(case.desired),
        )
        if case.resource.options.replace_allowed:
            return preview
        remedy = "allow it with hwplan.dev/replace: allow (deletes the object and creates it anew)"
        return replace(preview, blocked=evidence, remedy=remedy)

    def _settled(
        self, case: PreviewInput, prediction: ApplyPrediction, types: MergeTypeTable, moves: FieldOwnershipMoves
    ) -> Preview:
        """What the prediction means: nothing, an update, an adoption, or a field that is not ours to take."""
        assert case.live is not None
        after = seal_prediction(prediction.after, self.fingerprinter)
        credited = (*prediction.taken, *fields_taken_by_ownership_moves(case.live, moves))
        document = with_placeholders(with_secret_stand_ins(case.desired, case.live), types)[0]
        fields = field_changes(
            case.live, after, _keys(case, types), credited, lambda: predict_as_created(document, types)
        )
        if not fields and not moves and _same_owners(case.live, after):
            return make_unchanged_preview(case, lambda: types)
        if not case.ours and (refused := adoption_obstacle(case, prediction.taken)):
            return replace(make_blocked_preview(case.effect, refused), fields=fields)
        applied_last = case.applied_last and not all(_is_rotated(change) for change in fields)
        declared = tuple(
            DriftedField(case.resource.address, change.reversed(), declared=True)
            for change in fields
            if case.ours and (change.manager or (applied_last and not _is_rotated(change)))
        )
        forced = tuple(item.path for item in prediction.taken)
        return Preview(
            PreviewEffect.UPDATE,
            fields,
            prediction.verified,
            case.changed_document,
            digest_of_declared_fields(prediction.after, case.desired) if prediction.exact else "",
            forced,
            moves.client_side,
            tuple(sorted(moves.managers)),
            moves.fields,
            case.ours and applied_last and bool(fields),
            (
                *declared,
                *undeclared_fields_of_others_not_ignored(
                    case, lambda: types, (*forced, *(change.path for change in fields))
                ),
            ),
            outputs=outputs_stable_over_update(case.live),
            warnings=remarks_on_fields_left_to_others(fields),
        )

    # --- what is known of the plan ---------------------------------------------------------------------------------

    def _types(self, case: PreviewInput) -> MergeTypeTable:
        return self.schemas.table(case.location.kind)

    def _is_moving(self, case: PreviewInput) -> bool:
        return (group_of_api_version(case.location.kind.api_version), case.location.kind.kind) in self.horizon.moving

    def _is_served(self, case: PreviewInput) -> bool:
        return self.cluster.kind(case.location.kind.api_version, case.location.kind.kind) is not None


def _created(case: PreviewInput, verified: VerifiedBy, expects: str) -> Preview:
    fields, outputs = field_changes_of_create(case.desired), outputs_before_create(case.desired)
    return Preview(PreviewEffect.CREATE, fields, verified, case.changed_document, expects, outputs=outputs)


def _refuse(problems: Iterable[tuple[FieldPath, str]]) -> None:
    """Raises Invalid with all of them; nothing where there is none."""
    if causes := tuple(InvalidField(render_path(path), "FieldValueInvalid", words) for path, words in problems):
        raise Invalid(causes)


def _keys(case: PreviewInput, types: MergeTypeTable) -> ListKeys:
    return list_keys(types, case.location.kind.api_version, case.location.kind.kind)


def _is_rotated(change: FieldChange) -> bool:
    """Whether only the value of a secret is another one, and nobody else set the one that lives: its source changed.
    What was applied last does not say, for no value enters its digest."""
    return change.sensitive and change.op is FieldOp.CHANGE and not change.manager


def _same_owners(live: JsonObject, after: JsonObject) -> bool:
    return _timeless(live) == _timeless(after)


def _timeless(document: JsonObject) -> list[JsonObject]:
    entries = document["metadata"].get("managedFields") or ()
    plain = [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
    return sorted(plain, key=lambda e: (e.get("manager", ""), e.get("operation", ""), e.get("subresource", "")))
