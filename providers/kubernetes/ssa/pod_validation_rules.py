"""Rules between the fields of pods and their containers; see builtin_validation_rules.py. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from planner.field_path import FieldPath
from planner.values import JsonObject
from providers.kubernetes.ssa.builtin_value_formats import is_qualified_name
from providers.kubernetes.ssa.quantity import quantity_amount

Problem: TypeAlias = tuple[FieldPath, str]
Rule: TypeAlias = Callable[[JsonObject], Iterator[Problem]]

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_RESOURCES = frozenset(("cpu", "memory", "ephemeral-storage"))


def maps_in_list(value: JsonObject, field: str) -> list[JsonObject]:
    """The items of a list field that are maps."""
    return [item for item in value.get(field) or () if isinstance(item, dict)]


def duplicate_items(value: JsonObject, field: str, key: str) -> Iterator[Problem]:
    """Items of a list that have the same value under `key`."""
    counted = Counter(item.get(key) for item in maps_in_list(value, field) if item.get(key))
    yield from (((field,), f"Duplicate value: {key} {name!r}") for name, count in counted.items() if count > 1)


def exactly_one_field(value: JsonObject, names: tuple[str, ...], words: str, at_least: int = 1) -> Iterator[Problem]:
    """Whether exactly one (at at_least `at_least`) of these fields is set."""
    found = sum(value.get(name) is not None for name in names)
    if not at_least <= found <= 1:
        yield (), words


def _handler(value: JsonObject) -> Iterator[Problem]:
    yield from exactly_one_field(value, _HANDLERS, "Required value: must specify one handler type")


def _downward(value: JsonObject) -> Iterator[Problem]:
    yield from exactly_one_field(
        value, ("fieldRef", "resourceFieldRef"), "one of fieldRef and resourceFieldRef is required"
    )


def _container(value: JsonObject) -> Iterator[Problem]:
    yield from duplicate_items(value, "volumeMounts", "mountPath")
    yield from duplicate_items(value, "ports", "name")
    if (value.get("securityContext") or {}).get("privileged") is not True:
        for index, mount in enumerate(maps_in_list(value, "volumeMounts")):
            if mount.get("mountPropagation") == "Bidirectional":
                words = "Bidirectional mount propagation is available only to privileged containers"
                yield ("volumeMounts", index, "mountPropagation"), words


def _profile(value: JsonObject) -> Iterator[Problem]:
    """A profile of seccomp or of AppArmor: a file of the node is named exactly where it is one."""
    local = value.get("type") == "Localhost"
    if local and not value.get("localhostProfile"):
        yield ("localhostProfile",), "Required value: must be set when type is Localhost"
    elif not local and value.get("localhostProfile") is not None:
        yield ("localhostProfile",), "can only be set when type is Localhost"


def _resources(value: JsonObject) -> Iterator[Problem]:
    limits, requests = value.get("limits") or {}, value.get("requests") or {}
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, text in amounts.items():
            if (
                name not in _RESOURCES
                and not name.startswith("hugepages-")
                and not ("/" in name and is_qualified_name(name))
            ):
                yield (part, name), "Invalid value: must be a standard resource type or fully qualified"
            amount = quantity_amount(text)
            if amount is not None and amount < 0:
                yield (part, name), "Invalid value: must be greater than or equal to 0"
            elif amount is not None and amount % 1 and "/" in name and not name.startswith("kubernetes.io/"):
                yield (part, name), "Invalid value: must be an integer"
    for name in limits.keys() & requests.keys():
        low, high = quantity_amount(requests[name]), quantity_amount(limits[name])
        if low is not None and high is not None and low > high:
            yield ("requests", name), f"Invalid value: must be less than or equal to {name} limit"


def _env_var(value: JsonObject) -> Iterator[Problem]:
    source = value.get("valueFrom")
    if source is not None:
        if value.get("value"):
            yield ("valueFrom",), "may not be specified when `value` is not empty"
        names = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
        yield from exactly_one_field(source, names, "must specify one source of the value")


def _env_from(value: JsonObject) -> Iterator[Problem]:
    yield from exactly_one_field(
        value, ("configMapRef", "secretRef"), "must specify one of: `configMapRef` or `secretRef`"
    )


def _volume(value: JsonObject) -> Iterator[Problem]:
    if sum(item is not None for key, item in value.items() if key != "name") > 1:
        yield (), "may not specify more than 1 volume type"


def _mounts(spec: JsonObject, claims: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """Whether each container mounts volumes that the pod has; `claims` are those that its workload adds."""
    volumes = claims | {str(volume.get("name")) for volume in maps_in_list(spec, "volumes")}
    for field in ("containers", "initContainers"):
        for index, container in enumerate(maps_in_list(spec, field)):
            for mount in maps_in_list(container, "volumeMounts"):
                if str(mount.get("name")) not in volumes:
                    yield (field, index, "volumeMounts"), f"Not found: {mount.get('name')!r}"


def check_pod_mounts(value: JsonObject) -> Iterator[Problem]:
    """What is wrong with the volume mounts of a Pod: names of volumes that it does not have."""
    yield from ((("spec", *path), words) for path, words in _mounts(value.get("spec") or {}))


def check_template_mounts(value: JsonObject) -> Iterator[Problem]:
    """What is wrong with the volume mounts of a workload's pod template. A StatefulSet's claims are volumes too."""
    claims = frozenset(
        str((one.get("metadata") or {}).get("name")) for one in maps_in_list(value, "volumeClaimTemplates")
    )
    spec = (value.get("template") or {}).get("spec") or {}
    yield from ((("template", "spec", *path), words) for path, words in _mounts(spec, claims))


def _pod_spec(value: JsonObject) -> Iterator[Problem]:
    yield from duplicate_items(value, "volumes", "name")
    both = {"containers": [*maps_in_list(value, "containers"), *maps_in_list(value, "initContainers")]}
    yield from duplicate_items(both, "containers", "name")
    for field in ("containers", "initContainers"):
        for index, container in enumerate(maps_in_list(value, field)):
            if field == "initContainers" and container.get("restartPolicy") != "Always":
                for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                    if container.get(name) is not None:
                        yield (field, index, name), "may not be set for init containers without restartPolicy=Always"
    for index, toleration in enumerate(maps_in_list(value, "tolerations")):
        yield from ((("tolerations", index), words) for words in _toleration(toleration))
    yield from _probes(value)
    yield from _network(value)


def _network(value: JsonObject) -> Iterator[Problem]:
    if value.get("hostNetwork") is True:
        for field in ("containers", "initContainers"):
            for index, container in enumerate(maps_in_list(value, field)):
                for number, port in enumerate(maps_in_list(container, "ports")):
                    if port.get("hostPort") not in (None, port.get("containerPort")):
                        here = (field, index, "ports", number, "hostPort")
                        yield here, "must match `containerPort` when `hostNetwork` is true"
    if value.get("dnsPolicy") == "None":
        if value.get("dnsConfig") is None:
            yield ("dnsConfig",), "Required value: must provide `dnsConfig` when `dnsPolicy` is None"
        elif not value["dnsConfig"].get("nameservers"):
            words = "Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield ("dnsConfig", "nameservers"), words


def _security(value: JsonObject) -> Iterator[Problem]:
    if value.get("allowPrivilegeEscalation") is not False:
        return
    if value.get("privileged") is True:
        yield (), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
    if "CAP_SYS_ADMIN" in ((value.get("capabilities") or {}).get("add") or ()):
        yield (), "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"


def _probes(value: JsonObject) -> Iterator[Problem]:
    for index, container in enumerate(maps_in_list(value, "containers")):
        for name in ("livenessProbe", "startupProbe"):
            if (container.get(name) or {}).get("successThreshold", 1) != 1:
                yield ("containers", index, name, "successThreshold"), "must be 1"


def _toleration(value: JsonObject) -> Iterator[str]:
    if not value.get("key") and value.get("operator", "Equal") not in ("Exists",):
        yield "operator must be Exists when `key` is empty"
    if value.get("operator") == "Exists" and value.get("value"):
        yield "value must be empty when `operator` is 'Exists'"
    if value.get("tolerationSeconds") is not None and value.get("effect") != "NoExecute":
        yield "effect must be 'NoExecute' when `tolerationSeconds` is set"


POD_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "core.v1.AppArmorProfile": (_profile,),
    "core.v1.Container": (_container,),
    "core.v1.DownwardAPIVolumeFile": (_downward,),
    "core.v1.EnvFromSource": (_env_from,),
    "core.v1.EnvVar": (_env_var,),
    "core.v1.LifecycleHandler": (_handler,),
    "core.v1.PodSpec": (_pod_spec,),
    "core.v1.Probe": (_handler,),
    "core.v1.ResourceRequirements": (_resources,),
    "core.v1.SeccompProfile": (_profile,),
    "core.v1.SecurityContext": (_security,),
    "core.v1.Volume": (_volume,),
}
