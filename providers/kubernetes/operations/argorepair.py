"""The provider of ArgoRepair: finds what is stuck around an Argo CD Application, and mends each thing once (S13, R16).

A declared ArgoRepair changes nothing: it lists what is stuck. For each of these the plan gets a resource of its own,
made by `argo_repair_document`, which names the very object. Before it is mended everything is read and judged once
more, and the write is bound to the version that was judged. What counts as stuck is stuck_argo_resources.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from planner.address import Address
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.duration import parse_duration
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
from planner.values import Json, JsonObject, Vault, document_digest
from providers.cluster_interface import Cluster, KubernetesListScope, ServedKubernetesKind
from providers.kubernetes.errors import ResourceVersionConflict
from providers.kubernetes.object_location import served_kind
from providers.kubernetes.operations.argo_state import parse_argo_application
from providers.kubernetes.operations.stuck_argo_resources import (
    ApplicationWithWorkloads,
    StuckArgoFindings,
    StuckArgoResource,
    destination_namespace,
    find_stuck_argo_resources,
    stateful_sets_of_application,
)
from providers.provider_tools import ProviderTools

REPAIRS = "repairs"  # key beside the spec of a planned repair: what it mends
STUCK = "stuck"  # the output
_ARGO = ("argoproj.io/v1alpha1", "Application")
_AROUND = (("batch/v1", "Job"), ("v1", "Pod"), ("apps/v1", "StatefulSet"))
_TRIES = 10  # controllers write status between reading and writing


def create_argo_repair_provider(tools: ProviderTools) -> ArgoRepairProvider:
    """Creates the provider of ArgoRepair for one run of a hwplan command."""
    return ArgoRepairProvider(tools.api, tools.api.server_time)


def argo_repair_document(declared: Resource, row: JsonObject) -> JsonObject:
    """The document of the resource that repairs one stuck thing: one row of the output `stuck` of an ArgoRepair."""
    manifest = declared.manifest
    return {**manifest, "metadata": {**manifest["metadata"], "name": _name(declared, row)}, REPAIRS: _planned(row)}


def _name(declared: Resource, row: JsonObject) -> str:
    what = str(row["what"])
    inner = "" if what == "operation" else "." + str(row["object"]).partition("/")[2].replace("/", ".")
    return f"{declared.address.name}.{what}{inner}"


def _planned(row: JsonObject) -> JsonObject:
    return {key: row[key] for key in ("what", "object", "uid", "key")}


@dataclass(frozen=True, slots=True)
class ArgoRepairProvider(NeverDeletes):
    """Finds what is stuck around Argo CD Applications and repairs it (planner.ports.Provider). `now` is the
    clock of the server, asked once for each reading; ages are measured from it."""

    cluster: Cluster
    now: Callable[[], datetime]

    def read(self, wanted: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]) -> ReadResult:
        """See Provider. For each Application one GET, and a LIST for each kind and namespace around it."""
        found: dict[str, StuckArgoFindings | ProviderError] = {}
        seen: dict[Address, Observation] = {}
        for one in wanted:
            spec = one.manifest["spec"]
            if (key := document_digest(spec)) not in found:
                found[key] = self._findings(spec)
            seen[one.address] = _observe(one, found[key])
        return ReadResult(seen)

    def _findings(self, spec: JsonObject) -> StuckArgoFindings | ProviderError:
        try:
            return self._find(spec)
        except ProviderError as error:
            return error

    def _find(self, spec: JsonObject) -> StuckArgoFindings:
        """What is stuck now. Raises ProviderError when a part cannot be read: then nothing is known."""
        application = self._application(spec)
        named = frozenset(_set_place(text) for text in spec.get("statefulSets") or ())
        sets = named | stateful_sets_of_application(application)
        namespaces = {destination_namespace(application), *(namespace for namespace, _ in sets)} - {""}
        kinds = [kind for api, name in _AROUND if (kind := served_kind(self.cluster, api, name))]
        listing = self.cluster.list([KubernetesListScope(kind, one) for kind in kinds for one in sorted(namespaces)])
        found: dict[str, list[JsonObject]] = {kind.kind: [] for kind in kinds}
        for place, answer in listing.items():
            if isinstance(answer, ProviderError):
                raise answer
            found[place.kind.kind] += [_with_kind(one, place.kind) for one in answer]
        jobs, pods, stateful_sets = (tuple(found.get(name, ())) for _, name in _AROUND)
        after = parse_duration(str(spec.get("stuckAfter", "10m")))
        return find_stuck_argo_resources(
            ApplicationWithWorkloads(application, jobs, pods, stateful_sets, named), after, self.now()
        )

    def _application(self, spec: JsonObject) -> JsonObject | None:
        kind = served_kind(self.cluster, *_ARGO)
        return self.cluster.get(kind, *_names(spec)) if kind else None

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See Provider. A repair is shown as what becomes of the object, with the evidence as its reason."""
        return {one.address: _preview(one, seen) for one, seen in items if not isinstance(seen, UnreadableObject)}

    def apply(self, change: Change, vault: Vault) -> Written:
        """See Provider. Raises PreconditionError when the object is not stuck any more in the way that was planned."""
        desired = change.desired or {}
        row = desired[REPAIRS]
        for _ in range(_TRIES):
            found = next((one for one in self._find(desired["spec"]).stuck if _is_that(one, row)), None)
            if found is None:
                return self._mended(change, desired["spec"], row)
            try:
                self._mend(found)
            except ResourceVersionConflict:
                continue
            return Written(found.uid, said=f"{row['object']}: {found.evidence}")
        raise TemporaryError("it changes faster than it can be mended", where=str(row["object"]))

    def _mend(self, found: StuckArgoResource) -> None:
        kind = self._served(found.api_version, found.kind)
        if found.what != "operation":
            uid, version = found.uid, found.version
            self.cluster.delete(kind, found.namespace, found.name, uid=uid, resource_version=version)
            return
        test = {"/metadata/uid": found.uid, "/status/operationState/startedAt": found.key}
        patch: list[JsonObject] = [{"op": "test", "path": path, "value": value} for path, value in test.items()]
        patch.append({"op": "replace", "path": "/metadata/resourceVersion", "value": found.version})
        patch.append({"op": "replace", "path": "/status/operationState/phase", "value": "Terminating"})
        self.cluster.patch(kind, found.namespace, found.name, patch)

    def _mended(self, change: Change, spec: JsonObject, row: JsonObject) -> Written:
        """What is not stuck any more is done when it is over, and else not ours to touch."""
        if not self._is_over(spec, row):
            raise PreconditionError(
                f"{row['object']} is not stuck any more", where=str(change.address), remedy="plan again"
            )
        return Written(str(row["uid"]), already=True)

    def _is_over(self, spec: JsonObject, row: JsonObject) -> bool:
        """Whether the operation has ended, or another one goes on; whether the object is gone, or on its way out."""
        if row["what"] == "operation":
            live = self._application(spec)
            operation = parse_argo_application(live).operation if live else None
            return operation is None or not operation.runs or operation.started != row["key"] or _terminates(live)
        live = self._live(row)
        return live is None or str(live["metadata"]["uid"]) != row["uid"] or "deletionTimestamp" in live["metadata"]

    def _live(self, row: JsonObject) -> JsonObject | None:
        address = Address.parse(str(row["object"]))
        api = next(api for api, kind in _AROUND if kind == address.kind)
        return self.cluster.get(self._served(api, address.kind), address.namespace, address.name)

    def _served(self, api: str, name: str) -> ServedKubernetesKind:
        kind = served_kind(self.cluster, api, name)
        if kind is None:
            raise PermanentError(f"the cluster does not serve {name} any more", where=api)
        return kind

    def readiness(self, changes: Sequence[Change]) -> Mapping[Address, Readiness]:
        """See Provider. Done when the operation has ended, or the object is gone."""
        return {change.address: self._readiness(change) for change in changes}

    def _readiness(self, change: Change) -> Readiness:
        desired = change.desired or {}
        spec, row = desired["spec"], desired[REPAIRS]
        try:
            if row["what"] == "operation":
                live = self._application(spec)
                operation = parse_argo_application(live).operation if live else None
                runs = operation is not None and operation.runs and operation.started == row["key"]
                return _settled(not runs, "Argo CD has not ended the operation yet")
            live = self._live(row)
            return _settled(live is None or str(live["metadata"]["uid"]) != row["uid"], "it is still being deleted")
        except ProviderError as error:
            return Readiness(done=not isinstance(error, TemporaryError), ok=False, message=error.message)


