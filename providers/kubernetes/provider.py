"""The Kubernetes provider: reads, previews and writes objects of one cluster, live or saved.

Holds nothing between calls but its connections and what the last read found to be on its way. The work is in reading,
previewing and writing; this module is the port.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from planner.address import Address
from planner.errors import ProviderError, TemporaryError
from planner.plan import Action, Change, ClusterIdentity
from planner.ports import (
    Fingerprinter,
    Observation,
    Preview,
    Readiness,
    ReadResult,
    SecretSource,
    Written,
)
from planner.resource import Resource
from planner.snapshot import KindPlace
from planner.values import JsonObject, Vault
from providers.kubernetes import reading
from providers.kubernetes.cluster import Cluster, Place
from providers.kubernetes.horizon import Horizon
from providers.kubernetes.outputs import outputs_of
from providers.kubernetes.placing import Spot, served, spot_of
from providers.kubernetes.previewing import Previewer
from providers.kubernetes.readiness import gone, readiness
from providers.kubernetes.sealing import seal
from providers.secrets import look_up

if TYPE_CHECKING:
    from providers.kubernetes import writing


class KubernetesProvider:
    """`planner.ports.ClusterProvider` on top of any `Cluster`. Methods may be called from many threads at once.

    `secrets` reads values that the vault of an apply does not hold; without it only vault and generated values can be
    written. `default_namespace` is meant by addresses of namespaced kinds without one. Without `dry_creates` new
    objects are checked by schema only.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        fingerprinter: Fingerprinter,
        secrets: SecretSource | None = None,
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
        self._horizon = Horizon()

    def identity(self) -> ClusterIdentity:
        """Which cluster this is."""
        return self._cluster.identity()

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindPlace]) -> ReadResult:
        """One LIST per kind and namespace; see planner.ports.Provider."""
        cluster, fingerprinter = self._cluster, self._fingerprinter
        result = reading.read(cluster, fingerprinter, self._default_namespace, wanted, owned, also)
        horizon = Horizon()
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
        from providers.kubernetes import writing

        return writing.apply(self._desk(vault), change)

    def delete(self, change: Change) -> Written:
        """See planner.ports.Provider."""
        from providers.kubernetes import writing

        return writing.delete(self._desk({}), change)

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """One LIST per kind and namespace for all of them; outputs come with what is ready."""
        spots: dict[Address, Spot] = {}
        out: dict[Address, Readiness] = {}
        for change in changes:
            try:
                kind = served(self._cluster, change.api_version, change.address.kind)
            except ProviderError as refusal:
                out[change.address] = _unseen(refusal)
                continue
            if kind is not None:
                spots[change.address] = spot_of(kind, change.address, self._default_namespace)
        listing = self._cluster.list(sorted({Place(spot.kind, spot.namespace) for spot in spots.values()}))
        errors = {place: answer for place, answer in listing.items() if isinstance(answer, ProviderError)}
        found = {
            Spot(place.kind, place.namespace, live["metadata"]["name"]): live
            for place, answer in listing.items()
            if not isinstance(answer, ProviderError)
            for live in answer
        }
        for change in changes:
            spot = spots.get(change.address)
            if change.address in out:
                continue
            if spot and (error := errors.get(Place(spot.kind, spot.namespace))):
                out[change.address] = _unseen(error)
            else:
                out[change.address] = self._ready(change, found.get(spot) if spot else None)
        return out

    def _ready(self, change: Change, live: JsonObject | None) -> Readiness:
        if change.action is Action.DELETE:
            return gone(live, uid=change.precondition.uid)
        sealed = None if live is None else seal(live, self._fingerprinter)
        state = readiness(sealed, waits=change.wait != "none")
        if sealed is None or not state.done:
            return state
        return Readiness(state.done, state.ok, state.message, {**outputs_of(sealed), **state.outputs})

    def _desk(self, vault: Vault) -> writing.Desk:
        from providers.kubernetes import writing

        values = look_up(vault, self._secrets)
        return writing.Desk(self._cluster, self._fingerprinter, self._default_namespace, values, self._sleep)


def _unseen(error: ProviderError) -> Readiness:
    """Readiness of what could not be looked at: another look may help only if the error is temporary."""
    return Readiness(done=not isinstance(error, TemporaryError), ok=False, message=error.message)
