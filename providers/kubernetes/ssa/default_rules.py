"""Defaults of the API server where one field depends on another: one rule for each type, which fills in its value in
place. Pure; see defaults.py.

Source: the `defaults.go` of every API group of Kubernetes 1.36. A rule gets a canonical value of its type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planner.values import JsonObject, deep_copy
from providers.kubernetes.ssa.default_image_pull_policy import default_image_pull_policy

_CRD = "apiextensions-apiserver.pkg.apis.apiextensions.v1."
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def _container(value: JsonObject) -> None:
    value.setdefault("imagePullPolicy", default_image_pull_policy(value.get("image", "")))


def _volume(value: JsonObject) -> None:
    if not any(key != "name" for key in value):
        value["emptyDir"] = {}
    image = value.get("image")
    if image is not None:
        image.setdefault("pullPolicy", default_image_pull_policy(image.get("reference", "")))


def _pod_spec(value: JsonObject) -> None:
    account = value.get("serviceAccountName") or value.get("serviceAccount")
    if account:  # the deprecated twin is written by the conversion, whichever of the two was set
        value["serviceAccountName"] = value["serviceAccount"] = account


def _host_ports(spec: JsonObject) -> None:
    for group in ("containers", "initContainers"):
        for container in spec.get(group) or ():
            for port in container.get("ports") or ():
                if spec.get("hostNetwork"):
                    port.setdefault("hostPort", port.get("containerPort", 0))


def _pod(value: JsonObject) -> None:
    spec = value.get("spec") or {}
    spec.setdefault("enableServiceLinks", True)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:  # of a Pod alone, not of a template
        spec["terminationGracePeriodSeconds"] = 1
    _host_ports(spec)
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        limits = (container.get("resources") or {}).get("limits")
        if limits:
            requests = container["resources"].setdefault("requests", {})
            for name, amount in limits.items():
                requests.setdefault(name, amount)


def _service(value: JsonObject) -> None:
    spec = value.setdefault("spec", {})
    affinity = spec.setdefault("sessionAffinity", "None")
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == "ClientIP":
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": client.get("timeoutSeconds", 10800)}}
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (0, "", None):
            port["targetPort"] = port.get("port", 0)
    if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs")):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _deployment(value: JsonObject) -> None:
    strategy = value["spec"].setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    _no_pointers(strategy, "maxUnavailable", "maxSurge")


def _no_pointers(strategy: JsonObject, *names: str) -> None:
    """In the server's inner form these fields are no pointers: passing through it makes them zero where unset."""
    rolling = strategy.get("rollingUpdate")
    if rolling is not None:
        for name in names:
            rolling.setdefault(name, 0)


def _daemon_set(value: JsonObject) -> None:
    annotations = value["metadata"].setdefault("annotations", {})
    annotations.setdefault(TEMPLATE_GENERATION, "0")
    strategy = value["spec"].setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
    _no_pointers(strategy, "maxUnavailable", "maxSurge")


def _stateful_set(value: JsonObject) -> None:
    for claim in value["spec"].get("volumeClaimTemplates") or ():
        claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    strategy = value["spec"].setdefault("updateStrategy", {})
    if "type" not in strategy:
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    _no_pointers(strategy, "partition")


def _job(value: JsonObject) -> None:
    spec = value["spec"]
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 2147483647 if "backoffLimitPerIndex" in spec else 6)
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if labels and not value["metadata"].get("labels"):
        value["metadata"]["labels"] = labels  # the very same map: what admission adds to one is in both
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    spec.setdefault("manualSelector", False)


def _replication_controller(value: JsonObject) -> None:
    spec = value["spec"]
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if labels:
        spec["selector"] = spec.get("selector") or dict(labels)
        value["metadata"]["labels"] = value["metadata"].get("labels") or dict(labels)


def _namespace(value: JsonObject) -> None:
    name = value["metadata"].get("name")
    if name:
        value["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name


def _network_policy(value: JsonObject) -> None:
    spec = value.get("spec") or {}
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _binding(value: JsonObject) -> None:
    if not value["roleRef"].get("apiGroup"):
        value["roleRef"]["apiGroup"] = "rbac.authorization.k8s.io"


def _subject(value: JsonObject) -> None:
    if value.get("kind") in ("User", "Group"):
        value.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _autoscaler(value: JsonObject) -> None:
    behavior = value["spec"].get("behavior")
    if behavior is None:
        return
    percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
    pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
    up = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [pods, percent]}
    behavior["scaleUp"] = {**deep_copy(up), **behavior.get("scaleUp", {})}
    down = {"selectPolicy": "Max", "policies": [dict(percent)]}
    behavior["scaleDown"] = {**down, **behavior.get("scaleDown", {})}


def _device_request(value: JsonObject) -> None:
    if value.setdefault("allocationMode", "ExactCount") == "ExactCount":
        value.setdefault("count", 1)


def _limit_range_item(value: JsonObject) -> None:
    if value.get("type") != "Container":
        return
    default = {**value.get("max", {}), **value.get("default", {})}
    request = {**value.get("min", {}), **default, **value.get("defaultRequest", {})}
    for name, amounts in (("default", default), ("defaultRequest", request)):
        if amounts:
            value[name] = amounts


def _crd(value: JsonObject) -> None:
    spec = value["spec"]
    names = spec.setdefault("names", {})
    if not names.get("singular"):
        names["singular"] = names.get("kind", "").lower()
    if not names.get("listKind") and names.get("kind"):
        names["listKind"] = names["kind"] + "List"
    status = value.setdefault("status", {})
    if not status.get("storedVersions"):
        stored = [version["name"] for version in spec.get("versions") or () if version.get("storage")]
        status["storedVersions"] = stored[:1] or None


RULES: Final[dict[str, Callable[[JsonObject], None]]] = {
    "core.v1.Container": _container,
    "core.v1.Volume": _volume,
    "core.v1.PodSpec": _pod_spec,
    "core.v1.Pod": _pod,
    "core.v1.Service": _service,
    "core.v1.Namespace": _namespace,
    "core.v1.ReplicationController": _replication_controller,
    "core.v1.LimitRangeItem": _limit_range_item,
    "resource.v1.DeviceSubRequest": _device_request,
    "resource.v1.ExactDeviceRequest": _device_request,
    "apps.v1.Deployment": _deployment,
    "apps.v1.DaemonSet": _daemon_set,
    "apps.v1.StatefulSet": _stateful_set,
    "batch.v1.Job": _job,
    "networking.v1.NetworkPolicy": _network_policy,
    "rbac.v1.RoleBinding": _binding,
    "rbac.v1.ClusterRoleBinding": _binding,
    "rbac.v1.Subject": _subject,
    "autoscaling.v2.HorizontalPodAutoscaler": _autoscaler,
    _CRD + "CustomResourceDefinition": _crd,
}
