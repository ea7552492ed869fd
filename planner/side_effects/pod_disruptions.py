"""Pods that a change of their workload starts, stops or replaces, and whether the service has a gap. Pure.

Source of the rules: Kubernetes API reference of Deployment, StatefulSet and DaemonSet (strategy, updateStrategy, with
their defaults).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from planner.graph.resource_index import map_or_empty, pod_spec
from planner.plan import Action, Change, SideEffect, SideEffectKind
from planner.ports import Observation, PresentObject
from planner.resource import Resource
from planner.values import JsonObject, JsonValue

ROLLED = ("Deployment", "StatefulSet", "DaemonSet")  # kinds whose controller replaces pods when their template changes
_GRACE = 30  # seconds, the API's default
_DEADLINE = 600  # seconds, the API's default of progressDeadlineSeconds


def effects_on_workload(change: Change, seen: Observation | None, gone: Sequence[Resource]) -> Iterator[SideEffect]:
    """What happens to the pods and the data of a workload or a claim."""
    live = (seen.value or {}) if isinstance(seen, PresentObject) else {}
    if change.action is Action.DELETE:
        live = next((one.manifest for one in gone if one.address == change.address), live)
        yield from _deleted(change, live)
    elif change.action is Action.REPLACE:
        yield from _replaced(change, live)
    elif change.address.kind in ROLLED and change.address.group == "apps":
        yield from _changed(change, live)


def restarts_pods(change: Change | None) -> bool:
    """Whether the pods of a workload start anew with this change."""
    if change is None:
        return False
    if change.action in (Action.CREATE, Action.REPLACE):
        return True
    return change.address.kind in ROLLED and any(item.path[:2] == ("spec", "template") for item in change.altered)


def wanted_replicas(desired: JsonObject, live: JsonObject) -> int:
    """How many pods are wanted: as declared, else as it is now (an autoscaler's number), else the API's default."""
    for manifest in (desired, live):
        count = map_or_empty(manifest.get("spec")).get("replicas")
        if isinstance(count, int) and not isinstance(count, bool):
            return count
    return 1


def _changed(change: Change, live: JsonObject) -> Iterator[SideEffect]:
    desired = change.desired or {}
    count = wanted_replicas(desired, live)
    if change.action is Action.CREATE:
        if change.address.kind != "DaemonSet":
            yield SideEffect(change.address, SideEffectKind.SCALE, f"{pod_count_text(count)} start{'s' * (count == 1)}")
        return
    scaled = next((item for item in change.altered if item.path == ("spec", "replicas")), None)
    if scaled is not None:
        count = scaled.after if isinstance(scaled.after, int) else 1  # taken away, it becomes the API's default
    if scaled is not None and count == 0:
        yield SideEffect(
            change.address, SideEffectKind.OUTAGE, f"scales {_number(scaled.before)} -> 0: all of its pods stop"
        )
    elif scaled is not None:
        yield SideEffect(change.address, SideEffectKind.SCALE, f"scales {_number(scaled.before)} -> {count}")
    if restarts_pods(change) and (count or change.address.kind == "DaemonSet"):
        yield _rolled(change, desired, count)


def _rolled(change: Change, desired: JsonObject, count: int) -> SideEffect:
    spec = map_or_empty(desired.get("spec"))
    match change.address.kind:
        case "Deployment":
            kind, text = _deployment(spec, count)
        case "StatefulSet":
            kind, text = _stateful_set(spec, count)
        case _:
            kind, text = _daemon_set(spec)
    return SideEffect(change.address, kind, text)


def _deployment(spec: JsonObject, count: int) -> tuple[SideEffectKind, str]:
    strategy, gap = map_or_empty(spec.get("strategy")), _gap(spec, "Deployment")
    if spec.get("paused") is True:
        return SideEffectKind.LATER, "it is paused: no pod restarts until it is resumed"
    if strategy.get("type") == "Recreate":
        return SideEffectKind.OUTAGE, f"{_all(count)} before a new one starts (Recreate): no pod serves {gap}"
    rolling = map_or_empty(strategy.get("rollingUpdate"))
    surge = _share(rolling.get("maxSurge", "25%"), count, up=True)
    away = _share(rolling.get("maxUnavailable", "25%"), count, up=False)
    if not surge and not away:
        away = 1  # as the server does: one of the two has to be possible
    ready = count - away
    if ready < 1:
        reported = f"{_all(count)} while the new one starts (maxUnavailable {away})"
        return SideEffectKind.OUTAGE, f"{reported}: no pod serves {gap}"
    reported = (
        f"{pod_count_text(count)} restart{'s' * (count == 1)}, at least {ready} stay{'s' * (ready == 1)} ready: no gap"
    )
    return SideEffectKind.RESTART, reported + _unprobed(spec)


def _stateful_set(spec: JsonObject, count: int) -> tuple[SideEffectKind, str]:
    strategy = map_or_empty(spec.get("updateStrategy"))
    if strategy.get("type") == "OnDelete":
        return SideEffectKind.STALE, "its pods keep the old template until somebody deletes them (OnDelete)"
    partition = map_or_empty(strategy.get("rollingUpdate")).get("partition")
    renewed = count - min(count, partition) if isinstance(partition, int) else count
    if not renewed:
        return SideEffectKind.LATER, f"no pod restarts: the partition {partition} keeps all of them back"
    if count == 1:
        return SideEffectKind.OUTAGE, f"its only pod stops before the new one starts: no pod serves {_gap(spec)}"
    of = f" of {count}" if renewed != count else ""
    return SideEffectKind.RESTART, f"{renewed}{of} pods restart one after another, each away until its new one is ready"


def _daemon_set(spec: JsonObject) -> tuple[SideEffectKind, str]:
    strategy = map_or_empty(spec.get("updateStrategy"))
    if strategy.get("type") == "OnDelete":
        return SideEffectKind.STALE, "its pods keep the old template until somebody deletes them (OnDelete)"
    at_once = map_or_empty(strategy.get("rollingUpdate")).get("maxUnavailable", 1)
    return (
        SideEffectKind.RESTART,
        f"the pod of every node restarts, {at_once} at a time, each node without one meanwhile",
    )


def _deleted(change: Change, live: JsonObject) -> Iterator[SideEffect]:
    kind, group = change.address.kind, change.address.group
    if kind in ROLLED and group == "apps":
        count = "its pods on every node" if kind == "DaemonSet" else f"its {pod_count_text(wanted_replicas(live, {}))}"
        yield SideEffect(change.address, SideEffectKind.OUTAGE, f"{count} stop for good")
    elif (kind, group) == ("PersistentVolumeClaim", ""):
        reported = "its volume is released: the data goes with it unless the volume's reclaim policy is Retain"
        yield SideEffect(change.address, SideEffectKind.LOSS, reported)
    elif (kind, group) == ("Namespace", ""):
        yield SideEffect(change.address, SideEffectKind.LOSS, "everything in the namespace goes with it")
    elif (kind, group) == ("CustomResourceDefinition", "apiextensions.k8s.io"):
        yield SideEffect(change.address, SideEffectKind.LOSS, "every object of the kind goes with it")


def _replaced(change: Change, live: JsonObject) -> Iterator[SideEffect]:
    kind = change.address.kind
    if kind in ROLLED:
        count = wanted_replicas(change.desired or {}, live)
        spec = map_or_empty((change.desired or {}).get("spec"))
        reported = f"deleted and created anew with {pod_count_text(count)}: no pod serves {_gap(spec, kind)}"
        yield SideEffect(change.address, SideEffectKind.OUTAGE, reported)
    elif kind == "PersistentVolumeClaim":
        reported = "deleted and created anew: the data goes unless the volume's reclaim policy is Retain"
        yield SideEffect(change.address, SideEffectKind.LOSS, reported)
    elif kind == "Service":
        declared = map_or_empty((change.desired or {}).get("spec"))
        given = declared.get("clusterIP") or declared.get("clusterIPs") or declared.get("type") == "ExternalName"
        reported = "deleted and created anew: no traffic in between" + ("" if given else ", and another cluster IP")
        yield SideEffect(change.address, SideEffectKind.OUTAGE, reported)


def pod_count_text(count: int) -> str:
    """The text for a number of pods: `1 pod`, `3 pods`."""
    return f"{count} pod{'s' * (count != 1)}"


def _all(count: int) -> str:
    return "its only pod stops" if count == 1 else f"all {count} pods stop"


def pod_stop_seconds(desired: JsonObject) -> int:
    """How many seconds a pod of a workload has to stop (`terminationGracePeriodSeconds`, with the API's default)."""
    template = map_or_empty(map_or_empty(desired.get("spec")).get("template"))
    found = map_or_empty(template.get("spec")).get("terminationGracePeriodSeconds", _GRACE)
    return found if isinstance(found, int) else _GRACE


def _gap(spec: JsonObject, kind: str = "") -> str:
    bound = f", given up after {_progress_deadline(spec)} s without progress" if kind == "Deployment" else ""
    stop = pod_stop_seconds({"spec": spec})
    return f"from then until the new one is ready (up to {stop} s to stop, then its start{bound})"


def _progress_deadline(spec: JsonObject) -> int:
    """Seconds after which a Deployment without progress counts as failed (`progressDeadlineSeconds`); its pods stay as
    they are. The other kinds have no such limit."""
    found = spec.get("progressDeadlineSeconds", _DEADLINE)
    return found if isinstance(found, int) else _DEADLINE


def _unprobed(spec: JsonObject) -> str:
    """A pod without a readiness probe counts as ready as soon as it runs."""
    found = pod_spec({"spec": spec})
    containers = found[1].get("containers") if found else None
    probed = isinstance(containers, list) and any("readinessProbe" in map_or_empty(one) for one in containers)
    return "" if probed else "; without a readinessProbe a new pod counts as ready once it runs"


def _share(value: JsonValue, count: int, *, up: bool) -> int:
    """A number of pods, or a percentage of them: rounded up for a surge, down for what may be unavailable."""
    if isinstance(value, int):
        return value
    digits = value.removesuffix("%") if isinstance(value, str) else ""
    if not digits.isascii() or not digits.isdigit():
        return 0
    part = int(digits) * count / 100
    return math.ceil(part) if up else math.floor(part)


def _number(value: JsonValue) -> str:
    return str(value) if isinstance(value, int) else "1"
