"""The provider of ArgoSync: brings an Argo CD Application to a revision, and waits until it is there and healthy.

There is nothing to do when a sync to that revision, or to one that contains it (R3), ended well and nothing has changed
since; what stands there at any other revision says nothing about this one. How a sync is asked for and waited for is in
argo_sync_operation.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError, PreconditionError, ProviderError
from planner.plan import Change, FieldChange, FieldOp, VerifiedBy
from planner.ports import (
    AbsentObject,
    NeverDeletes,
    Observation,
    PresentObject,
    Preview,
    PreviewEffect,
    Readiness,
    ReadResult,
    UnreadableObject,
    Written,
)
from planner.resource import Resource
from planner.values import Json, JsonObject, JsonValue, OutputRef, OutputTemplate, Vault, document_digest
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.kubernetes.object_location import served_kind
from providers.kubernetes.operations.argo_refresh import HARD, ArgoRefreshOperation
from providers.kubernetes.operations.argo_state import Contains, assume_revision_not_contained, parse_argo_application
from providers.kubernetes.operations.argo_sync_operation import REFRESH, ArgoSyncOperation, argo_sync_outputs
from providers.kubernetes.operations.restart_spec import address_with_default_lane
from providers.kubernetes.parallel_map import ParallelMap

_AT_ONCE = 8
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
API, KIND, GROUP = "argoproj.io/v1alpha1", "Application", "argoproj.io"


class ArgoSyncSimulator(Protocol):
    """Plays Argo CD in a sandbox: does the syncs that were asked for."""

    def bring(self, kind: ServedKubernetesKind, application: JsonObject, revision: str) -> None:
        """Bring what the Application has at a revision into the cluster. Raises ProviderError."""
        ...


@dataclass(slots=True)
class ArgoSyncProvider(NeverDeletes):
    """Asks Argo CD for syncs and waits for them (planner.ports.Provider). `contains` asks the repository that a spec
    names as its `history`; `simulated` plays the controller in a sandbox."""

    cluster: Cluster
    contains: Callable[[JsonObject, str, str], bool] | None = None
    simulated: ArgoSyncSimulator | None = None
    _syncs: dict[Address, ArgoSyncOperation] = field(default_factory=dict)

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. One GET each, several at once."""
        return ReadResult({one.address: one for one in ParallelMap(_AT_ONCE).map(self._observe, wanted)})

    def _observe(self, resource: Resource) -> Observation:
        spec, address = resource.manifest["spec"], resource.address
        namespace, name = _names(spec)
        try:
            kind = served_kind(self.cluster, API, KIND)
            live = self.cluster.get(kind, namespace, name) if kind else None
        except ProviderError as error:
            return UnreadableObject(address, f"{KIND}/{namespace}/{name}: {error.message}")
        if live is None:
            return AbsentObject(address)
        seen = parse_argo_application(live)
        last = seen.operation
        content = document_digest(
            [seen.uid, seen.revision, last.started if last else "", last.revision if last else ""]
        )
        return PresentObject(address, seen.uid, content, {"live": live}, outputs=argo_sync_outputs(seen))

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider."""
        return {one.address: self._preview(one, seen) for one, seen in items if not isinstance(seen, UnreadableObject)}

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Asks for the sync, unless one that was asked for by this very change is on record."""
        spec = (change.desired or {})["spec"]
        namespace, name = _names(spec)
        revision = str(spec.get("revision") or "")
        key = document_digest([name, namespace, revision, change.precondition.uid, change.precondition.content])
        make = ArgoRefreshOperation if spec.get("refresh") else ArgoSyncOperation
        sync = make(self.cluster, self._kind(), namespace, name, revision, key.removeprefix("sha256:")[:32])
        sync.contains = self._contains(spec)
        if self.simulated is not None and not spec.get("refresh"):
            live = self.cluster.get(self._kind(), namespace, name)
            if live is not None:
                self.simulated.bring(self._kind(), live, revision)
        uid, already = sync.ask()
        if change.precondition.uid and uid != change.precondition.uid:
            raise PreconditionError("the Application was replaced by another of its name", where=str(change.address))
        self._syncs[change.address] = sync
        return Written(uid, already=already)

    def _contains(self, spec: JsonObject) -> Contains:
        """Whether one commit is in the history of another one; never, where no history is named, nor in what is no
        commit: an Application that was not synced by a commit yet shows the name of its branch."""
        history, asks = spec.get("history"), self.contains
        if not history or asks is None:
            return assume_revision_not_contained
        return lambda old, new: _COMMIT.fullmatch(new) is not None and asks(history, old, new)

    def _preview(self, resource: Resource, seen: Observation) -> Preview:
        return _preview(resource, seen, self._contains(resource.manifest["spec"]))

    def _kind(self) -> ServedKubernetesKind:
        found = served_kind(self.cluster, API, KIND)
        if found is None:
            raise PermanentError("the cluster does not serve Argo CD's kinds", where=API, remedy="install Argo CD")
        return found

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider. Done when the Application is in sync and healthy at the revision, by our sync or a later one;
        at most one request a second for each."""
        return {change.address: self._readiness(change) for change in changes}

    def _readiness(self, change: Change) -> Readiness:
        sync = self._syncs.get(change.address)
        if sync is None:
            return Readiness(done=False, ok=False, message="no sync was asked for")
        return sync.look()


def _names(spec: JsonObject) -> tuple[str, str]:
    """Namespace and name of the Application."""
    return str(spec.get("namespace") or "argocd"), str(spec["application"])


def _preview(resource: Resource, observed: Observation, contains: Contains) -> Preview:
    spec = resource.manifest["spec"]
    if spec.get("refresh"):
        return _preview_refresh(observed)
    revision = spec.get("revision")
    if not isinstance(observed, PresentObject):
        namespace, name = _names(spec)
        lacks = (address_with_default_lane(resource, Address("", KIND, GROUP, namespace, name)),)
        return Preview(
            PreviewEffect.RUN, (FieldChange(("revision",), FieldOp.ADD, after=_shown(revision)),), lacks=lacks
        )
    seen = parse_argo_application((observed.value or {})["live"])
    try:
        if isinstance(revision, str) and seen.holds(revision, contains):
            return Preview(PreviewEffect.NONE, verified=VerifiedBy.SERVER, outputs=argo_sync_outputs(seen))
    except ProviderError as error:  # it may be at a later revision, over which an older one is not brought back
        why = f"whether {seen.revision[:12]} contains the revision cannot be determined: {error.message}"
        return Preview(PreviewEffect.RUN, blocked=why, remedy=error.remedy, evidence=seen.words)
    field = FieldChange(("revision",), FieldOp.CHANGE, seen.revision or None, _shown(revision))
    return Preview(PreviewEffect.RUN, (field,), VerifiedBy.SERVER, evidence=seen.words)


def _preview_refresh(observed: Observation) -> Preview:
    """A command asked for it (`spec.refresh`, which no configuration has), so it is due each time."""
    if not isinstance(observed, PresentObject):
        return Preview(PreviewEffect.RUN, blocked="there is no such Application", remedy="apply it first")
    live = (observed.value or {})["live"]
    before = (live["metadata"].get("annotations") or {}).get(REFRESH)
    op = FieldOp.CHANGE if before else FieldOp.ADD
    field = FieldChange(("metadata", "annotations", REFRESH), op, before, HARD)
    return Preview(PreviewEffect.RUN, (field,), VerifiedBy.SERVER, evidence=parse_argo_application(live).words)


def _shown(revision: JsonValue) -> Json:
    return revision if isinstance(revision, (str, OutputRef, OutputTemplate)) else "the tip of its branch"
