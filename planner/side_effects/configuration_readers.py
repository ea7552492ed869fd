"""Who reads a ConfigMap or Secret that changes, and when: with a restart, later, or never. Pure.

The environment of a container is read once, when it starts; the files of a volume are refreshed by the kubelet; those
of a `subPath` never are (Kubernetes documentation, "ConfigMaps" and "Volumes").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum

from planner.address import Address
from planner.graph import ResourceGraph
from planner.graph.resource_index import map_or_empty, maps_or_empty, pod_spec, text_or_empty
from planner.plan import Action, Change, SideEffect, SideEffectKind
from planner.resource import ROLE, Resource
from planner.side_effects.pod_disruptions import ROLLED, restarts_pods
from planner.side_effects.untouched_objects import UntouchedObjects
from planner.values import Json, JsonObject

_DATA = ("data", "binaryData", "stringData")
_WRITES = (Action.UPDATE, Action.ADOPT, Action.REPLACE)
_UNREAD = "nothing in this selection reads what changes; pods that read it by env keep the old value until a restart"
_UNREAD_ANYWHERE = "nothing that is declared here, lives in its namespace or is delivered from here reads what changes"
_RUNS = ("CronJob", "Job", "Task", "Pipeline", "PipelineRun", "TaskRun")


ALL_KEYS = frozenset("*")


class ConfigurationReadMode(IntEnum):
    """How a pod reads it, the least lasting first."""

    VOLUME = 0
    SUB_PATH = 1
    ENV = 2


def effects_on_configuration_readers(
    changes: Sequence[Change], resources: Mapping[Address, Resource], graph: ResourceGraph, others: UntouchedObjects
) -> Iterator[SideEffect]:
    """What each change of a ConfigMap or Secret means for every reader of it: declared, delivered, or live."""
    by_address = {change.address: change for change in changes}
    restarted = workloads_of_planned_restarts(changes)
    for change in changes:
        keys = _changed_keys(change)
        if not keys:
            continue
        found = _readers(change.address, graph.needed_by(change.address), keys, resources)
        for reader, how in found:
            yield _told(change.address, reader, how, by_address.get(reader), restarted)
        elsewhere = list(_elsewhere(change.address, keys, resources, others, restarted))
        yield from elsewhere
        if not (found or elsewhere) and change.address in resources:
            yield SideEffect(change.address, SideEffectKind.LATER, _UNREAD_ANYWHERE if others.looked_at else _UNREAD)


def _elsewhere(
    configuration: Address,
    keys: frozenset[str],
    resources: Mapping[Address, Resource],
    others: UntouchedObjects,
    restarted: frozenset[str],
) -> Iterator[SideEffect]:
    """Readers that are not declared here. What is delivered restarts when its pods are to be others."""
    name = f"{configuration.kind}/{configuration.name}"
    delivered = set()
    for holder, one in others.all_delivered():
        how = _used_in(one, configuration, keys)
        if how is None:
            continue
        delivered.add(one.address.local)
        by = f"reads {name}, and is delivered by {holder.kind}/{holder.name}"
        before = others.before(one.address)
        if before is not None and _template(before) != _template(one):
            yield SideEffect(
                one.address,
                SideEffectKind.RESTART,
                f"{by}: its pods restart with the new value at the next delivery of that",
            )
        elif how is not ConfigurationReadMode.VOLUME:
            yield SideEffect(
                one.address, SideEffectKind.STALE, f"{by}: running pods keep the old value, nothing restarts them"
            )
        else:
            yield SideEffect(
                one.address, SideEffectKind.LATER, f"{by}: running pods see the new file within about two minutes"
            )
    for one in others.live:
        how = _used_in(one, configuration, keys)
        if how is not None and one.address not in resources and one.address.local not in delivered:
            told = _told(configuration, one.address, how, None, restarted)
            yield SideEffect(one.address, told.kind, f"{told.text} (it lives, and is not declared here)")


def _used_in(one: Resource, configuration: Address, keys: frozenset[str]) -> ConfigurationReadMode | None:
    found = one.address.namespace == configuration.namespace and pod_spec(one.manifest) is not None
    return configuration_read_mode(one.manifest, configuration, keys) if found else None


def _template(one: Resource) -> Json:
    return map_or_empty(one.manifest.get("spec")).get("template")


def effects_on_readers_of_written_secret(
    secret: Address, dependents: Sequence[Address], resources: Mapping[Address, Resource], restarted: frozenset[str]
) -> Iterator[SideEffect]:
    """What new values of a Secret that a SecretSource writes mean for `dependents` of the source. `restarted` are
    workloads that a Restart restarts then, by their address without a place."""
    for reader, how in _readers(secret, dependents, ALL_KEYS, resources):
        yield _told(secret, reader, how, None, restarted)


def _readers(
    configuration: Address, candidates: Sequence[Address], keys: frozenset[str], resources: Mapping[Address, Resource]
) -> list[tuple[Address, ConfigurationReadMode]]:
    """Which of `candidates` read any of the keys of a ConfigMap or Secret, and how."""
    known = ((one, resources[one].manifest) for one in candidates if one in resources)
    return [
        (one, how)
        for one, manifest in known
        if (how := configuration_read_mode(manifest, configuration, keys)) is not None
    ]


def _changed_keys(change: Change) -> frozenset[str]:
    """The keys whose values change; `*` for all. Empty when the content stays as it is."""
    address = change.address
    if _is_rules(change):
        return frozenset()  # hwplan reads them when it plans, no pod does
    if address.group or address.kind not in ("ConfigMap", "Secret") or change.action not in _WRITES:
        return frozenset()
    paths = [item.path for item in change.altered if item.path and item.path[0] in _DATA]
    return frozenset(str(path[1]) if len(path) > 1 else "*" for path in paths)


def _is_rules(change: Change) -> bool:
    annotations = map_or_empty(map_or_empty((change.desired or {}).get("metadata")).get("annotations"))
    return annotations.get(ROLE) == "rules"


def is_restart_kind(address: Address) -> bool:
    """Whether it is hwplan's own kind that restarts a workload."""
    return address.kind == "Restart" and not address.group


