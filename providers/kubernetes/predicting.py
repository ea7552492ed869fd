"""What an apply would make of an object: asked of the server by a dry run, or computed by the local merge.

A dry run is sent with the uid and resourceVersion that were read, and forced: what it takes from other managers is
then read off the ownership before and after, so that one request tells every conflict, and nothing is written.
Secrets that exist are predicted locally, because a truthful dry run would have to send their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.path import FieldPath
from planner.plan import Verified
from planner.values import Json, JsonObject, Ref, Sub, digest
from providers.kubernetes.cluster import FIELD_MANAGER, Cluster
from providers.kubernetes.comparing import Taken, taken_fields
from providers.kubernetes.migrating import migrated
from providers.kubernetes.placing import Spot
from providers.kubernetes.sealing import as_text, for_dry_run, is_secret, stand_in, without_unknown
from providers.kubernetes.ssa import merge
from providers.kubernetes.ssa.ownership import project
from providers.kubernetes.ssa.schema import TypeTable
from providers.kubernetes.ssa.validate import check

CREATE_ONLY = "1"  # a resourceVersion that no object has: the apply then only creates
_NO_TIME = "1970-01-01T00:00:00Z"  # times of a prediction are never compared


@dataclass(frozen=True, slots=True)
class Prediction:
    """The object as it would be, with stand-ins in Secrets. `taken` are fields that others own with other values.

    `exact` tells whether the object after the write may be held to it.
    """

    after: JsonObject
    taken: tuple[Taken, ...] = ()
    verified: Verified = Verified.SCHEMA
    exact: bool = True
    unsure: tuple[str, ...] = ()


def ask(cluster: Cluster, spot: Spot, desired: JsonObject, live: JsonObject | None) -> Prediction:
    """The dry run of an apply of `desired` (stand-ins, all outputs known). Raises ProviderError as the apply would."""
    metadata = desired["metadata"]
    if live is None:
        metadata = {**metadata, "resourceVersion": CREATE_ONLY}
    else:
        have = live["metadata"]
        metadata = {**metadata, "uid": have["uid"], "resourceVersion": have["resourceVersion"]}
    body = {**desired, "metadata": metadata}
    answer = cluster.apply(spot.kind, as_sent(cluster, body), force=True, dry_run=True)
    if is_secret(desired):  # its values are nobody's business: what was sent is what will stand there
        answer = {**answer, "data": desired.get("data") or {}}
    verified = Verified.SCHEMA if cluster.simulated else Verified.SERVER
    return Prediction(answer, taken_fields(live, answer) if live else (), verified)


def as_sent(cluster: Cluster, standing_in: JsonObject) -> JsonObject:
    """Stand-ins in the form that this cluster takes."""
    return as_text(standing_in) if cluster.simulated else for_dry_run(standing_in)


def compute(types: TypeTable, desired: JsonObject, live: JsonObject | None, *, migrate: bool = False) -> Prediction:
    """The local merge. Raises PermanentError where the server would refuse the document's shape."""
    base = migrated(live) if live and migrate else live
    merged = merge.apply(base, desired, manager=FIELD_MANAGER, types=types, now=_NO_TIME)
    taken = tuple(Taken(c.path, c.manager, c.time) for c in merged.conflicts)
    builtin = not types.is_custom(str(desired["apiVersion"]), str(desired["kind"]))
    known = types.knows(str(desired["apiVersion"]), str(desired["kind"]))
    verified = Verified.SCHEMA if known else Verified.NO
    return Prediction(merged.object, taken, verified, builtin and not merged.unsure, merged.unsure)


def expectation(after: JsonObject, desired: JsonObject) -> str:
    """Digest of the fields that `desired` (sealed) declares, as they stand in `after` (stand-ins).

    Custom kinds are taken without their schema, so that the digest does not depend on which CRD was at hand.
    """
    kept = project(without_unknown(after, desired), _plain(desired), TypeTable.builtin())
    return digest(kept)


def _plain(desired: JsonObject) -> JsonObject:
    """The document with texts in place of special leaves; only its paths matter."""
    return _filled(stand_in(desired), {})[0]


# --- documents with outputs that are not known yet ------------------------------------------------------------------


def filled(desired: JsonObject, types: TypeTable) -> tuple[JsonObject, Mapping[Json, Json]]:
    """The document with a placeholder for every Ref and Sub, of the type its schema wants, and what each stands for."""
    as_texts, meaning = _filled(desired, {})
    wrong = dict(check(as_texts, types, only_shape=True))
    if not wrong:
        return as_texts, meaning
    return _filled(desired, wrong)


def restored(document: Json, meaning: Mapping[Json, Json]) -> Json:
    """The reverse of `filled` in a document made from it."""
    if isinstance(document, dict):
        return {key: restored(item, meaning) for key, item in document.items()}
    if isinstance(document, list):
        return [restored(item, meaning) for item in document]
    return document if isinstance(document, bool) else meaning.get(document, document)


def _filled(document: JsonObject, wrong: Mapping[FieldPath, str]) -> tuple[JsonObject, dict[Json, Json]]:
    """Texts everywhere, but numbers at paths where the schema wants a number."""
    meaning: dict[Json, Json] = {}
    numbers = {tuple(e for e in path if isinstance(e, str)) for path, text in wrong.items() if "integer" in text}

    def fill(value: Json, path: tuple[str, ...]) -> Json:
        if isinstance(value, dict):
            return {key: fill(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, path) for item in value]
        if not isinstance(value, (Ref, Sub)):
            return value
        number = len(meaning)
        made: Json = 2_000_000_000 + number if path in numbers else f"known-after-apply-{number}"
        meaning[made] = value
        return made

    return fill(document, ()), meaning
