"""The provider of PipelineRun: makes a Tekton run once for its name, or takes the one that is there, and waits for it.

The name says what is run, so the name is what makes it happen once (R1, R2, R14): the write only creates, whoever comes
second finds the run of the first. What is on record on it is its spec (wanted_pipeline_run.py); what it came to is
determined by tekton_run_state.py, and looked at by tekton_run_watch.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError, PreconditionError, ProviderError, TemporaryError
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
from planner.values import JsonObject, Vault, document_digest
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.kubernetes.errors import NamespaceMissing, NotServed
from providers.kubernetes.object_location import served_kind
from providers.kubernetes.operations.restart_spec import address_with_default_lane
from providers.kubernetes.operations.tekton_run_state import (
    ENDED,
    evidence_missing_in_successful_run,
    pipeline_run_outputs,
    pipeline_run_state,
    succeeded_condition_text,
)
from providers.kubernetes.operations.tekton_run_watch import AGAIN, TektonRunWatch, warn_of_run_over_time_budget
from providers.kubernetes.operations.wanted_pipeline_run import REPLACES, WantedPipelineRun
from providers.kubernetes.parallel_map import ParallelMap
from providers.kubernetes.preview.predict_apply import CREATE_ONLY
from providers.provider_tools import ProviderTools

_AT_ONCE = 8
_GONE_WITHIN = 90.0  # seconds for a run that is deleted to be gone
API = "tekton.dev/v1"
_PLAN_AGAIN = "plan again: the world moved since this plan was made"


def create_pipeline_run_provider(tools: ProviderTools) -> PipelineRunProvider:
    """Creates the provider of PipelineRun for one run of a hwplan command, where a real Tekton runs."""
    return PipelineRunProvider(tools.api)


class SimulatedTektonRuns(Protocol):
    """Plays Tekton in a sandbox: makes the runs that were created end."""

    def prepared(self, body: JsonObject, address: str) -> JsonObject:
        """The body of a new run with what it comes to."""
        ...

    def add_task_runs(self, live: JsonObject) -> None:
        """Add the TaskRuns of a new run."""
        ...


@dataclass(slots=True)
class PipelineRunProvider(NeverDeletes):
    """Makes Tekton PipelineRuns and waits for their end (planner.ports.Provider). A run is a record: Retention deletes
    old ones."""

    cluster: Cluster
    sleep: Callable[[float], None] = time.sleep
    simulated: SimulatedTektonRuns | None = None
    _watches: dict[Address, TektonRunWatch] = field(default_factory=dict)

    # --- reading and planning --------------------------------------------------------------------------------------

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. One GET each, several at once, and one more for a Pipeline that a new run names."""
        return ReadResult({one.address: one for one in ParallelMap(_AT_ONCE).map(self._observe, wanted)})

    def _observe(self, resource: Resource) -> Observation:
        wanted, address = WantedPipelineRun.of(resource.manifest), resource.address
        if wanted is None:
            return AbsentObject(address)
        try:
            live = self._get(wanted)
        except ProviderError as error:
            return UnreadableObject(address, f"{wanted.shown}: {error.message}")
        if live is None:
            return AbsentObject(address)
        uid = str(live["metadata"]["uid"])
        return PresentObject(
            address,
            uid,
            document_digest([uid, pipeline_run_state(live)]),
            {"live": live},
            outputs=pipeline_run_outputs(live),
        )

    def _get(self, wanted: WantedPipelineRun) -> JsonObject | None:
        kind = served_kind(self.cluster, API, "PipelineRun")
        return self.cluster.get(kind, wanted.namespace, wanted.name) if kind else None

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. A new run is shown to the server in a dry run."""
        pairs = [(one, seen) for one, seen in items if not isinstance(seen, UnreadableObject)]
        found = ParallelMap(_AT_ONCE).map(lambda pair: self._preview(*pair), pairs)
        return {one.address: preview for (one, _), preview in zip(pairs, found, strict=True)}

    def _preview(self, resource: Resource, seen: Observation) -> Preview:
        wanted = WantedPipelineRun.of(resource.manifest)
        if wanted is None or not isinstance(seen, PresentObject):
            return self._new(resource, wanted)
        live = (seen.value or {})["live"]
        if not wanted.is_that(live):
            return self._again(resource, wanted, live, "a run of this name with another spec is there")
        state = pipeline_run_state(live)
        if state not in ENDED:
            fields = (FieldChange(("state",), FieldOp.CHANGE, state, "succeeded"),)
            return Preview(PreviewEffect.RUN, fields, VerifiedBy.SERVER, evidence=succeeded_condition_text(live))
        if state != "succeeded":
            return self._again(resource, wanted, live, f"the run of this name {state}")
        if missing := tuple(evidence_missing_in_successful_run(live, wanted.evidence, {})):
            return self._again(resource, wanted, live, f"the run of this name is inconclusive: {'; '.join(missing)}")
        warnings = warn_of_run_over_time_budget(live, wanted)
        return Preview(
            PreviewEffect.NONE, verified=VerifiedBy.SERVER, outputs=pipeline_run_outputs(live), warnings=warnings
        )

    def _again(self, resource: Resource, wanted: WantedPipelineRun, live: JsonObject, why: str) -> Preview:
        """Blocked, or with `rerun` a run in place of the one that is deleted."""
        uid = str(live["metadata"]["uid"])
        if not wanted.rerun:
            return Preview(
                PreviewEffect.RUN, blocked=why, evidence=f"uid {uid}: {succeeded_condition_text(live)}", remedy=AGAIN
            )
        gone = FieldChange(("replaces",), FieldOp.REMOVE, f"{wanted.shown} uid {uid}: {pipeline_run_state(live)}")
        desired = {**resource.manifest, REPLACES: uid}
        return Preview(PreviewEffect.RUN, (gone, *_fields(wanted)), desired=desired, warnings=(why,))

    def _new(self, resource: Resource, wanted: WantedPipelineRun | None) -> Preview:
        if wanted is None:
            return Preview(PreviewEffect.RUN, (_shown(resource.manifest["spec"]["manifest"]),))
        try:
            verified = self._dry_run(wanted)
            lacks = self._lacks(resource, wanted)
        except ProviderError as error:
            return Preview(PreviewEffect.RUN, _fields(wanted), blocked=error.message, remedy=error.remedy)
        return Preview(PreviewEffect.RUN, _fields(wanted), verified, lacks=lacks)

    def _dry_run(self, wanted: WantedPipelineRun) -> VerifiedBy:
        """Whether the server would take it. Raises what it says against it."""
        kind = served_kind(self.cluster, API, "PipelineRun")
        if kind is None:
            return VerifiedBy.NO
        try:
            self.cluster.apply(kind, _create_only(wanted), dry_run=True)
        except (NamespaceMissing, NotServed):
            return VerifiedBy.NO
        return VerifiedBy.NO if self.cluster.simulated else VerifiedBy.SERVER

    def _lacks(self, resource: Resource, wanted: WantedPipelineRun) -> tuple[Address, ...]:
        """The Pipeline, when it is not there: Tekton takes the run all the same, and fails it."""
        if not wanted.pipeline:
            return ()
        kind = served_kind(self.cluster, API, "Pipeline")
        if kind is not None and self.cluster.get(kind, wanted.namespace, wanted.pipeline) is not None:
            return ()
        return (
            address_with_default_lane(
                resource, Address("", "Pipeline", "tekton.dev", wanted.namespace, wanted.pipeline)
            ),
        )

    # --- effect ----------------------------------------------------------------------------------------------------

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Makes the run, or takes the one of this name that has the same spec."""
        wanted = WantedPipelineRun.of(change.desired or {})
        if wanted is None:
            raise PermanentError("what it runs is not known", where=str(change.address))
        kinds = self._kinds()
        live = self.cluster.get(kinds[0], wanted.namespace, wanted.name)
        if live is not None and wanted.replaces == str(live["metadata"]["uid"]):
            self._delete(kinds[0], wanted, live)
            live = None
        elif live is None and change.precondition.uid and not wanted.replaces:
            raise PreconditionError("the run that the plan saw is gone", where=wanted.shown, remedy=_PLAN_AGAIN)
        written = self._take(wanted, live) if live is not None else self._create(change, kinds[0], wanted)
        self._watches[change.address] = TektonRunWatch(self.cluster, kinds, wanted, written.uid)
        return written

    def _create(self, change: Change, kind: ServedKubernetesKind, wanted: WantedPipelineRun) -> Written:
        body = _create_only(wanted)
        if self.simulated is not None:
            body = self.simulated.prepared(body, change.address.local)
        try:
            made = self.cluster.apply(kind, body)
        except PreconditionError:
            live = self.cluster.get(kind, wanted.namespace, wanted.name)
            if live is None:
                raise
            return self._take(wanted, live)  # somebody else was first
        if self.simulated is not None:
            self.simulated.add_task_runs(made)
        return Written(str(made["metadata"]["uid"]), pipeline_run_outputs(made))

    def _take(self, wanted: WantedPipelineRun, live: JsonObject) -> Written:
        if not wanted.is_that(live):
            raise PreconditionError("a run of this name with another spec is there", where=wanted.shown, remedy=AGAIN)
        return Written(str(live["metadata"]["uid"]), pipeline_run_outputs(live), already=True)

    def _delete(self, kind: ServedKubernetesKind, wanted: WantedPipelineRun, live: JsonObject) -> None:
        """Delete the run that the plan named with all its TaskRuns, and see it gone: their names are wanted."""
        uid = str(live["metadata"]["uid"])
        self.cluster.delete(kind, wanted.namespace, wanted.name, uid=uid, resource_version="", foreground=True)
        for _ in range(int(_GONE_WITHIN / 0.5)):
            found = self.cluster.get(kind, wanted.namespace, wanted.name)
            if found is None or str(found["metadata"]["uid"]) != uid:
                return
            self.sleep(0.5)
        raise TemporaryError("the run that is replaced is still being deleted", where=wanted.shown)

    def _kinds(self) -> tuple[ServedKubernetesKind, ServedKubernetesKind]:
        run, task = (served_kind(self.cluster, API, kind) for kind in ("PipelineRun", "TaskRun"))
        if run is None or task is None:
            raise PermanentError("the cluster does not serve Tekton's kinds", where=API, remedy="install Tekton")
        return run, task

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider. Done when the run is over; at most one request a second for each."""
        return {change.address: self._readiness(change) for change in changes}

    def _readiness(self, change: Change) -> Readiness:
        watch = self._watches.get(change.address)
        if watch is None:
            wanted = WantedPipelineRun.of(change.desired or {})
            if wanted is None:
                return Readiness(done=False, ok=False, message="what it runs is not known")
            try:
                watch = TektonRunWatch(self.cluster, self._kinds(), wanted, "")
            except ProviderError as error:
                return Readiness(done=not isinstance(error, TemporaryError), ok=False, message=error.message)
            self._watches[change.address] = watch
        return watch.look()


def _create_only(wanted: WantedPipelineRun) -> JsonObject:
    body = wanted.body
    return {**body, "metadata": {**body["metadata"], "resourceVersion": CREATE_ONLY}}


def _fields(wanted: WantedPipelineRun) -> tuple[FieldChange, ...]:
    return (_shown(wanted.manifest),)


def _shown(manifest: JsonObject) -> FieldChange:
    return FieldChange(("manifest",), FieldOp.ADD, after=manifest)
