"""Warnings of the API server about pods and pod templates, in its words. Pure.

Gets a template (or a Pod) as it is stored. Source: `pkg/api/pod/warnings.go` and `pkg/api/node` of Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planner.values import Json, JsonObject
from providers.kubernetes.ssa.builtin_value_formats import is_label_value
from providers.kubernetes.ssa.claim_warnings import claim_spec_warnings
from providers.kubernetes.ssa.go_quoting import go_quoted
from providers.kubernetes.ssa.ip_address_warnings import ip_address_warnings
from providers.kubernetes.ssa.overlapping_volume_item_warnings import overlapping_volume_item_warnings
from providers.kubernetes.ssa.pod_validation_rules import maps_in_list
from providers.kubernetes.ssa.quantity import quantity_amount

NODE_LABELS: Final = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
VOLUMES: Final = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
SPELLED: Final = {"storageos": "storageOS"}  # the server's messages name the field so
_BYTES = ("memory", "ephemeral-storage")
_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_NO_SELECTOR = "a null labelSelector results in matching no pod"
_LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def pod_warnings(path: str, template: JsonObject) -> Iterator[str]:
    """Warnings about a pod template at `path` (`spec.template`), or about a Pod (path "")."""
    here = f"{path}." if path else ""
    spec, meta = template.get("spec") or {}, template.get("metadata") or {}
    annotations = meta.get("annotations") or {}
    yield from _scheduling(f"{here}spec", spec)
    yield from (
        f"{here}metadata.annotations[{key}]: {_ANNOTATIONS[key]}" for key in sorted(annotations.keys() & _ANNOTATIONS)
    )
    yield from _volumes(f"{here}spec.volumes", spec)
    yield from overlapping_volume_item_warnings(maps_in_list(spec, "volumes"))
    yield from _repeated(f"{here}spec.hostAliases", spec, "hostAliases", "ip", "duplicate ip")
    yield from _repeated(f"{here}spec.imagePullSecrets", spec, "imagePullSecrets", "name", "duplicate name")
    for index, item in enumerate(maps_in_list(spec, "imagePullSecrets")):
        if not item.get("name"):
            yield f'{here}spec.imagePullSecrets[{index}].name: invalid empty name ""'
    yield from fractional_byte_warnings(f"{here}spec.overhead", spec.get("overhead") or {}, _BYTES)
    yield from _profiles(f"{here}metadata.annotations", spec, annotations, is_template=bool(path))
    for place, container in _containers(f"{here}spec", spec):
        resources = container.get("resources") or {}
        for part in ("limits", "requests"):
            yield from fractional_byte_warnings(f"{place}.resources.{part}", resources.get(part) or {}, _BYTES)
        yield from _environment(f"{place}.env", container)
    yield from _ports(f"{here}spec", spec)
    grace = spec.get("terminationGracePeriodSeconds")
    if isinstance(grace, int) and grace < 0:
        words = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{here}spec.terminationGracePeriodSeconds: {words}"
    for index, server in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        yield from ip_address_warnings(f"{here}spec.dnsConfig.nameservers[{index}]", server)
    for index, alias in enumerate(maps_in_list(spec, "hostAliases")):
        yield from ip_address_warnings(f"{here}spec.hostAliases[{index}].ip", alias.get("ip"))


def fractional_byte_warnings(path: str, amounts: JsonObject, names: tuple[str, ...]) -> Iterator[str]:
    """Warnings about amounts of bytes that are no whole number."""
    for name in names:
        amount = quantity_amount(amounts.get(name))
        if amount is not None and amount % 1:
            words = f"fractional byte value {go_quoted(amounts[name])} is invalid, must be an integer"
            yield f"{path}[{name}]: {words}"


def node_affinity_term_warnings(path: str, term: JsonObject, *, values: bool = False) -> Iterator[str]:
    """Warnings about one term of a node affinity; with `values` also about values that no label has."""
    for index, item in enumerate(maps_in_list(term, "matchExpressions")):
        if words := NODE_LABELS.get(str(item.get("key"))):
            yield f"{path}.matchExpressions[{index}].key: {item['key']} is {words}"
        for number, value in enumerate(item.get("values") or () if values else ()):
            if not is_label_value(str(value)):
                words = "must be no more than 63 bytes" if len(str(value)) > 63 else _LABEL_VALUE
                yield f"{path}.matchExpressions[{index}].values[{number}]: {value} is invalid, {words}"


def _scheduling(path: str, spec: JsonObject) -> Iterator[str]:
    for key in spec.get("nodeSelector") or {}:
        if key in NODE_LABELS:
            yield f"{path}.nodeSelector[{key}]: {NODE_LABELS[key]}"
    affinity = spec.get("affinity") or {}
    node = affinity.get("nodeAffinity") or {}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    terms = maps_in_list(node.get(required) or {}, "nodeSelectorTerms")
    for index, term in enumerate(terms):
        yield from node_affinity_term_warnings(
            f"{path}.affinity.nodeAffinity.{required}.nodeSelectorTerms[{index}]", term
        )
    for index, term in enumerate(maps_in_list(node, preferred)):
        place = f"{path}.affinity.nodeAffinity.{preferred}[{index}].preference"
        yield from node_affinity_term_warnings(place, term.get("preference") or {}, values=True)
    for index, item in enumerate(maps_in_list(spec, "topologySpreadConstraints")):
        place = f"{path}.topologySpreadConstraints[{index}]"
        if words := NODE_LABELS.get(str(item.get("topologyKey"))):
            yield f"{place}.topologyKey: {item['topologyKey']} is {words}"
        if item.get("labelSelector") is None:
            yield f"{place}.labelSelector: {_NO_SELECTOR}"
    for name in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(name) or {}
        for index, term in enumerate(maps_in_list(found, required)):
            if term.get("labelSelector") is None:
                yield f"{path}.affinity.{name}.{required}[{index}].labelSelector: {_NO_SELECTOR}"
        for index, term in enumerate(maps_in_list(found, preferred)):
            if (term.get("podAffinityTerm") or {}).get("labelSelector") is None:
                place = f"{path}.affinity.{name}.{preferred}[{index}].podAffinityTerm.labelSelector"
                yield f"{place}: {_NO_SELECTOR}"


def _volumes(path: str, spec: JsonObject) -> Iterator[str]:
    for index, volume in enumerate(maps_in_list(spec, "volumes")):
        for name in sorted(volume.keys() & VOLUMES):
            yield f"{path}[{index}].{SPELLED.get(name, name)}: {VOLUMES[name]}"
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}
        yield from claim_spec_warnings(
            f"{path}[{index}].ephemeral.volumeClaimTemplate.spec", template.get("spec") or {}
        )


def _repeated(path: str, spec: JsonObject, field: str, key: str, words: str) -> Iterator[str]:
    seen: set[Json] = set()
    for index, item in enumerate(maps_in_list(spec, field)):
        value = item.get(key) or ""
        if value in seen:
            yield f"{path}[{index}].{key}: {words} {go_quoted(value)}"
        seen.add(value)


def _containers(path: str, spec: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(maps_in_list(spec, field)):
            yield f"{path}.{field}[{index}]", container


def _profiles(path: str, spec: JsonObject, annotations: JsonObject, *, is_template: bool) -> Iterator[str]:
    """Annotations of seccomp and AppArmor that fields have replaced."""
    whole = spec.get("securityContext") or {}
    if whole.get("seccompProfile") is None and _SECCOMP_POD in annotations:
        yield f"{path}[{_SECCOMP_POD}]: {_SECCOMP}"
    for _, container in _containers("", spec):
        name, own = str(container.get("name")), container.get("securityContext") or {}
        if own.get("seccompProfile") is None and _SECCOMP_CONTAINER + name in annotations:
            yield f"{path}[{_SECCOMP_CONTAINER}{name}]: {_SECCOMP}"
        key = _APPARMOR + name
        if key not in annotations or own.get("appArmorProfile") is not None:
            continue
        profile = _app_armor(str(annotations[key]))
        if profile is None or whole.get("appArmorProfile") != profile:
            yield f'{path}[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'


def _app_armor(annotation: str) -> JsonObject | None:
    """The profile that an annotation stands for."""
    local = annotation.removeprefix("localhost/")
    if local and local != annotation:
        return {"type": "Localhost", "localhostProfile": local}
    kind = {"unconfined": "Unconfined", "runtime/default": "RuntimeDefault"}.get(annotation)
    return {"type": kind} if kind else None


def _environment(path: str, container: JsonObject) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(maps_in_list(container, "env")):
        name, value = str(item.get("name")), str(item.get("value") or "")
        reference = f"$({name})"
        if name in seen and (item.get("valueFrom") is not None or value == reference or reference not in value):
            words = f"hides previous definition of {go_quoted(name)}, which may be dropped when using apply"
            yield f"{path}[{index}]: {words}"
        seen.add(name)


def _ports(path: str, spec: JsonObject) -> Iterator[str]:
    known: dict[tuple[Json, Json], list[tuple[str, JsonObject]]] = {}
    names: dict[str, str] = {}
    for place, container in _containers(path, spec):
        for index, port in enumerate(maps_in_list(container, "ports")):
            here = f"{place}.ports[{index}]"
            if port.get("hostIP") and not port.get("hostPort"):
                fields = ("name", "hostPort", "containerPort", "protocol", "hostIP")
                shown = " ".join(f"{f[0].upper()}{f[1:]}:{port.get(f, 0 if f == 'hostPort' else '')}" for f in fields)
                yield f"{here}: hostIP set without hostPort: {{{shown}}}"
            others = known.setdefault((port.get("containerPort"), port.get("protocol")), [])
            yield from (
                f"{here}: {words} port definition with {at}" for at, other in others if (words := _clash(port, other))
            )
            others.append((here, port))
            if name := str(port.get("name") or ""):
                if other_place := names.get(name):
                    words = f"services and probes that select ports by name will use {other_place}"
                    yield f"{here}: duplicate port name {go_quoted(name)} with {other_place}, {words}"
                names.setdefault(name, here)


def _clash(port: JsonObject, other: JsonObject) -> str:
    """How two ports of one number and protocol stand to each other; "" where both can be."""
    hosts = [one.get("hostPort") or 0 for one in (port, other)]
    addresses = [one.get("hostIP") or "" for one in (port, other)]
    if hosts[0] == hosts[1] and addresses[0] == addresses[1]:
        return "duplicate"
    if not all(hosts):
        return "overlapping"
    return "dangerously ambiguous" if hosts[0] == hosts[1] and addresses.count("") == 1 else ""
