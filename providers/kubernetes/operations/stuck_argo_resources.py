"""What keeps an Argo CD Application from converging, and may be mended: decided from live objects and the time (S13).

Three states, each with its evidence: an operation that runs for too long while no hook of it runs, a hook Job that
failed, a pod of an old revision of a StatefulSet that cannot start. What does not prove to be one of them is left alone
(R16). Pure; mends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from planner.dataclass import dataclass
from planner.resource import PROTECT
from planner.rfc3339 import parse_time
from planner.values import JsonObject, JsonValue
from providers.kubernetes.operations.object_end import how_object_ended

What: TypeAlias = Literal["operation", "hook", "pod"]
_HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")
_TRACKING = "argocd.argoproj.io/tracking-id"  # `APPLICATION:GROUP/KIND:NAMESPACE/NAME`
_HASH = "controller-revision-hash"
_CANNOT_START = ("ImagePullBackOff", "ErrImagePull", "CrashLoopBackOff")
_LONGEST = 200  # characters of a message that is quoted


@dataclass(frozen=True, slots=True)
class StuckArgoResource:
    """One thing to mend. `key` names this very state of it, so that a plan is about nothing that came later; `seen` is
    what a reader has to know and stays the same, `evidence` what was seen at this moment, and since when."""

    what: What
    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    version: str
    key: str
    seen: str
    evidence: str

    @property
    def object(self) -> str:
        """The object, as an address."""
        group = self.api_version.rpartition("/")[0]
        return f"{self.kind}{f'.{group}' if group else ''}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class ApplicationWithWorkloads:
    """An Application (None where there is none) with its Jobs, pods and StatefulSets. `named` are further StatefulSets
    that are looked after, by namespace and name."""

    application: JsonObject | None
    jobs: tuple[JsonObject, ...] = ()
    pods: tuple[JsonObject, ...] = ()
    stateful_sets: tuple[JsonObject, ...] = ()
    named: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class StuckArgoFindings:
    """What is stuck, in the order in which it is mended, and what is not touched although something is not well."""

    stuck: tuple[StuckArgoResource, ...] = ()
    left_alone: tuple[str, ...] = ()


def find_stuck_argo_resources(
    around: ApplicationWithWorkloads, stuck_after_seconds: float, now: datetime
) -> StuckArgoFindings:
    """Everything that is stuck. `stuck_after_seconds` is the age in seconds from which on a running operation counts as
    such."""
    application = around.application
    state = _map(_map(application, "status"), "operationState")
    operation, why = (None, "")
    if application is not None and state.get("phase") == "Running":
        operation, why = _operation(application, state, around, stuck_after_seconds, now)
    syncs = bool(why) or state.get("phase") == "Terminating"
    hooks = [] if application is None or syncs else list(_failed_hooks(application, around.jobs))
    pods = list(_old_pods(application, around))
    first = (operation,) if operation else ()
    return StuckArgoFindings((*first, *_sorted(hooks), *_sorted(pods)), (why,) if why else ())


def stateful_sets_of_application(application: JsonObject | None) -> frozenset[tuple[str, str]]:
    """The StatefulSets that an Application manages, by namespace and name."""
    rows = _maps(_map(application, "status").get("resources"))
    return frozenset(
        (str(one.get("namespace") or ""), str(one.get("name") or ""))
        for one in rows
        if (one.get("group"), one.get("kind")) == ("apps", "StatefulSet")
    )


def destination_namespace(application: JsonObject | None) -> str:
    """The namespace that an Application goes to; "" where there is none."""
    return str(_map(_map(application, "spec"), "destination").get("namespace") or "")


def _sorted(found: Iterable[StuckArgoResource]) -> list[StuckArgoResource]:
    return sorted(found, key=lambda one: (one.namespace, one.name))


# --- the operation -------------------------------------------------------------------------------------------------


def _operation(
    application: JsonObject, state: JsonObject, around: ApplicationWithWorkloads, after: float, now: datetime
) -> tuple[StuckArgoResource | None, str]:
    """The running operation, when it is stuck; else why it is left alone."""
    started = str(state.get("startedAt") or "")
    begun = parse_time(started)
    if begun is None or now - begun < timedelta(seconds=after):
        return None, f"a sync has been running since {started or 'an unknown time'}: not touched before {after:g}s"
    if not application.get("operation"):
        return None, "Argo CD has no operation on record that could be terminated"
    if running := next(_running_hooks(state, around, after, now), ""):
        return None, f"the sync waits for {running}, which runs: not touched"
    metadata, message = application["metadata"], str(state.get("message") or "")[:_LONGEST]
    seen = f"Running since {started}"
    said = f"{seen}, and no hook of it runs{f': {message}' if message else ''}"
    return _stuck("operation", application, metadata, started, seen, said), ""


def _running_hooks(state: JsonObject, around: ApplicationWithWorkloads, after: float, now: datetime) -> Iterator[str]:
    """Hooks of the operation that may be at work. What this cannot judge counts as one."""
    jobs = {_place(one): one for one in around.jobs}
    pods = {_place(one): one for one in around.pods}
    for one in _maps(_map(state, "syncResult").get("resources")):
        if not one.get("hookType") or one.get("hookPhase") != "Running":
            continue
        kind, place = str(one.get("kind")), (str(one.get("namespace") or ""), str(one.get("name") or ""))
        match kind:
            case "Job":
                live = jobs.get(place)
                works = live is not None and _job_works(live, around.pods, after, now)
            case "Pod":
                works = place in pods and _pod_works(pods[place], after, now)
            case _:
                works = True
        if works:
            yield f"{kind}/{place[0]}/{place[1]}"


def _job_works(job: JsonObject, pods: Iterable[JsonObject], after: float, now: datetime) -> bool:
    if how_object_ended(job) is not None:
        return False
    own = [pod for pod in pods if _controller(pod) == str(job["metadata"]["uid"])]
    return any(_pod_works(pod, after, now) for pod in own) if own else _is_young(job, after, now)


def _pod_works(pod: JsonObject, after: float, now: datetime) -> bool:
    """Whether a pod runs, or may still start."""
    if how_object_ended(pod) is not None or _waiting(pod):
        return False
    return _map(pod, "status").get("phase") == "Running" or _is_young(pod, after, now)


def _is_young(live: JsonObject, after: float, now: datetime) -> bool:
    made = parse_time(str(live["metadata"].get("creationTimestamp") or ""))
    return made is None or now - made < timedelta(seconds=after)


# --- hooks ---------------------------------------------------------------------------------------------------------


def _failed_hooks(application: JsonObject, jobs: Iterable[JsonObject]) -> Iterator[StuckArgoResource]:
    """Hook Jobs of the Application that failed, and that nobody deletes already."""
    metadata = application["metadata"]
    names = (f"{metadata['name']}:", f"{metadata['namespace']}_{metadata['name']}:")
    for job in jobs:
        annotations = job["metadata"].get("annotations") or {}
        if not any(annotations.get(key) for key in _HOOKS) or not _is_free(job["metadata"]):
            continue
        end = how_object_ended(job)
        if end is None or end.state != "Failed" or not str(annotations.get(_TRACKING) or "").startswith(names):
            continue
        hook = next(str(annotations[key]) for key in _HOOKS if annotations.get(key))
        yield _stuck("hook", job, job["metadata"], "", f"{hook} hook, {end}", f"a {hook} hook that {end}")


# --- pods ----------------------------------------------------------------------------------------------------------


def _old_pods(application: JsonObject | None, around: ApplicationWithWorkloads) -> Iterator[StuckArgoResource]:
    """Pods that a StatefulSet has moved on from and waits for, because they cannot start."""
    wanted = around.named | stateful_sets_of_application(application)
    for owner in around.stateful_sets:
        if _place(owner) not in wanted or not _is_free(owner["metadata"]):
            continue
        for pod in around.pods:
            if found := _old_pod(owner, pod):
                yield found


def _old_pod(owner: JsonObject, pod: JsonObject) -> StuckArgoResource | None:
    metadata, status = pod["metadata"], _map(owner, "status")
    at, now = str(_map(metadata, "labels").get(_HASH) or ""), str(status.get("updateRevision") or "")
    observed = status.get("observedGeneration", 0) >= owner["metadata"].get("generation", 0)
    waiting = _waiting(pod)
    if (
        _controller(pod) != str(owner["metadata"]["uid"])
        or not (observed and waiting and at and now and at != now)
        or not _is_free(metadata)
        or _is_ready(pod)
        or _ordinal(metadata["name"]) < _partition(owner)  # it would come back as it is
    ):
        return None
    since = _not_ready_since(pod)
    seen = f"of revision {at}, the template is at {now}"
    return _stuck("pod", pod, metadata, at, seen, f"{waiting}, not ready since {since}, {seen}")


def _waiting(pod: JsonObject) -> str:
    """Why a container of it cannot start; "" where none says so."""
    status = _map(pod, "status")
    entries = [*_maps(status.get("initContainerStatuses")), *_maps(status.get("containerStatuses"))]
    reasons = (str(_map(_map(one, "state"), "waiting").get("reason") or "") for one in entries)
    return next((reason for reason in reasons if reason in _CANNOT_START), "")


def _is_ready(pod: JsonObject) -> bool:
    return any(
        one.get("type") == "Ready" and one.get("status") == "True"
        for one in _maps(_map(pod, "status").get("conditions"))
    )


def _not_ready_since(pod: JsonObject) -> str:
    conditions = _maps(_map(pod, "status").get("conditions"))
    times = [str(one.get("lastTransitionTime") or "") for one in conditions if one.get("type") == "Ready"]
    return next(filter(None, times), str(pod["metadata"].get("creationTimestamp") or "an unknown time"))


def _partition(owner: JsonObject) -> int:
    value = _map(_map(_map(owner, "spec"), "updateStrategy"), "rollingUpdate").get("partition")
    return value if isinstance(value, int) else 0


def _ordinal(name: str) -> int:
    last = name.rpartition("-")[2]
    return int(last) if last.isascii() and last.isdigit() else -1


# --- parts of rules ------------------------------------------------------------------------------------------------


def _stuck(what: What, live: JsonObject, metadata: JsonObject, key: str, seen: str, evidence: str) -> StuckArgoResource:
    place = str(metadata.get("namespace") or ""), str(metadata["name"])
    uid, version = str(metadata["uid"]), str(metadata["resourceVersion"])
    return StuckArgoResource(
        what, str(live["apiVersion"]), str(live["kind"]), *place, uid, version, key, seen, evidence
    )


def _is_free(metadata: JsonObject) -> bool:
    """Whether nothing forbids to delete it: its protection, or that it is being deleted already."""
    protected = (metadata.get("annotations") or {}).get(PROTECT) == "true"
    return not (protected or metadata.get("deletionTimestamp"))


def _place(live: JsonObject) -> tuple[str, str]:
    return str(live["metadata"].get("namespace") or ""), str(live["metadata"]["name"])


def _controller(live: JsonObject) -> str:
    owners = _maps(live["metadata"].get("ownerReferences"))
    return next((str(one.get("uid")) for one in owners if one.get("controller")), "")


def _map(parent: JsonObject | None, name: str) -> JsonObject:
    value = (parent or {}).get(name)
    return value if isinstance(value, dict) else {}


def _maps(value: JsonValue) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
