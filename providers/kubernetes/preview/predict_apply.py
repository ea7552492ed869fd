"""What an apply would make of an object: asked of the server by a dry run, or computed by the local merge.

A dry run is sent with the uid and resourceVersion that were read, and forced: what it takes from other managers is
then read off the ownership before and after, so that one request says every conflict, and nothing is written.
Secrets that exist are predicted locally, because a truthful dry run would have to send their values.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.dataclass import dataclass
from planner.field_path import FieldPath
from planner.plan import VerifiedBy
from planner.values import Json, JsonObject, JsonValue, OutputRef, OutputTemplate, document_digest, outputs_in_document
from providers.cluster_interface import FIELD_MANAGER, Cluster
from providers.kubernetes.field_ownership_migration import FieldOwnershipMoves, object_with_migrated_ownership
from providers.kubernetes.object_location import ObjectLocation
from providers.kubernetes.preview.field_takeover import TakenField, has_same_value, taken_fields
from providers.kubernetes.secret_values_as_fingerprints import (
    is_secret,
    mask_unknown_secret_values,
    secret_stand_ins_as_text,
    secret_stand_ins_for_dry_run,
    with_secret_stand_ins,
)
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.ownership import fields_applied_by, project_fields
from providers.kubernetes.ssa.validate_object import object_validation_errors

# What a write leaves alone: names, and what the server counts.
_SERVER_METADATA = ("uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "managedFields")
_DELETION = ("deletionTimestamp", "deletionGracePeriodSeconds")
_NOT_WRITTEN = frozenset(
    ("apiVersion", "kind", "metadata", "status", "name", "namespace", *_SERVER_METADATA, *_DELETION)
)
CREATE_ONLY = "1"  # a resourceVersion that no object has: the apply then only creates
NO_MOVES = FieldOwnershipMoves()
_NO_TIME = "1970-01-01T00:00:00Z"  # times of a prediction are never compared


@dataclass(frozen=True, slots=True)
class ApplyPrediction:
    """The object as it would be, with stand-ins in Secrets. `taken` are fields that others own with other values.

    `exact` says whether the object after the write may be held to it.
    """

    after: JsonObject
    taken: tuple[TakenField, ...] = ()
    verified: VerifiedBy = VerifiedBy.SCHEMA
    exact: bool = True
    unsure: tuple[str, ...] = ()


def dry_run_apply(
    cluster: Cluster, location: ObjectLocation, desired: JsonObject, live: JsonObject | None
) -> ApplyPrediction:
    """The dry run of an apply of `desired` (stand-ins, all outputs known). Raises ProviderError as the apply would."""
    metadata = desired["metadata"]
    if live is None:
        metadata = {**metadata, "resourceVersion": CREATE_ONLY}
    else:
        have = live["metadata"]
        metadata = {**metadata, "uid": have["uid"], "resourceVersion": have["resourceVersion"]}
    body = {**desired, "metadata": metadata}
    answer = cluster.apply(location.kind, secret_stand_ins_for_cluster(cluster, body), force=True, dry_run=True)
    if is_secret(desired) and desired.get("data"):
        # Its values are not looked at: what was sent is what will be stored. An empty map is stored as none.
        answer = {**answer, "data": desired["data"]}
    verified = VerifiedBy.SCHEMA if cluster.simulated else VerifiedBy.SERVER
    return ApplyPrediction(answer, taken_fields(live, answer) if live else (), verified)


def dry_run_resulting_object(
    cluster: Cluster, location: ObjectLocation, live: JsonObject, after: JsonObject
) -> JsonObject:
    """The server's answer to a dry run of a write that leaves exactly `after`, on the version of `live`.

    Only the outcome of several steps can be asked about that way, not the steps. Raises ProviderError as a write would.
    """
    steps: list[JsonObject] = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}
    ]
    for path, before, wanted in (("", live, after), ("/metadata", live["metadata"], after["metadata"])):
        names = (before.keys() | wanted.keys()) - _NOT_WRITTEN
        for name in sorted(names):
            step: JsonObject = {"path": f"{path}/{name}"}
            if name in wanted:
                steps.append({**step, "op": "add", "value": wanted[name]})
            elif name in before:
                steps.append({**step, "op": "remove"})
    return cluster.patch(*location, steps, dry_run=True)


def secret_stand_ins_for_cluster(cluster: Cluster, document: JsonObject) -> JsonObject:
    """A document with its stand-ins for secret values in the form that this cluster takes in a dry run."""
    return secret_stand_ins_as_text(document) if cluster.simulated else secret_stand_ins_for_dry_run(document)


def predict_locally(
    types: MergeTypeTable, desired: JsonObject, live: JsonObject | None, moves: FieldOwnershipMoves = NO_MOVES
) -> ApplyPrediction:
    """The local merge, after `moves` of ownership. Raises PermanentError where the server would refuse the
    document's shape."""
    base = object_with_migrated_ownership(live, moves) if live and moves else live
    merged = merge.merge_server_side_apply(base, desired, manager=FIELD_MANAGER, types=types, now=_NO_TIME)
    conflicts, ours = (merged.conflicts if base else ()), fields_applied_by(merged.object, FIELD_MANAGER)
    taken = tuple(
        TakenField(c.path, c.manager, c.time, has_same_value(base or {}, merged.object, c.path, ours))
        for c in conflicts
    )
    builtin = not types.is_custom(str(desired["apiVersion"]), str(desired["kind"]))
    known = types.knows(str(desired["apiVersion"]), str(desired["kind"]))
    verified = VerifiedBy.SCHEMA if known else VerifiedBy.NO
    return ApplyPrediction(merged.object, taken, verified, builtin and not merged.unsure, merged.unsure)


