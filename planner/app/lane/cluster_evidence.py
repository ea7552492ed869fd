"""Reads what the cluster says about a lane: the run of a commit, Applications, workloads and their pods.

One LIST per kind and namespace, one GET per Application. Decides nothing; a part that cannot be read is a reading with
a problem, never one without a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from planner.app.lane.lane_parts import SHORT, WORKLOADS, LaneParts, LaneRunLocation
from planner.commit_id import is_commit_id
from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.field_path import FieldPath, parse_path, render_path
from planner.resource import PROVENANCE, ROLE
from planner.rollout import lane_evidence as names
from planner.rollout.ci_build_benchmark_verdict import LABEL
from planner.rollout.lane_evidence import EvidenceReading
from planner.values import Json, JsonObject, document_digest
from providers.cluster_interface import Cluster, KubernetesListScope
from providers.kubernetes.object_location import served_kind
from providers.kubernetes.operations import tekton_run_state
from providers.kubernetes.operations.argo_state import parse_argo_application
from providers.kubernetes.operations.wanted_pipeline_run import SPEC_DIGEST
from providers.kubernetes.readiness import object_readiness
from providers.web.json_body import find_json_value_at_path

_RUNS, _APPS = ("tekton.dev/v1", "PipelineRun"), ("argoproj.io/v1alpha1", "Application")
_OWNER = "tekton.dev/pipelineRun"
Objects: TypeAlias = Sequence[JsonObject]
Workload: TypeAlias = tuple[str, str, str]  # kind, namespace, name


@dataclass(frozen=True, slots=True)
class ClusterEvidenceReader:
    """Reads one cluster. `now` gives the time of a reading."""

    cluster: Cluster
    subjects: LaneParts
    now: Callable[[], str]

    # --- runs ------------------------------------------------------------------------------------------------------

    def runs(self) -> tuple[list[JsonObject], str]:
        """The runs of the lane, newest first, and what could not be read ("" if nothing)."""
        found: list[JsonObject] = []
        for place in self.subjects.runs:
            objects, problem = self._list(*_RUNS, place.namespace)
            if problem:
                return [], problem
            found += [one for one in objects if _is_at(one, place)]
        unique = {str(one["metadata"]["uid"]): one for one in found}
        return sorted(unique.values(), key=_created, reverse=True), ""

    def run(self, live: JsonObject | None, commit: str, problem: str = "") -> dict[str, EvidenceReading]:
        """The readings of the run and its TaskRuns; of what is missing with None."""
        if not self.subjects.runs:
            return {}
        if live is None:
            where = ", ".join(f"PipelineRun.tekton.dev/{one.namespace}" for one in self.subjects.runs)
            return {names.RUN: EvidenceReading(None, where, self.now(), problem=problem)}
        metadata = live["metadata"]
        place = f"{metadata.get('namespace', '')}/{metadata['name']}"
        tasks, trouble = self.task_runs(live)
        shown = tekton_run_state.pipeline_run_outputs(live, tasks)
        parts = ("namespace", "uid", "state", "reason", "startTime", "completionTime", "seconds", "results")
        value: JsonObject = {"name": shown["run"], **{part: shown[part] for part in parts if part in shown}}
        lacking = tuple(
            tekton_run_state.evidence_missing_in_successful_run(
                live, self.subjects.evidence.get(_pipeline(live)) or {}, tasks
            )
        )
        if value["state"] == "succeeded" and lacking:  # its success does not count (R10)
            value |= {"state": "inconclusive", "reason": "; ".join(lacking)}
        value["commit"] = (
            commit if commit in commits_named_by_run(live) else next(iter(commits_named_by_run(live)), None)
        )
        value["specDigest"] = (metadata.get("annotations") or {}).get(SPEC_DIGEST) or document_digest(
            live.get("spec") or {}
        )
        value["gitopsRevision"] = shown["results"].get("gitopsRevision")
        source, version = f"PipelineRun.tekton.dev/{place}", _version(live)
        versions = document_digest([version, *sorted(_version(one) for one in tasks.values())])
        task_place = f"TaskRun.tekton.dev/{place}"
        return {
            names.RUN: EvidenceReading(value, source, self.now(), version),
            names.TASKS: EvidenceReading(shown.get("taskRuns"), task_place, self.now(), versions, problem=trouble),
            **self._images(shown, source, version),
        }

    def _images(self, shown: JsonObject, source: str, version: str) -> dict[str, EvidenceReading]:
        """Images of the run's results, and of its TaskRuns."""
        found: dict[str, JsonObject] = {}
        for task in shown.get("taskRuns") or ():
            found |= task.get("images") or {}
        found |= shown.get("images") or {}
        return {
            names.IMAGE + name: EvidenceReading({"reused": False, **image}, source, self.now(), version)
            for name, image in found.items()
        }

    def task_runs(self, run: JsonObject) -> tuple[Mapping[str, JsonObject], str]:
        """The TaskRuns of a run by the name of their task, and what could not be read ("" if nothing)."""
        metadata = run["metadata"]
        wanted = tekton_run_state.task_runs_by_task(run)
        if not wanted:
            return {}, ""
        objects, problem = self._list("tekton.dev/v1", "TaskRun", str(metadata["namespace"]), str(metadata["name"]))
        named = {str(one["metadata"]["name"]): one for one in objects}
        return {task: named[name] for task, name in wanted.items() if name in named}, problem

    def _list(self, api: str, kind: str, namespace: str, owner: str = "") -> tuple[Objects, str]:
        try:
            info = served_kind(self.cluster, api, kind)
            if info is None:
                return (), ""
            place = KubernetesListScope(info, namespace)
            listed = self.cluster.list([place], _owned_by(owner) if owner else None)[place]
        except ProviderError as error:
            listed = error
        return ((), f"{kind}/{namespace}: {listed.message}") if isinstance(listed, ProviderError) else (listed, "")

    # --- Argo CD ---------------------------------------------------------------------------------------------------

    def applications(self) -> dict[str, tuple[EvidenceReading, JsonObject]]:
        """Each Application by name: its reading, and the object ({} where it is not there)."""
        return {name: self._application(namespace, name) for namespace, name in self.subjects.applications}

    def _application(self, namespace: str, name: str) -> tuple[EvidenceReading, JsonObject]:
        source = f"Application.argoproj.io/{namespace}/{name}"
        try:
            info = served_kind(self.cluster, *_APPS)
            live = self.cluster.get(info, namespace, name) if info else None
        except ProviderError as error:
            return EvidenceReading(None, source, self.now(), problem=error.message), {}
        if live is None:
            return EvidenceReading(None, source, self.now()), {}
        return EvidenceReading(_argo_value(live), source, self.now(), _version(live)), live

    # --- workloads -------------------------------------------------------------------------------------------------

    def workloads(self, wanted: Mapping[Workload, FieldPath]) -> dict[str, EvidenceReading]:
        """The readings of these workloads, each with the field that holds the commit it was made from (empty: none)."""
        if not wanted:
            return {}
        lists = self._lists(wanted)
        return dict(self._workload(key, provenance, lists) for key, provenance in sorted(wanted.items()))

    def _lists(self, wanted: Mapping[Workload, FieldPath]) -> Mapping[tuple[str, str], Objects | str]:
        """All that is needed in one go: each kind in each namespace, and the pods; a text is why it cannot be read."""
        keys = {(kind, namespace) for kind, namespace, _ in wanted} | {("Pod", namespace) for _, namespace, _ in wanted}
        places: dict[tuple[str, str], KubernetesListScope] = {}
        for kind, namespace in sorted(keys):
            if info := served_kind(self.cluster, "v1" if kind == "Pod" else "apps/v1", kind):
                places[kind, namespace] = KubernetesListScope(info, namespace)
        listing = self.cluster.list(list(places.values()))
        answers = {key: listing[place] for key, place in places.items()}
        return {key: one.message if isinstance(one, ProviderError) else one for key, one in answers.items()}

    def _workload(
        self, key: Workload, provenance: FieldPath, lists: Mapping[tuple[str, str], Objects | str]
    ) -> tuple[str, EvidenceReading]:
        kind, namespace, name = key
        source, at = f"{kind}.apps/{namespace}/{name}", self.now()
        found, pods = lists.get((kind, namespace), ()), lists.get(("Pod", namespace), ())
        for listed in (found, pods):
            if isinstance(listed, str):
                return names.WORKLOAD + f"{kind}/{name}", EvidenceReading(None, source, at, problem=listed)
        assert not isinstance(found, str)
        assert not isinstance(pods, str)
        live = next((one for one in found if one["metadata"]["name"] == name), None)
        if live is None:
            return names.WORKLOAD + f"{kind}/{name}", EvidenceReading(None, source, at)
        own = [pod for pod in pods if _selects(live, pod) and not pod["metadata"].get("deletionTimestamp")]
        value = _workload_value(live, own, simulated=self.cluster.simulated)
        value |= _source(live, provenance)
        version = document_digest([_version(live), *sorted(_version(pod) for pod in own)])
        return names.WORKLOAD + f"{kind}/{name}", EvidenceReading(value, source, at, version)


