"""The provider of Restart: replaces the pods of a workload once for each content of what it follows.

Writes nothing but its mark (restart_mark.py), and only where that is due (restart_due.py). When a rollout is over is
decided by providers.kubernetes.readiness.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PreconditionError, ProviderError, TemporaryError
from planner.plan import Change
from planner.ports import (
    Fingerprinter,
    NeverDeletes,
    Observation,
    PresentObject,
    Preview,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import Json, JsonObject, JsonValue, OutputRef, OutputTemplate, Vault
from providers.cluster_interface import Cluster
from providers.kubernetes.errors import ResourceVersionConflict
from providers.kubernetes.object_location import served_kind_of_address
from providers.kubernetes.operations import restart_due, restart_mark
from providers.kubernetes.operations.read_objects import Seen, read_object, read_objects
from providers.kubernetes.operations.restart_spec import (
    address_of_restarted_workload,
    followed_objects_of_restart_spec,
    objects_deciding_restart,
    parse_followed_object,
)
from providers.kubernetes.readiness import object_readiness
from providers.provider_tools import ProviderTools

_TRIES = 10  # a rollout that is under way moves the version between read and write


def create_restart_provider(tools: ProviderTools) -> RestartProvider:
    """Creates the provider of Restart for one run of a hwplan command."""
    return RestartProvider(tools.api, tools.fingerprinter)


@dataclass(frozen=True, slots=True)
class RestartProvider(NeverDeletes):
    """Restarts workloads when what they follow changed (planner.ports.Provider)."""

    cluster: Cluster
    fingerprinter: Fingerprinter

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. A PresentObject is the workload with its record, or that there is none; one LIST for each kind
        and namespace in question."""
        seen = read_objects(
            self.cluster, {address for one in wanted for address in objects_deciding_restart(one.manifest["spec"])}
        )
        return ReadResult({one.address: self._observe(one, seen) for one in wanted})

    def _observe(self, resource: Resource, seen: Mapping[Address, Seen]) -> Observation:
        spec = resource.manifest["spec"]
        for address in objects_deciding_restart(spec):
            if isinstance(error := seen[address], ProviderError):
                return UnreadableObject(resource.address, f"{address.local}: {error.message}")
        live = _there(seen[address_of_restarted_workload(spec)])
        missing = tuple(address for address in objects_deciding_restart(spec) if seen[address] is None)
        value: JsonObject = {"live": live, "missing": missing, "token": self._token(spec, seen)}
        if live is None:
            return PresentObject(resource.address, "", restart_due.version_token_of_restart(None), value)
        record = restart_mark.read_restart_mark(live, restart_mark.restart_record_annotation_key(resource.address.name))
        outputs = {"observedGeneration": _generation(live)}
        return PresentObject(
            resource.address,
            str(live["metadata"]["uid"]),
            restart_due.version_token_of_restart(record),
            value,
            outputs=outputs,
        )

    def _token(self, spec: JsonObject, seen: Mapping[Address, Seen]) -> str:
        """What the workload should have been restarted for; empty while an output in `on` is not known."""
        followed = spec.get("on") or ()
        if any(isinstance(one, (OutputRef, OutputTemplate)) for one in followed):
            return ""
        return restart_mark.token_of_followed_objects(
            [self._named(number, one, seen) for number, one in enumerate(followed)]
        )

    def _named(self, number: int, written: JsonValue, seen: Mapping[Address, Seen]) -> tuple[str, Json]:
        """What counts of one entry of `on`, with its name: the address of an object, the place of an output's value."""
        address = parse_followed_object(written)
        if address is None:
            return f"on[{number}]", written
        return address.local, restart_mark.content_followed_by_restart(_there(seen[address]), self.fingerprinter)

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. What changed since the last restart asks for one in any case; else it follows changes."""
        return {
            one.address: restart_due.preview_restart(one, seen)
            for one, seen in items
            if not isinstance(seen, UnreadableObject)
        }

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. What it follows is read anew, because it may have changed in this very run."""
        for _ in range(_TRIES):
            try:
                return self._attempt(change)
            except ResourceVersionConflict:
                continue
        raise TemporaryError("the workload changes faster than it can be restarted", where=str(change.address))

    def _attempt(self, change: Change) -> Written:
        spec = (change.desired or {})["spec"]
        target, mark = (
            address_of_restarted_workload(spec),
            restart_mark.restart_record_annotation_key(change.address.name),
        )
        kind, live = served_kind_of_address(self.cluster, target), read_object(self.cluster, target)
        if kind is None or live is None:
            raise PreconditionError(f"{target.local} is not there", where=str(change.address), remedy="plan again")
        record, uid = restart_mark.read_restart_mark(live, mark), str(live["metadata"]["uid"])
        token = self._wanted(change, spec)
        if not restart_mark.changed_followed_names(record, token):
            return Written(uid, already=True)
        rolls = not restart_due.workload_made_by_same_plan(change, live, record)
        if rolls:
            restart_due.refuse_changed_workload(change, live, record)
        patch = restart_mark.restart_mark_patch(live, mark, token, on_pod_template=rolls)
        self.cluster.patch(kind, target.namespace, target.name, patch)
        return Written(uid)

    def _wanted(self, change: Change, spec: JsonObject) -> str:
        """The token to write. Without things to compare it follows from the version that the plan saw."""
        if spec.get("when") in ("always", restart_due.ON_DEMAND):
            return restart_mark.next_restart_token(change.precondition.content)
        return self._token(
            spec, {one: read_object(self.cluster, one) for one in followed_objects_of_restart_spec(spec)}
        )

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider. Done when the workload has rolled out."""
        targets = {change.address: address_of_restarted_workload((change.desired or {})["spec"]) for change in changes}
        seen = read_objects(self.cluster, targets.values())
        return {address: _readiness(seen[target]) for address, target in targets.items()}


def _there(seen: Seen) -> JsonObject | None:
    return None if isinstance(seen, ProviderError) else seen


def _readiness(seen: Seen) -> Readiness:
    if isinstance(seen, ProviderError):
        return Readiness(done=not isinstance(seen, TemporaryError), ok=False, message=seen.message)
    return replace(object_readiness(seen), outputs={"observedGeneration": _generation(seen or {})})


def _generation(live: JsonObject) -> Json:
    return (live.get("status") or {}).get("observedGeneration", 0)
