"""Objects that a run of this state wrote and that no longer say that they are ours: they stay, with a remark.

The label of the set decides what is pruned and destroyed (a plan needs no state, docs/adr/0010). Where somebody took it
away, nothing but the record remembers the object.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.address import Address, is_hwplan_kind
from planner.app.session import Session
from planner.applied_state import AppliedRecord
from planner.errors import ProviderError
from planner.resource import SET_LABEL
from planner.values import JsonObject
from providers.cluster_interface import Cluster, KubernetesListScope
from providers.kubernetes.object_location import ObjectLocation, locate_object, served_kind


def unlabelled_objects(session: Session, records: Mapping[Address, AppliedRecord]) -> Mapping[Address, str]:
    """Why each object of `records` stays that lives and does not carry the label of its set. One LIST per kind and
    namespace of the records; what cannot be read is left out."""
    cluster, namespace = session.world.cluster, session.request.namespace or "default"
    spots = {
        address: spot
        for address, record in records.items()
        if not is_hwplan_kind(record.api_version) and (spot := _spot(cluster, record, namespace))
    }
    places = sorted({KubernetesListScope(spot.kind, spot.namespace) for spot in spots.values()})
    names = {spot.name for spot in spots.values()}
    found: dict[ObjectLocation, JsonObject] = {}
    for place, answer in cluster.list(places, lambda one: one["metadata"]["name"] in names).items():
        if not isinstance(answer, ProviderError):
            found |= {ObjectLocation(place.kind, place.namespace, one["metadata"]["name"]): one for one in answer}
    return {
        address: reason
        for address, spot in spots.items()
        if spot in found and (reason := _why_it_stays(found[spot], records[address]))
    }


def _spot(cluster: Cluster, record: AppliedRecord, namespace: str) -> ObjectLocation | None:
    try:
        kind = served_kind(cluster, record.api_version, record.address.kind)
    except ProviderError:
        return None
    return locate_object(kind, record.address, namespace) if kind else None


def _why_it_stays(live: JsonObject, record: AppliedRecord) -> str:
    """Empty where it is another object of the name, or says that it is ours."""
    metadata = live["metadata"]
    owner = (metadata.get("labels") or {}).get(SET_LABEL)
    if metadata.get("uid") != record.uid or metadata.get("deletionTimestamp") or owner == record.owned_by:
        return ""
    lost = f"its label {SET_LABEL} says {owner}" if owner else f"somebody took its label {SET_LABEL} away"
    return (
        f"it stays: run {record.run} wrote it, but it no longer says that it is ours ({lost}); to have it taken away, "
        f"set {SET_LABEL}={record.owned_by} again; to end this remark, hwplan state rm {record.address}"
    )