def _settled(over: bool, else_: str) -> Readiness:
    return Readiness(done=over, ok=over, message="" if over else else_)


def _terminates(live: JsonObject | None) -> bool:
    return (((live or {}).get("status") or {}).get("operationState") or {}).get("phase") == "Terminating"


def _names(spec: JsonObject) -> tuple[str, str]:
    """Namespace and name of the Application."""
    return str(spec.get("namespace") or "argocd"), str(spec["application"])


def _set_place(text: str) -> tuple[str, str]:
    address = Address.parse(text)
    return address.namespace, address.name


def _with_kind(live: JsonObject, kind: ServedKubernetesKind) -> JsonObject:
    """Items of a list do not say what they are."""
    return live if live.get("kind") else {"apiVersion": kind.api_version, "kind": kind.kind, **live}


# --- planning ------------------------------------------------------------------------------------------------------


def _is_that(found: StuckArgoResource, row: Json) -> bool:
    return bool(
        (found.what, found.object, found.uid, found.key) == tuple(row[k] for k in ("what", "object", "uid", "key"))
    )


def _observe(resource: Resource, found: StuckArgoFindings | ProviderError) -> Observation:
    if isinstance(found, ProviderError):
        return UnreadableObject(resource.address, found.message)
    row = resource.manifest.get(REPAIRS)
    if row is None:
        rows = [_row(one) for one in found.stuck]
        return PresentObject(
            resource.address,
            "",
            document_digest([_planned(one) for one in rows]),
            {"found": found},
            outputs={STUCK: rows},
        )
    stuck = next((one for one in found.stuck if _is_that(one, row)), None)
    if stuck is None:
        return AbsentObject(resource.address)
    return PresentObject(resource.address, stuck.uid, document_digest(row), {"found": stuck})


def _row(one: StuckArgoResource) -> JsonObject:
    return {"what": one.what, "object": one.object, "uid": one.uid, "key": one.key, "evidence": one.evidence}


def _preview(resource: Resource, seen: Observation) -> Preview:
    found = (seen.value or {})["found"] if isinstance(seen, PresentObject) else None
    match found:
        case StuckArgoFindings():
            outputs = seen.outputs if isinstance(seen, PresentObject) else {}
            return Preview(PreviewEffect.NONE, verified=VerifiedBy.SERVER, outputs=outputs, warnings=found.left_alone)
        case StuckArgoResource():
            path = (found.object, *(("operation",) if found.what == "operation" else ()))
            field = FieldChange(path, FieldOp.REMOVE, f"{found.seen}; uid {found.uid}")
            return Preview(PreviewEffect.RUN, (field,), VerifiedBy.SERVER, evidence=found.evidence)
        case _:
            return Preview(PreviewEffect.NONE)  # it is over since a moment ago
