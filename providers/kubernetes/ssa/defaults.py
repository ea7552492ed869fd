"""Defaults that the API server fills in, by type: what is fixed by a table, the rest by default_rules.py.

Source: the `defaults.go` of every API group of Kubernetes 1.36 and the defaults that OpenAPI carries. Runs on
canonical documents, parents before children, as the server does. Knows no live object and no admission plugin.
"""

from __future__ import annotations

from typing import Final

from planner.values import Json, JsonObject, JsonValue, deep_copy
from providers.kubernetes.ssa.canonical_document import always_written_fields
from providers.kubernetes.ssa.default_rules import RULES
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
