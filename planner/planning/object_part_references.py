"""Parts of an object that others name: keys, ports, results, rules. What an object has, and what an object uses. Pure.

Knows the shapes in which fields of Kubernetes, Tekton and Argo CD name a part; where nothing is known, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from planner.address import Address
from planner.dataclass import dataclass
from planner.graph.resource_index import accounts_of_binding, map_or_empty, maps_or_empty, pod_spec, text_or_empty
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from planner.values import JsonObject, JsonValue, canonical_bytes, encode_special_leaves

Part: TypeAlias = tuple[str, str]  # sort and name: ("key", "tls.crt"), ("port", "http")
ANY = "*"  # some part of that sort, it is not known which: an account uses a rule of its role
WHOLE: Part = (ANY, ANY)  # everything: a mounted ConfigMap

_RBAC, _TEKTON, _ARGO = "rbac.authorization.k8s.io", "tekton.dev", "argoproj.io"
_NOWHERE = SourceRef("")
_RESULT = re.compile(r"\$\((?:tasks|finally|steps)\.([\w-]+)\.results\.([\w-]+)")


@dataclass(frozen=True, slots=True)
class UsedPartOfOtherObject:
    """A part (a key, a port) of another object that an object uses: the address of that object, and its part."""

    of: Address
    part: Part


def parts_of_object_others_can_name(address: Address, manifest: JsonObject) -> frozenset[Part]:
    """Give the parts of one object that other objects can name: keys, ports, results, rules."""
    return frozenset(_parts(address, manifest))


def _parts(address: Address, manifest: JsonObject) -> Iterator[Part]:
    spec = map_or_empty(manifest.get("spec"))
    match address.kind, address.group:
        case (("ConfigMap" | "Secret"), ""):
            for field in ("data", "binaryData", "stringData"):
                yield from (("key", key) for key in map_or_empty(manifest.get(field)))
        case "Service", "":
            for port in maps_or_empty(spec.get("ports")):
                yield from (("port", str(port[key])) for key in ("name", "port") if key in port)
        case (("Role" | "ClusterRole"), group) if group == _RBAC:
            yield from _rules(manifest)
        case (("RoleBinding" | "ClusterRoleBinding"), group) if group == _RBAC:
            accounts = accounts_of_binding(Resource(address, "", manifest, "", "", _NOWHERE))
            yield from (("subject", f"{namespace}/{name}") for namespace, name in accounts)
        case (("Task" | "StepAction" | "Pipeline"), group) if group == _TEKTON:
            for sort, field in (("result", "results"), ("workspace", "workspaces")):
                yield from ((sort, text_or_empty(one.get("name"))) for one in maps_or_empty(spec.get(field)))
        case "AppProject", group if group == _ARGO:
            yield from (("source", text_or_empty(one)) for one in spec.get("sourceRepos") or ())
            yield from (("destination", _destination(one)) for one in maps_or_empty(spec.get("destinations")))
        case _:
            yield from _pod_parts(manifest)


def _rules(manifest: JsonObject) -> Iterator[Part]:
    """Each right by itself, so that a rule that is only written otherwise takes nothing away."""
    for rule in maps_or_empty(manifest.get("rules")):
        names = rule.get("resourceNames") or [""]
        for verb in rule.get("verbs") or ():
            for url in rule.get("nonResourceURLs") or ():
                yield "rule", f"{verb} {url}"
            for group in rule.get("apiGroups") or ():
                for resource in rule.get("resources") or ():
                    yield from (("rule", f"{verb} {group}/{resource}/{name}") for name in names)


def _pod_parts(manifest: JsonObject) -> Iterator[Part]:
    _, pod = pod_spec(manifest) or ("", {})
    for container in (*maps_or_empty(pod.get("containers")), *maps_or_empty(pod.get("initContainers"))):
        yield "container", text_or_empty(container.get("name"))
        yield from (
            ("container port", text_or_empty(port["name"]))
            for port in maps_or_empty(container.get("ports"))
            if "name" in port
        )


def parts_each_object_uses_of_others(
    documents: Mapping[Address, JsonObject],
) -> Mapping[Address, frozenset[UsedPartOfOtherObject]]:
    """Give for each object of `documents` the parts of other objects there that it uses: keys, ports, results,
    rules."""
    found: dict[Address, set[UsedPartOfOtherObject]] = {address: set() for address in documents}
    for address, manifest in documents.items():
        found[address].update(_named(address, manifest, ()))
        found[address].update(_by_kind(address, manifest))
    for address, uses in _of_accounts(documents):
        found[address].update(uses)
    for address, uses in _of_selectors(documents):
        found[address].update(uses)
    return {address: frozenset(use for use in uses if use.of in documents) for address, uses in found.items()}


def _named(address: Address, value: JsonValue, path: tuple[str, ...]) -> Iterator[UsedPartOfOtherObject]:
    """What fields of a known shape name, wherever they stand: also in kinds that nobody knows."""
    if isinstance(value, list):
        for item in value:
            yield from _named(address, item, path)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _shape(address, key, item)
        elif key == "backendRefs":
            yield from (_port(address, one, one.get("port")) for one in maps_or_empty(item) if "port" in one)
        yield from _named(address, item, (*path, key))


def _shape(address: Address, key: str, item: JsonObject) -> Iterator[UsedPartOfOtherObject]:
    name = text_or_empty(item.get("name")) or text_or_empty(item.get("secretName"))
    if not name:
        return
    match key:
        case "configMapKeyRef" | "secretKeyRef":
            yield _of(address, _KINDS[key], name, ("key", text_or_empty(item.get("key"))))
        case "configMapRef" | "secretRef":
            yield _of(address, _KINDS[key], name, WHOLE)
        case "configMap" | "secret":
            parts = [("key", text_or_empty(one.get("key"))) for one in maps_or_empty(item.get("items"))] or [WHOLE]
            yield from (_of(address, _KINDS[key], name, part) for part in parts)
        case "service" if "port" in item or "namespace" in item:
            yield _port(address, item, item.get("port", 443))


_KINDS = {
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "configMap": "ConfigMap",
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "secret": "Secret",
}


def _of(
    address: Address, kind: str, name: str, part: Part, group: str = "", namespace: str = ""
) -> UsedPartOfOtherObject:
    return UsedPartOfOtherObject(Address(address.node_lane, kind, group, namespace or address.namespace, name), part)


def _port(address: Address, item: JsonObject, port: JsonValue) -> UsedPartOfOtherObject:
    """A backend: of an Ingress `{name, port: {name|number}}`, of a route or a webhook `{name, namespace, port}`."""
    written = port.get("name", port.get("number")) if isinstance(port, dict) else port
    namespace = text_or_empty(item.get("namespace"))
    return _of(address, "Service", text_or_empty(item.get("name")), ("port", str(written)), namespace=namespace)


def _by_kind(address: Address, manifest: JsonObject) -> Iterator[UsedPartOfOtherObject]:
    spec = map_or_empty(manifest.get("spec"))
    match address.kind, address.group:
        case (("Pipeline" | "PipelineRun" | "TaskRun" | "Task"), group) if group == _TEKTON:
            yield from _tekton(address, spec)
        case "HorizontalPodAutoscaler", "autoscaling":
            target = map_or_empty(spec.get("scaleTargetRef"))
            group = text_or_empty(target.get("apiVersion")).rpartition("/")[0]
            for metric in maps_or_empty(spec.get("metrics")):
                if container := text_or_empty(map_or_empty(metric.get("containerResource")).get("container")):
                    named = (text_or_empty(target.get("kind")), text_or_empty(target.get("name")))
                    yield _of(address, *named, ("container", container), group)
        case "Application", group if group == _ARGO:
            parts: list[Part] = [("destination", _destination(map_or_empty(spec.get("destination"))))]
            sources = [map_or_empty(spec.get("source")), *maps_or_empty(spec.get("sources"))]
            parts += [("source", text_or_empty(source.get("repoURL"))) for source in sources]
            yield from (_of(address, "AppProject", text_or_empty(spec.get("project")), part, _ARGO) for part in parts)


def _tekton(address: Address, spec: JsonObject) -> Iterator[UsedPartOfOtherObject]:
    """Results and workspaces of the Tasks, StepActions and Pipelines that an object names."""
    inner = [spec, map_or_empty(spec.get("pipelineSpec")), map_or_empty(spec.get("taskSpec"))]
    named = {}
    for holder in inner:
        for key, ref, kind in (
            ("tasks", "taskRef", "Task"),
            ("finally", "taskRef", "Task"),
            ("steps", "ref", "StepAction"),
        ):
            for one in maps_or_empty(holder.get(key)):
                reference = map_or_empty(one.get(ref))
                target = _of(
                    address,
                    text_or_empty(reference.get("kind")) or kind,
                    text_or_empty(reference.get("name")),
                    WHOLE,
                    _TEKTON,
                ).of
                named[text_or_empty(one.get("name"))] = target
                yield from (
                    UsedPartOfOtherObject(target, ("workspace", text_or_empty(ws.get("name"))))
                    for ws in maps_or_empty(one.get("workspaces"))
                )
    for task, result in _RESULT.findall(canonical_bytes(encode_special_leaves(spec)).decode()):
        if task in named:
            yield UsedPartOfOtherObject(named[task], ("result", result))
    for ref, kind in (("pipelineRef", "Pipeline"), ("taskRef", "Task")):
        target = _of(address, kind, text_or_empty(map_or_empty(spec.get(ref)).get("name")), WHOLE, _TEKTON).of
        yield from (
            UsedPartOfOtherObject(target, ("workspace", text_or_empty(ws.get("name"))))
            for ws in maps_or_empty(spec.get("workspaces"))
        )


def _destination(one: JsonObject) -> str:
    return f"{text_or_empty(one.get('server')) or text_or_empty(one.get('name'))} {text_or_empty(one.get('namespace'))}"


def _of_accounts(documents: Mapping[Address, JsonObject]) -> Iterator[tuple[Address, list[UsedPartOfOtherObject]]]:
    """A workload uses the binding of its account, and a rule of the role behind it."""
    bound: dict[tuple[str, str, str], list[UsedPartOfOtherObject]] = {}
    for address, manifest in documents.items():
        if address.kind in ("RoleBinding", "ClusterRoleBinding") and address.group == _RBAC:
            role = map_or_empty(manifest.get("roleRef"))
            namespace = "" if role.get("kind") == "ClusterRole" else address.namespace
            behind = Address(
                address.node_lane, text_or_empty(role.get("kind")), _RBAC, namespace, text_or_empty(role.get("name"))
            )
            for account in accounts_of_binding(Resource(address, "", manifest, "", "", _NOWHERE)):
                uses = [
                    UsedPartOfOtherObject(address, ("subject", "/".join(account))),
                    UsedPartOfOtherObject(behind, ("rule", ANY)),
                ]
                bound.setdefault((address.node_lane, *account), []).extend(uses)
    for address, manifest in documents.items():
        for name in _accounts(manifest):
            yield address, bound.get((address.node_lane, address.namespace, name), [])


def _accounts(manifest: JsonObject) -> Iterator[str]:
    """The accounts that something of the object runs as."""
    _, pod = pod_spec(manifest) or ("", {})
    spec = map_or_empty(manifest.get("spec"))
    for holder in (pod, spec, map_or_empty(spec.get("taskRunTemplate"))):
        if account := text_or_empty(holder.get("serviceAccountName")):
            yield account


def _of_selectors(documents: Mapping[Address, JsonObject]) -> Iterator[tuple[Address, list[UsedPartOfOtherObject]]]:
    """A Service uses the named ports of the containers that it selects."""
    for address, manifest in documents.items():
        if (address.kind, address.group) != ("Service", ""):
            continue
        spec = map_or_empty(manifest.get("spec"))
        selector = map_or_empty(spec.get("selector"))
        named = [
            text_or_empty(port.get("targetPort"))
            for port in maps_or_empty(spec.get("ports"))
            if text_or_empty(port.get("targetPort"))
        ]
        behind = [other for other in documents if named and selector and _selects(selector, address, other, documents)]
        yield address, [UsedPartOfOtherObject(other, ("container port", name)) for other in behind for name in named]


def _selects(selector: JsonObject, service: Address, other: Address, documents: Mapping[Address, JsonObject]) -> bool:
    if (other.node_lane, other.namespace) != (service.node_lane, service.namespace) or not pod_spec(documents[other]):
        return False
    manifest = documents[other]
    template = manifest if other.kind == "Pod" else map_or_empty(map_or_empty(manifest.get("spec")).get("template"))
    labels = map_or_empty(map_or_empty(template.get("metadata")).get("labels"))
    return selector.items() <= labels.items()