def _source(live: JsonObject, declared: FieldPath) -> JsonObject:
    """The commit that a workload says it was made from, and the field that says it. Which one that is, is declared with
    it: by hwplan's own template, or, for what Argo CD brings, by the same annotation on the object itself (B13)."""
    annotations = live["metadata"].get("annotations") or {}
    written = str(annotations.get(PROVENANCE) or "") if annotations.get(ROLE) == "runtime" else ""
    try:
        field = declared or (parse_path(written) if written else ())
    except ValueError as error:
        return {"source": None, "sourceField": f"{written} ({error})"}
    if not field:
        return {}
    return {"source": next(iter(find_json_value_at_path(live, field)), None), "sourceField": render_path(field)}


def runtime_workloads_of_lane(subjects: LaneParts, applications: Sequence[JsonObject]) -> dict[Workload, FieldPath]:
    """The workloads that are declared with role `runtime`, and those that the Applications manage."""
    wanted = {
        (one.address.kind, one.address.namespace, one.address.name): one.options.provenance
        for one in subjects.workloads
    }
    for key in (key for app in applications for key in _managed(app)):
        wanted.setdefault(key, ())
    return wanted


def commits_named_by_run(run: JsonObject) -> tuple[str, ...]:
    """Every commit id that a run names: in its parameters first, then in its labels and annotations."""
    params = [one.get("value") for one in (run.get("spec") or {}).get("params") or () if isinstance(one, dict)]
    metadata = run["metadata"]
    texts = [*params, *(metadata.get("labels") or {}).values(), *(metadata.get("annotations") or {}).values()]
    return tuple(dict.fromkeys(one for one in texts if is_commit_id(one)))


