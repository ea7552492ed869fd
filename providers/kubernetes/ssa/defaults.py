"""Defaults that the API server fills in, by type. Tables first, a few rules where one field depends on another.

Source: the `defaults.go` of every API group of Kubernetes 1.36 and the defaults that OpenAPI carries. Runs on
canonical documents, parents before children, as the server does. Knows no live object and no admission plugin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planner.values import Json, JsonObject, JsonValue, deep_copy
from providers.kubernetes.ssa.canonical import always_written_fields
from providers.kubernetes.ssa.image_pull_policy import pull_policy
from providers.kubernetes.ssa.merge_types import MergeType
from providers.kubernetes.ssa.quantity import round_quantity_up

_CRD = "apiextensions-apiserver.pkg.apis.apiextensions.v1."
_WEBHOOK: dict[str, Json] = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
}
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_MODE: dict[str, Json] = {"defaultMode": 420}

FIXED: Final[dict[str, dict[str, Json]]] = {
    "core.v1.Container": {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"},
    "core.v1.PodSpec": {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "schedulerName": "default-scheduler",
    },
    "core.v1.Probe": {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
    "core.v1.GRPCAction": {"service": ""},
    "core.v1.HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "core.v1.ObjectFieldSelector": {"apiVersion": "v1"},
    "core.v1.SecretVolumeSource": _MODE,
    "core.v1.ConfigMapVolumeSource": _MODE,
    "core.v1.DownwardAPIVolumeSource": _MODE,
    "core.v1.ProjectedVolumeSource": _MODE,
    "core.v1.ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "core.v1.HostPathVolumeSource": {"type": ""},
    "core.v1.Secret": {"type": "Opaque"},
    "core.v1.PersistentVolumeSpec": {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"},
    "core.v1.AzureDiskVolumeSource": {"readOnly": False},
    "core.v1.PersistentVolumeStatus": {"phase": "Pending"},
    "core.v1.PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    "core.v1.PersistentVolumeClaimStatus": {"phase": "Pending"},
    "core.v1.NamespaceStatus": {"phase": "Active"},
    "core.v1.EndpointPort": {"protocol": "TCP"},
    "apps.v1.DeploymentSpec": {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600},
    "apps.v1.ReplicaSetSpec": {"replicas": 1},
    "apps.v1.DaemonSetSpec": {"revisionHistoryLimit": 10},
    "apps.v1.StatefulSetSpec": {
        "podManagementPolicy": "OrderedReady",
        "persistentVolumeClaimRetentionPolicy": {},
        "replicas": 1,
        "revisionHistoryLimit": 10,
    },
    "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    "batch.v1.CronJobSpec": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    "batch.v1.PodFailurePolicyOnPodConditionsPattern": {"status": "True"},
    "networking.v1.NetworkPolicyPort": {"protocol": "TCP"},
    "networking.v1.IngressClassParametersReference": {"scope": "Cluster"},
    "autoscaling.v1.HorizontalPodAutoscalerSpec": {"minReplicas": 1},
    "autoscaling.v2.HorizontalPodAutoscalerSpec": {
        "minReplicas": 1,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
            }
        ],
    },
    "storage.v1.StorageClass": {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    "storage.v1.CSIDriverSpec": {
        "attachRequired": True,
        "podInfoOnMount": False,
        "storageCapacity": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType",
        "volumeLifecycleModes": ["Persistent"],
        "requiresRepublish": False,
        "seLinuxMount": False,
    },
    "scheduling.v1.PriorityClass": {"preemptionPolicy": "PreemptLowerPriority"},
    "admissionregistration.v1.ValidatingWebhook": _WEBHOOK,
    "admissionregistration.v1.MutatingWebhook": {**_WEBHOOK, "reinvocationPolicy": "Never"},
    "admissionregistration.v1.RuleWithOperations": {"scope": "*"},
    "admissionregistration.v1.NamedRuleWithOperations": {"scope": "*"},
    "admissionregistration.v1.ServiceReference": {"port": 443},
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    "admissionregistration.v1.MatchResources": {
        name: _WEBHOOK[name] for name in ("matchPolicy", "namespaceSelector", "objectSelector")
    },
    "discovery.v1.EndpointPort": {"name": "", "protocol": "TCP"},
    _CRD + "CustomResourceDefinitionSpec": {"conversion": {"strategy": "None"}},
    _CRD + "ServiceReference": {"port": 443},
    "kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": {"port": 443},
}


def _container(value: JsonObject) -> None:
    value.setdefault("imagePullPolicy", pull_policy(value.get("image", "")))


def _volume(value: JsonObject) -> None:
    if not any(key != "name" for key in value):
        value["emptyDir"] = {}
    image = value.get("image")
    if image is not None:
        image.setdefault("pullPolicy", pull_policy(image.get("reference", "")))


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


def fill_defaults(kind: MergeType, value: JsonValue) -> None:
    """Fill defaults into a canonical built-in document, in place."""
    if isinstance(value, dict):
        if kind.name:
            _fill_struct(kind, value)
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                below = kind.child(key)
                if below is not None:
                    fill_defaults(below, item)
    elif isinstance(value, list) and kind.list_kind and value and isinstance(value[0], (dict, list)):
        items = kind.items()
        for item in value:
            fill_defaults(items, item)


def _fill_struct(kind: MergeType, value: JsonObject) -> None:
    if kind.name.startswith("core.v1."):
        _round_amounts(kind, value)
    rule = RULES.get(kind.name)
    if rule is not None:
        rule(value)
    for name, default in FIXED.get(kind.name, {}).items():
        if name not in value:
            value[name] = deep_copy(default)
    for name in kind.defaulted:
        if name not in value:
            value[name] = kind.default(name)
    for name in always_written_fields(kind):
        if name not in value and "p" in kind.flags(name):
            value[name] = None


def _round_amounts(kind: MergeType, value: JsonObject) -> None:
    """Amounts of resources (limits, requests, capacity, hard) have three digits behind the point."""
    for name, amounts in value.items():
        below = kind.child(name) if isinstance(amounts, dict) else None
        items = below.child("cpu") if below is not None and not below.name else None
        if items is not None and items.scalar == "quantity":
            value[name] = {key: round_quantity_up(amount) for key, amount in amounts.items()}


def fill_custom_defaults(kind: MergeType, value: JsonValue) -> None:
    """Fill the `default`s of a CRD's schema into a custom resource, in place; nulls that are not allowed go first."""
    if isinstance(value, dict):
        for name in kind.defaulted:
            if name not in value or (value[name] is None and not _nullable(kind, name)):
                value[name] = deep_copy(kind.default(name))
        for key, item in value.items():
            below = kind.child(key)
            if below is not None and isinstance(item, (dict, list)):
                fill_custom_defaults(below, item)
    elif isinstance(value, list) and kind.list_kind:
        for item in value:
            fill_custom_defaults(kind.items(), item)


def _nullable(kind: MergeType, name: str) -> bool:
    below = kind.child(name)
    return below is not None and bool(below.checks.get("nullable"))