def workloads_of_planned_restarts(changes: Sequence[Change]) -> frozenset[str]:
    """The workloads that the resources of kind Restart in this plan restart, by their address without a place."""
    runs = (one for one in changes if is_restart_kind(one.address) and one.action is Action.RUN)
    return frozenset(text_or_empty(map_or_empty((one.desired or {}).get("spec")).get("target")) for one in runs)


def _told(
    configuration: Address, reader: Address, how: ConfigurationReadMode, by: Change | None, restarted: frozenset[str]
) -> SideEffect:
    name = f"{configuration.kind}/{configuration.name}"
    if reader.kind in _RUNS:
        return SideEffect(reader, SideEffectKind.LATER, f"reads {name}: runs that start from now on see the new value")
    if restarts_pods(by) or reader.local in restarted:
        return SideEffect(reader, SideEffectKind.RESTART, f"reads {name}: its restarted pods see the new value")
    rolled = reader.kind in ROLLED
    match how:
        case ConfigurationReadMode.ENV:
            reported = f"reads {name} by env: running pods keep the old value, nothing restarts them"
        case ConfigurationReadMode.SUB_PATH:
            reported = (
                f"mounts {name} by subPath, which is never refreshed: pods keep the old file, nothing restarts them"
            )
        case _:
            reported = f"mounts {name}: running pods see the new file within about two minutes, if they look again"
            return SideEffect(reader, SideEffectKind.LATER, reported)
    remedy = f"; kubectl rollout restart, or a Restart whose 'on' names {configuration.local}" if rolled else ""
    return SideEffect(reader, SideEffectKind.STALE, reported + remedy)


def configuration_read_mode(
    manifest: JsonObject, address: Address, keys: frozenset[str]
) -> ConfigurationReadMode | None:
    """How the pods of a workload read any of the keys of a ConfigMap or Secret; None when they do not."""
    found = pod_spec(manifest)
    if found is None:
        return (
            ConfigurationReadMode.ENV if manifest.get("kind") in _RUNS else None
        )  # the graph knows that it is named somewhere
    spec = found[1]
    ways = [ConfigurationReadMode.ENV for container in _containers(spec) if _in_environment(container, address, keys)]
    volumes = {
        text_or_empty(one.get("name")) for one in maps_or_empty(spec.get("volumes")) if _in_volume(one, address, keys)
    }
    for container in _containers(spec):
        mounts = [
            one for one in maps_or_empty(container.get("volumeMounts")) if text_or_empty(one.get("name")) in volumes
        ]
        ways += [
            ConfigurationReadMode.SUB_PATH
            if one.get("subPath") or one.get("subPathExpr")
            else ConfigurationReadMode.VOLUME
            for one in mounts
        ]
    return max(ways, default=None)


def _containers(spec: JsonObject) -> list[JsonObject]:
    return [one for key in ("initContainers", "containers") for one in maps_or_empty(spec.get(key))]


def _in_environment(container: JsonObject, address: Address, keys: frozenset[str]) -> bool:
    one, many = ("configMapKeyRef", "configMapRef") if address.kind == "ConfigMap" else ("secretKeyRef", "secretRef")
    for source in maps_or_empty(container.get("envFrom")):
        if map_or_empty(source.get(many)).get("name") == address.name:
            return True
    for variable in maps_or_empty(container.get("env")):
        named = map_or_empty(map_or_empty(variable.get("valueFrom")).get(one))
        if named.get("name") == address.name and keys & {text_or_empty(named.get("key")), "*"}:
            return True
    return False


def _in_volume(volume: JsonObject, address: Address, keys: frozenset[str]) -> bool:
    own, name = ("configMap", "name") if address.kind == "ConfigMap" else ("secret", "secretName")
    sources = [(map_or_empty(volume.get(own)), name)]
    sources += [
        (map_or_empty(one.get(own)), "name")
        for one in maps_or_empty(map_or_empty(volume.get("projected")).get("sources"))
    ]
    return any(source.get(key) == address.name and _of_items(source, keys) for source, key in sources)


def _of_items(source: JsonObject, keys: frozenset[str]) -> bool:
    """Whether a volume takes one of the keys: all of them where it lists none."""
    items = {text_or_empty(one.get("key")) for one in maps_or_empty(source.get("items"))}
    return not items or bool(keys & (items | {"*"}))