def newest_run_of_commit(runs: Objects, commit: str) -> JsonObject | None:
    """The newest run of a commit; of several the one whose name ends with the commit goes first (R1)."""
    of_it = [one for one in runs if commit and commit in commits_named_by_run(one)]
    named = [one for one in of_it if str(one["metadata"]["name"]).endswith((commit[:SHORT], commit))]
    return next(iter([*named, *of_it]), None)


def _created(live: JsonObject) -> str:
    return str(live["metadata"].get("creationTimestamp") or "")


def _version(live: JsonObject) -> str:
    return str(live["metadata"].get("resourceVersion") or "")


def _owned_by(name: str) -> Callable[[JsonObject], bool]:
    return lambda live: (live["metadata"].get("labels") or {}).get(_OWNER) == name


def _is_at(run: JsonObject, place: LaneRunLocation) -> bool:
    profile = str((run["metadata"].get("labels") or {}).get(LABEL) or "")
    return profile == place.benchmark and place.pipeline in ("", _pipeline(run))


def _pipeline(run: JsonObject) -> str:
    reference = (run.get("spec") or {}).get("pipelineRef") or {}
    label = (run["metadata"].get("labels") or {}).get("tekton.dev/pipeline")
    return str(reference.get("name") or label or "")


def _argo_value(live: JsonObject) -> JsonObject:
    seen = parse_argo_application(live)
    value: JsonObject = {"sync": seen.sync, "health": seen.health, "revision": seen.revision or None}
    value["refreshing"] = seen.refreshing
    if seen.operation is not None:
        one = seen.operation
        value |= {
            "phase": "Requested" if one.requested else one.phase,
            "operationRevision": one.revision or None,
            "startedAt": one.started or None,
            "finishedAt": one.finished or None,
        }
    value["unhealthy"] = sorted(_unhealthy(live))
    if said := "; ".join((*(seen.operation.wrong if seen.operation else ()), *seen.conditions)):
        value["message"] = said
    return value