def digest_of_declared_fields(after: JsonObject, desired: JsonObject) -> str:
    """Digest of the fields that `desired` (sealed) declares, as they stand in `after` (stand-ins).

    Custom kinds are taken without their schema, so that the digest does not depend on which CRD was at hand.
    """
    retained = project_fields(
        mask_unknown_secret_values(after, desired), _plain(_less_filled(desired, after)), MergeTypeTable.builtin()
    )
    return document_digest(retained)


def _less_filled(desired: JsonObject, after: JsonObject) -> JsonObject:
    """Without the empty texts that the server fills: an address is another one in the dry run than in the write."""
    out: JsonObject = {}
    for key, value in desired.items():
        stored = after.get(key)
        if isinstance(value, dict) and isinstance(stored, dict):
            out[key] = _less_filled(value, stored)
        elif value != "" or not stored:
            out[key] = value
    return out


def _plain(desired: JsonObject) -> JsonObject:
    """The document with texts in place of special leaves; only its paths matter."""
    return _filled(with_secret_stand_ins(desired), {})[0]


# --- documents with outputs that are not known yet ------------------------------------------------------------------


def with_placeholders(desired: JsonObject, types: MergeTypeTable) -> tuple[JsonObject, Mapping[Json, Json]]:
    """The document with a placeholder for every Ref and Sub, of the type its schema wants, and what each stands for."""
    as_texts, meaning = _filled(desired, {})
    if not meaning:  # nothing stands for anything, whatever its type
        return as_texts, meaning
    wrong = dict(object_validation_errors(as_texts, types, only_shape=True))
    if not wrong:
        return as_texts, meaning
    return _filled(desired, wrong)


def without_placeholders(document: JsonValue, replaced: Mapping[Json, Json]) -> Json:
    """The references again in place of their placeholders (see with_placeholders), in a document made from it."""
    if isinstance(document, dict):
        return {key: without_placeholders(item, replaced) for key, item in document.items()}
    if isinstance(document, list):
        return [without_placeholders(item, replaced) for item in document]
    return document if isinstance(document, bool) else replaced.get(document, document)


def _filled(document: JsonObject, wrong: Mapping[FieldPath, str]) -> tuple[JsonObject, dict[Json, Json]]:
    """Texts everywhere, but numbers at paths where the schema wants a number. The document itself where it takes no
    output."""
    if not outputs_in_document(document):
        return document, {}
    meaning: dict[Json, Json] = {}
    numbers = {tuple(e for e in path if isinstance(e, str)) for path, text in wrong.items() if "integer" in text}

    def fill(value: JsonValue, path: tuple[str, ...]) -> Json:
        if isinstance(value, dict):
            return {key: fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, path) for item in value]
        if not isinstance(value, (OutputRef, OutputTemplate)):
            return value
        number = len(meaning)
        made: Json = 2_000_000_000 + number if path in numbers else f"known-after-apply-{number}"
        meaning[made] = value
        return made

    return fill(document, ()), meaning
