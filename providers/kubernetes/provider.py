"""The Kubernetes provider: reads, previews and writes objects of one cluster, live or saved.

Holds nothing between calls but its connections, what the last read found to be on its way, and how Jobs that delete
themselves were seen last. The work is in reading, previewing and writing; this module is the port.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.errors import ProviderError, TemporaryError
from planner.plan import Action, Change, ClusterIdentity
from planner.ports import (
    Fingerprinter,
    Observation,
    Preview,
    Readiness,
    ReadResult,
    SecretValueReader,
    Written,
)
from planner.resource import Resource
from planner.values import JsonObject, Vault
from providers.cluster_interface import Cluster, KubernetesListScope
from providers.kubernetes import read_observations
from providers.kubernetes.object_location import ObjectLocation, locate_object, served_kind
from providers.kubernetes.object_outputs import object_outputs
from providers.kubernetes.preview.planned_prerequisites import PlannedPrerequisites
from providers.kubernetes.preview.previewer import Previewer
from providers.kubernetes.readiness import deletion_readiness, job_deletes_itself_when_ended, object_readiness
from providers.kubernetes.secret_values_as_fingerprints import seal_live_document
from providers.kubernetes.self_deleting_jobs import LastSeenSelfDeletingJobs
from providers.secret_value_lookup import create_secret_lookup

if TYPE_CHECKING:
    from providers.kubernetes import write_objects


class KubernetesProvider:
    """`planner.ports.ClusterProvider` on top of any `Cluster`. Methods may be called from many threads at once.

    `secrets` reads values that the vault of an apply does not hold; without it only vault and generated values can be
    written. `default_namespace` is meant by addresses of namespaced kinds without one. Without `dry_creates` the
    server is asked about a sample where new objects are many.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        fingerprinter: Fingerprinter,
        secrets: SecretValueReader | None = None,
        default_namespace: str = "default",
        parallelism: int = 16,
        dry_creates: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cluster = cluster
        self._fingerprinter = fingerprinter
        self._secrets = secrets
        self._default_namespace = default_namespace
        self._parallelism = parallelism
        self._dry_creates = dry_creates
        self._sleep = sleep
        self._horizon = PlannedPrerequisites()
        self._jobs = LastSeenSelfDeletingJobs()

    def identity(self) -> ClusterIdentity:
        """Which cluster this is."""
        return self._cluster.identity()

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """One LIST per kind and namespace; see planner.ports.Provider."""
        cluster, fingerprinter = self._cluster, self._fingerprinter
        result = read_observations.read_cluster_observations(
            cluster, fingerprinter, self._default_namespace, wanted, owned, also
        )
        horizon = PlannedPrerequisites()
        horizon.look((resource, result.observations[resource.address]) for resource in wanted)
        self._horizon = horizon
        return result

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """No request for what is unchanged, a dry run for the rest; see planner.ports.Provider."""
        return Previewer(
            self._cluster,
            self._fingerprinter,
            self._default_namespace,
            self._parallelism,
            self._horizon,
            self._dry_creates,
        ).preview(items)

    def apply(self, change: Change, vault: Vault) -> Written:
        """See planner.ports.Provider. Raises PreconditionError, PermanentError, TemporaryError or OutcomeUnknown."""
        from providers.kubernetes import write_objects

        written = write_objects.apply_change(self._desk(vault), change)
        self._jobs.written(change.address, change.desired, written.uid)
        return replace(written, vanishes=True) if job_deletes_itself_when_ended(change.desired) else written

    def delete(self, change: Change) -> Written:
        """See planner.ports.Provider."""
        from providers.kubernetes import remove_ownership_marks, write_objects

        context = self._desk({})
        return (
            remove_ownership_marks.remove_ownership_marks(context, change)
            if change.action is Action.FORGET
            else write_objects.delete_object(context, change)
        )

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """One LIST per kind and namespace for all of them; outputs come with what is ready."""
        locations: dict[Address, ObjectLocation] = {}
        out: dict[Address, Readiness] = {}
        for change in changes:
            try:
                kind = served_kind(self._cluster, change.api_version, change.address.kind)
            except ProviderError as refusal:
                out[change.address] = _unseen(refusal)
                continue
            if kind is not None:
                locations[change.address] = locate_object(kind, change.address, self._default_namespace)
        names = {location.name for location in locations.values()}
        places = sorted({KubernetesListScope(location.kind, location.namespace) for location in locations.values()})
        listing = self._cluster.list(places, lambda item: item["metadata"]["name"] in names)
        errors = {place: answer for place, answer in listing.items() if isinstance(answer, ProviderError)}
        found = {
            ObjectLocation(place.kind, place.namespace, live["metadata"]["name"]): live
            for place, answer in listing.items()
            if not isinstance(answer, ProviderError)
            for live in answer
        }
        for change in changes:
            location = locations.get(change.address)
            if change.address in out:
                continue
            if location and (error := errors.get(KubernetesListScope(location.kind, location.namespace))):
                out[change.address] = _unseen(error)
            else:
                out[change.address] = self._ready(change, found.get(location) if location else None, location)
        return out

    def _ready(self, change: Change, live: JsonObject | None, location: ObjectLocation | None) -> Readiness:
        if change.action is Action.FORGET:
            return Readiness(done=True, ok=True)
        if change.action is Action.DELETE:
            return deletion_readiness(live, uid=change.precondition.uid)
        if live is None and location is not None:
            return self._jobs.vanished(change.address, change.desired, self._cluster, location.namespace)
        sealed = None if live is None else seal_live_document(live, self._fingerprinter)
        try:
            state = object_readiness(sealed, waits=change.wait != "none")
        except (AttributeError, TypeError, KeyError, IndexError, ValueError):  # the shape of a status is the server's
            return Readiness(done=False, ok=False, message="the server answered a status that cannot be read")
        if sealed is not None:
            self._jobs.seen(change.address, sealed)
        if sealed is None or not state.done:
            return state
        return Readiness(state.done, state.ok, state.message, {**object_outputs(sealed), **state.outputs})

    def _desk(self, vault: Vault) -> write_objects.WriteContext:
        from providers.kubernetes import write_objects

        values = create_secret_lookup(vault, self._secrets)
        return write_objects.WriteContext(
            self._cluster, self._fingerprinter, self._default_namespace, values, self._sleep
        )


def _unseen(error: ProviderError) -> Readiness:
    """Readiness of what could not be looked at: another look may help only if the error is temporary."""
    return Readiness(done=not isinstance(error, TemporaryError), ok=False, message=error.message)