def _resources(live: JsonObject) -> Iterator[JsonObject]:
    for one in (live.get("status") or {}).get("resources") or ():
        if isinstance(one, dict):
            yield one


def _unhealthy(live: JsonObject) -> Iterator[str]:
    """The resources that decided the health."""
    for one in _resources(live):
        health = str((one.get("health") or {}).get("status") or "")
        if health not in ("", "Healthy"):
            yield f"{one.get('kind')}/{one.get('namespace') or ''}/{one.get('name')}: {health}"


def _managed(live: JsonObject) -> Iterator[tuple[str, str, str]]:
    default = str((((live.get("spec") or {}).get("destination")) or {}).get("namespace") or "")
    for one in _resources(live):
        if one.get("group") == "apps" and one.get("kind") in WORKLOADS:
            yield str(one["kind"]), str(one.get("namespace") or default), str(one.get("name"))


def _selects(workload: JsonObject, pod: JsonObject) -> bool:
    wanted = ((workload.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    labels = pod["metadata"].get("labels") or {}
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def _workload_value(live: JsonObject, pods: Objects, *, simulated: bool) -> JsonObject:
    ready = object_readiness(live)
    template = ((live.get("spec") or {}).get("template") or {}).get("spec") or {}
    images = {str(one.get("name")): str(one.get("image")) for one in template.get("containers") or ()}
    value: JsonObject = {
        "complete": ready.done and ready.ok,
        "failed": ready.done and not ready.ok,
        "message": ready.message,
        "generation": live["metadata"].get("generation"),
        "observedGeneration": (live.get("status") or {}).get("observedGeneration"),
        "images": images,
        "pods": sorted((_pod(one) for one in pods), key=lambda one: str(one["name"])),
    }
    if simulated and not pods and value["complete"]:  # nothing runs in a sandbox: what would run is what is declared
        containers = [{"name": name, "image": image, "imageID": image} for name, image in images.items()]
        value["pods"] = [{"name": "simulated", "ready": True, "revision": "", "containers": containers}]
    return value


def _pod(pod: JsonObject) -> JsonObject:
    status, labels = pod.get("status") or {}, pod["metadata"].get("labels") or {}
    ids = {str(one.get("name")): str(one.get("imageID") or "") for one in status.get("containerStatuses") or ()}
    conditions: Json = status.get("conditions") or ()
    return {
        "name": pod["metadata"]["name"],
        "ready": any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions),
        "revision": str(labels.get("pod-template-hash") or labels.get("controller-revision-hash") or ""),
        "containers": [
            {"name": one.get("name"), "image": one.get("image"), "imageID": ids.get(str(one.get("name")), "")}
            for one in (pod.get("spec") or {}).get("containers") or ()
        ],
    }
