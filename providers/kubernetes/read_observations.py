"""Reads everything a plan needs in bulk: one LIST for each kind and namespace, never a request for an object.

Owns the difference between absent and unreadable, and what counts as a stray of ours. Changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from functools import partial

from planner.address import Address, group_of_api_version
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.late_text import LateText
from planner.ports import AbsentObject, Fingerprinter, Observation, PresentObject, ReadResult, UnreadableObject
from planner.resource import PROTECT, SCOPE, SET_LABEL, Resource, annotation_that_keeps_object
from planner.values import JsonObject
from providers.cluster_interface import FIELD_MANAGER, Cluster, Keep, KubernetesListScope, Listing, ServedKubernetesKind
from providers.kubernetes.answer_shape import check_managed_fields
from providers.kubernetes.errors import Forbidden, UnrecognizedServerAnswer
from providers.kubernetes.object_content_digest import object_content_digest
from providers.kubernetes.object_location import ObjectLocation, kind_can_be_read, locate_object, served_kind
from providers.kubernetes.object_outputs import object_outputs
from providers.kubernetes.secret_values_as_fingerprints import (
    seal_live_document,
    secret_stand_ins_as_text,
    with_secret_stand_ins,
)

MANY_NAMESPACES = 8  # above it a kind is listed once for the whole cluster


@dataclass(slots=True)
class _Survey:
    """What to list, and for whom."""

    locations: dict[Address, ObjectLocation] = field(default_factory=dict)
    observations: dict[Address, Observation] = field(default_factory=dict)
    wanted: dict[ServedKubernetesKind, set[str]] = field(default_factory=lambda: defaultdict(set))
    places: dict[tuple[str, str, str], str] = field(default_factory=dict)  # group, kind, namespace -> node/lane
    unlisted: list[UnreadableObject] = field(default_factory=list)


def read_cluster_observations(
    cluster: Cluster,
    fingerprinter: Fingerprinter,
    default_namespace: str,
    wanted: Sequence[Resource],
    owned: Collection[str],
    also: Collection[KindInNamespace],
) -> ReadResult:
    """Read the live objects of all wanted resources, and those of ours that nobody wants, as observations (see
    planner.ports.Provider.read)."""
    survey = _Survey()
    for resource in wanted:
        _locate(cluster, survey, resource, default_namespace)
    for place in sorted(also, key=lambda item: (item.node_lane, item.api_version, item.kind, item.namespace)):
        _locate_also(cluster, survey, place)
    listing = _listed(cluster, survey.wanted, _keep(survey, owned))
    found = _index(survey, listing)
    for address, location in survey.locations.items():
        survey.observations[address] = _observe(address, location, found, listing, fingerprinter)
    strays, warnings = _strays(survey, found, owned, {r.owned_by: r.address.node_lane for r in wanted}, fingerprinter)
    return ReadResult(survey.observations, strays, tuple(survey.unlisted), warnings, _other_sets(found.values(), owned))


def _other_sets(found: Iterable[JsonObject], owned: Collection[str]) -> tuple[str, ...]:
    """The sets of objects that we applied, but for the `owned` ones."""
    labelled = ((live, (live["metadata"].get("labels") or {}).get(SET_LABEL)) for live in found)
    return tuple(
        sorted({str(name) for live, name in labelled if name and name not in owned and is_applied_by_our_manager(live)})
    )


def observe_object(address: Address, live: JsonObject, fingerprinter: Fingerprinter) -> PresentObject:
    """The observation of one live object, sealed."""
    sealed = seal_live_document(live, fingerprinter)
    metadata = sealed["metadata"]
    annotations = metadata.get("annotations") or {}
    return PresentObject(
        address,
        uid=str(metadata.get("uid", "")),
        content=LateText(partial(digest_of_sealed_content, sealed, fingerprinter)),  # of what a plan touches
        value=sealed,
        owned_by=(metadata.get("labels") or {}).get(SET_LABEL, ""),
        scope=annotations.get(SCOPE, ""),
        protected=annotations.get(PROTECT) == "true",
        orphan_on_delete=annotation_that_keeps_object(annotations),
        outputs=object_outputs(sealed),
    )


def digest_of_sealed_content(sealed: JsonObject, fingerprinter: Fingerprinter) -> str:
    """The content digest of a sealed object, the same for a live one and for its snapshot."""
    return object_content_digest(secret_stand_ins_as_text(with_secret_stand_ins(sealed)), fingerprinter)


def _locate(cluster: Cluster, survey: _Survey, resource: Resource, default_namespace: str) -> None:
    address = resource.address
    try:
        kind = cluster.kind(resource.api_version, address.kind)
    except ProviderError as error:
        survey.observations[address] = UnreadableObject(address, error.message)
        return
    if kind is None or not kind_can_be_read(kind):
        survey.observations[address] = AbsentObject(address)
        return
    location = locate_object(kind, address, default_namespace)
    survey.locations[address] = location
    survey.wanted[kind].add(location.namespace)
    survey.places.setdefault((address.group, address.kind, location.namespace), address.node_lane)


def _locate_also(cluster: Cluster, survey: _Survey, place: KindInNamespace) -> None:
    group = group_of_api_version(place.api_version)
    try:
        kind = served_kind(cluster, place.api_version, place.kind)
    except ProviderError as error:
        address = Address(place.node_lane, place.kind, group, place.namespace, "*")
        survey.unlisted.append(UnreadableObject(address, error.message))
        return
    if kind is None or any(_same(kind, other, place.namespace, survey) for other in survey.wanted):
        return  # not served any more: then none of its objects are there either; or listed at another version
    survey.wanted[kind].add(place.namespace if kind.namespaced else "")
    survey.places.setdefault((group, place.kind, place.namespace if kind.namespaced else ""), place.node_lane)


def _same(kind: ServedKubernetesKind, other: ServedKubernetesKind, namespace: str, survey: _Survey) -> bool:
    alike = other.kind == kind.kind and group_of_api_version(other.api_version) == group_of_api_version(
        kind.api_version
    )
    return alike and (namespace if kind.namespaced else "") in survey.wanted[other]


def _keep(survey: _Survey, owned: Collection[str]) -> Keep:
    """Whether an object may be wanted or a stray: those of others, however many, are not remembered."""
    names = {location.name for location in survey.locations.values()}

    def keep(item: JsonObject) -> bool:
        metadata = item["metadata"]
        return metadata["name"] in names or (metadata.get("labels") or {}).get(SET_LABEL) in owned

    return keep


def _listed(cluster: Cluster, wanted: Mapping[ServedKubernetesKind, set[str]], keep: Keep) -> Listing:
    """Every wanted place with its objects or its error. A place covered by a cluster-wide list shares its answer."""
    wide = {kind for kind, namespaces in wanted.items() if len(namespaces) > MANY_NAMESPACES}
    places = [KubernetesListScope(kind, "") for kind in wide]
    places += [
        KubernetesListScope(kind, namespace)
        for kind, names in wanted.items()
        if kind not in wide
        for namespace in names
    ]
    answers = dict(cluster.list(sorted(places), keep))
    refused = [kind for kind in wide if isinstance(answers[KubernetesListScope(kind, "")], Forbidden)]
    retried = [KubernetesListScope(kind, namespace) for kind in refused for namespace in wanted[kind]]
    if retried:  # rights may be given namespace by namespace
        answers |= cluster.list(sorted(retried), keep)
    for kind in wide.difference(refused):
        answers |= _shared_out(kind, answers[KubernetesListScope(kind, "")], wanted[kind])
    return answers


def _shared_out(
    kind: ServedKubernetesKind, whole: tuple[JsonObject, ...] | ProviderError, namespaces: Collection[str]
) -> Mapping[KubernetesListScope, tuple[JsonObject, ...] | ProviderError]:
    """The answer of a cluster-wide list, by namespace; other namespaces are left out."""
    if isinstance(whole, ProviderError):
        return {KubernetesListScope(kind, namespace): whole for namespace in namespaces}
    parts: dict[str, list[JsonObject]] = {namespace: [] for namespace in namespaces}
    for document in whole:
        if (part := parts.get(document["metadata"].get("namespace", ""))) is not None:
            part.append(document)
    return {KubernetesListScope(kind, namespace): tuple(part) for namespace, part in parts.items()}


def _index(survey: _Survey, listing: Listing) -> dict[ObjectLocation, JsonObject]:
    """All listed objects by where they stand; places that could not be listed are noted."""
    found: dict[ObjectLocation, JsonObject] = {}
    for kind in sorted(survey.wanted):
        for namespace in sorted(survey.wanted[kind]):
            answer = listing[KubernetesListScope(kind, namespace)]
            if isinstance(answer, ProviderError):
                group = group_of_api_version(kind.api_version)
                lane = survey.places.get((group, kind.kind, namespace), "")
                address = Address(lane, kind.kind, group, namespace, "*")
                survey.unlisted.append(UnreadableObject(address, answer.message))
                continue
            for document in answer:
                where = namespace or document["metadata"].get("namespace", "")  # a list of all namespaces
                found[ObjectLocation(kind, where, document["metadata"]["name"])] = document
    return found


def _observe(
    address: Address,
    location: ObjectLocation,
    found: Mapping[ObjectLocation, JsonObject],
    listing: Listing,
    fingerprinter: Fingerprinter,
) -> Observation:
    if live := found.get(location):
        try:
            check_managed_fields(live, address.local)
        except UnrecognizedServerAnswer as error:
            return UnreadableObject(address, error.message)
        return observe_object(address, live, fingerprinter)
    answer = listing[KubernetesListScope(location.kind, location.namespace)]
    return UnreadableObject(address, answer.message) if isinstance(answer, ProviderError) else AbsentObject(address)


def _strays(
    survey: _Survey,
    found: Mapping[ObjectLocation, JsonObject],
    owned: Collection[str],
    lanes: Mapping[str, str],
    fingerprinter: Fingerprinter,
) -> tuple[tuple[PresentObject, ...], tuple[str, ...]]:
    """Objects of the owned sets that nobody wants: applied by us, not on their way out, and nobody else's children."""
    known = set(survey.locations.values())
    strays: list[PresentObject] = []
    warnings: list[str] = []
    for location, live in found.items():
        metadata = live["metadata"]
        label = (metadata.get("labels") or {}).get(SET_LABEL)
        if label is None or label not in owned or location in known or not _is_loose(metadata):
            continue
        group = group_of_api_version(location.kind.api_version)
        lane = lanes.get(label) or survey.places.get((group, location.kind.kind, location.namespace), "")
        address = Address(lane, location.kind.kind, group, location.namespace, location.name)
        if is_applied_by_our_manager(live):
            strays.append(observe_object(address, live, fingerprinter))
        else:  # a copy of one of our objects, or labels that a controller passed on
            warnings.append(f"{address} carries our label but was not applied by hwplan: left alone")
    return tuple(sorted(strays, key=lambda stray: stray.address)), tuple(sorted(warnings))


def _is_loose(metadata: JsonObject) -> bool:
    owners: Iterable[JsonObject] = metadata.get("ownerReferences") or ()
    return not metadata.get("deletionTimestamp") and not any(owner.get("controller") for owner in owners)


def is_applied_by_our_manager(live: JsonObject) -> bool:
    """Whether our field manager has applied the object: a label alone can be copied."""
    entries: Iterable[JsonObject] = live["metadata"].get("managedFields") or ()
    return any(entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" for entry in entries)
