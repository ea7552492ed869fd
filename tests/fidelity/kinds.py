"""Random objects of many kinds, drawn from small alphabets so that managers meet on the same fields."""

from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random

from tests.fidelity.crds import GROUP
from tests.fidelity.customs import delivery, flow, widget
from tests.fidelity.pods import (
    LETTERS,
    Doc,
    amount,
    daemon_set,
    deployment,
    flat,
    flat_labels,
    job_spec,
    optional,
    pod_spec,
    some,
    stateful_set,
    text,
    workload,
)


def cron_job(rng: Random) -> Doc:
    extra = optional(
        rng,
        {
            "suspend": lambda r: r.random() < 0.5,
            "concurrencyPolicy": lambda r: r.choice(("Forbid", "Allow")),
            "successfulJobsHistoryLimit": lambda r: 0,
            "timeZone": lambda r: "Etc/UTC",
        },
    )
    job = {"spec": job_spec(rng), **({"metadata": {"labels": flat_labels(rng)}} if rng.random() < 0.3 else {})}
    return {"spec": {"schedule": rng.choice(("@daily", "0 1 * * *")), "jobTemplate": job, **extra}}


def service(rng: Random) -> Doc:
    numbers = some(rng, (80, 443, 53), 1)
    many = len(numbers) > 1
    listed = [
        {
            "port": number,
            **({"name": f"n{number}"} if many or rng.random() < 0.5 else {}),
            **optional(rng, {"targetPort": lambda r: r.choice((8080, "http")), "protocol": lambda r: "TCP"}),
        }
        for number in numbers
    ]
    extra = optional(
        rng,
        {
            "selector": flat_labels,
            "sessionAffinity": lambda r: r.choice(("ClientIP", "None")),
            "publishNotReadyAddresses": lambda r: r.random() < 0.5,
            "internalTrafficPolicy": lambda r: r.choice(("Local", "Cluster")),
        },
        0.3,
    )
    kind: Doc = rng.choice(({}, {}, {"type": "ClusterIP"}, {"type": "NodePort"}))
    return {"spec": {"ports": listed, **extra, **kind}}


def secret(rng: Random) -> Doc:
    data = {name: base64.b64encode(text(rng).encode()).decode() for name in some(rng, LETTERS)}
    return {**optional(rng, {"data": lambda _: data}, 0.9), **optional(rng, {"type": lambda _: "Opaque"})}


def config_map(rng: Random) -> Doc:
    binary = dict.fromkeys(some(rng, ("x", "y")), "AAEC")
    return {**optional(rng, {"data": flat}, 0.9), **optional(rng, {"binaryData": lambda _: binary}, 0.3)}


def claim(rng: Random) -> Doc:
    out: Doc = {
        "accessModes": some(rng, ("ReadWriteOnce", "ReadOnlyMany"), 1),
        "resources": {"requests": {"storage": rng.choice(("1Gi", "1024Mi"))}},
        "storageClassName": rng.choice(("", "slow")),
    }
    return {
        "spec": {
            **out,
            **optional(
                rng,
                {
                    "volumeMode": lambda _: "Filesystem",
                    "selector": lambda r: {"matchLabels": flat_labels(r)},
                    "dataSource": lambda _: {"kind": "PersistentVolumeClaim", "name": "s"},
                },
                0.2,
            ),
        }
    }


def role(rng: Random) -> Doc:
    rules = [
        {"apiGroups": [rng.choice(("", "apps"))], "resources": some(rng, ("pods", "jobs"), 1), "verbs": ["get"]}
        for _ in range(rng.randint(0, 3))
    ]
    return {"rules": rules} if rng.random() < 0.9 else {}


def role_binding(rng: Random) -> Doc:
    subjects = [
        rng.choice(
            (
                {"kind": "ServiceAccount", "name": name, "namespace": "default"},
                {"kind": "User", "name": name},
                {"kind": "Group", "name": name, "apiGroup": "rbac.authorization.k8s.io"},
            )
        )
        for name in some(rng, LETTERS[:3])
    ]
    ref = {"kind": "Role", "name": "r", **optional(rng, {"apiGroup": lambda _: "rbac.authorization.k8s.io"})}
    return {"roleRef": ref, **optional(rng, {"subjects": lambda _: subjects}, 0.9)}


def service_account(rng: Random) -> Doc:
    return optional(
        rng,
        {
            "secrets": lambda r: [{"name": name} for name in some(r, LETTERS)],
            "imagePullSecrets": lambda r: [{"name": name} for name in some(r, LETTERS)],
            "automountServiceAccountToken": lambda r: r.random() < 0.5,
        },
    )


def ingress(rng: Random) -> Doc:
    backend = {"service": {"name": "s", "port": rng.choice(({"number": 80}, {"name": "http"}))}}
    paths = [{"path": f"/{n}", "pathType": "Prefix", "backend": backend} for n in some(rng, LETTERS[:2], 1)]
    rules = [{"host": f"{name}.x", "http": {"paths": paths}} for name in some(rng, LETTERS[:2])]
    return {
        "spec": {
            "defaultBackend": backend,
            "ingressClassName": "c",
            **optional(
                rng, {"rules": lambda _: rules, "tls": lambda r: [{"hosts": ["a.x"], "secretName": text(r) or "t"}]}
            ),
        }
    }


def network_policy(rng: Random) -> Doc:
    def port(r: Random) -> list[Doc]:
        return [{"port": r.choice((80, "http")), **optional(r, {"protocol": lambda _: "UDP"})}]

    def peers(r: Random) -> list[Doc]:
        return [{"podSelector": {"matchLabels": flat_labels(r)}}]

    extra = optional(
        rng,
        {
            "ingress": lambda r: [{**optional(r, {"from": peers, "ports": port})}],
            "egress": lambda r: [{**optional(r, {"to": peers})}] * r.randint(0, 1),
            "policyTypes": lambda r: some(r, ("Ingress", "Egress")),
        },
    )
    return {"spec": {"podSelector": optional(rng, {"matchLabels": flat_labels}), **extra}}


def autoscaler(rng: Random) -> Doc:
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    external = {
        "type": "External",
        "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "1000m"}},
    }
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 60}}
    extra = optional(
        rng,
        {
            "minReplicas": lambda r: r.choice((1, 2)),
            "metrics": lambda r: some(r, (metric, external)),
            "behavior": lambda r: r.choice((behavior, {}, {"scaleUp": {"selectPolicy": "Min"}})),
        },
    )
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    return {"spec": {"scaleTargetRef": target, "maxReplicas": rng.randint(3, 5), **extra}}


def disruption_budget(rng: Random) -> Doc:
    extra = optional(
        rng, {"maxUnavailable": lambda r: r.choice((0, "10%")), "unhealthyPodEvictionPolicy": lambda _: "AlwaysAllow"}
    )
    return {"spec": {"selector": {"matchLabels": {"app": "x"}}, **extra}}


def quota(rng: Random) -> Doc:
    return {"spec": {"hard": {name: amount(rng) for name in some(rng, ("pods", "requests.cpu", "limits.memory"))}}}


def limit_range(rng: Random) -> Doc:
    fields = {"max": lambda r: {"cpu": "2"}, "min": lambda r: {"cpu": "100m"}, "default": lambda r: {"cpu": "1000m"}}
    return {"spec": {"limits": [{"type": "Container", **optional(rng, fields)}]}}


def webhook(rng: Random) -> Doc:
    rule = {"apiGroups": ["none.x"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["x"]}
    out = []
    for name in some(rng, LETTERS[:3]):
        config = rng.choice(({"url": "https://127.0.0.1:1/x"}, {"service": {"name": "s", "namespace": "default"}}))
        out.append(
            {
                "name": f"{name}.x.io",
                "clientConfig": config,
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Ignore",
                **optional(rng, {"rules": lambda _: [rule], "timeoutSeconds": lambda r: r.choice((1, 10))}),
            }
        )
    return {"webhooks": out}


def pod(rng: Random) -> Doc:
    return {"spec": pod_spec(rng)}


def replica_set(rng: Random) -> Doc:
    return workload(rng, {"replicas": lambda r: r.randint(0, 2), "minReadySeconds": lambda r: r.choice((0, 1))})


def lease(rng: Random) -> Doc:
    fields = {
        "holderIdentity": text,
        "leaseDurationSeconds": lambda r: r.choice((1, 5)),
        "leaseTransitions": lambda r: 0,
    }
    return {"spec": optional(rng, fields)}


def endpoint_slice(rng: Random) -> Doc:
    endpoints = [
        {
            "addresses": [f"10.1.2.{n}"],
            **optional(rng, {"conditions": lambda _: {"ready": True}, "hostname": lambda _: "h"}),
        }
        for n in some(rng, (1, 2))
    ]
    listed = [{"port": n, "name": f"p{n}", **optional(rng, {"protocol": lambda _: "UDP"})} for n in some(rng, (1, 2))]
    return {"addressType": "IPv4", "endpoints": endpoints, **optional(rng, {"ports": lambda _: listed}, 0.8)}


def volume(rng: Random) -> Doc:
    extra = optional(
        rng,
        {
            "persistentVolumeReclaimPolicy": lambda r: r.choice(("Delete", "Retain")),
            "storageClassName": lambda r: "slow",
            "mountOptions": lambda r: some(r, LETTERS),
        },
    )
    size = rng.choice(("1Gi", "1024Mi"))
    source = rng.choice(({"hostPath": {"path": "/x"}}, {"nfs": {"server": "s", "path": "/p"}},
                         {"azureFile": {"secretName": "s", "shareName": "p"}}))  # fmt: skip
    return {"spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], **source, **extra}}


def mutating_webhook(rng: Random) -> Doc:
    out = webhook(rng)
    for item in out["webhooks"]:
        item |= optional(rng, {"reinvocationPolicy": lambda r: r.choice(("Never", "IfNeeded"))})
    return out


def ingress_class(rng: Random) -> Doc:
    parameters = {"apiGroup": "x.io", "kind": "X", "name": "n"}
    return {"spec": {"controller": "x.io/c", **optional(rng, {"parameters": lambda _: parameters})}}


def definition(rng: Random, name: str) -> Doc:
    """A CustomResourceDefinition of a group that nobody uses, named after its case."""
    plural, _, group = name.partition(".")
    fields: Doc = {n: {"type": rng.choice(("string", "integer"))} for n in some(rng, LETTERS)}
    if "a" in fields:
        fields["a"] = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
    columns = [{"name": n, "type": "string", "jsonPath": f".spec.{n}"} for n in some(rng, LETTERS)]
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        **optional(rng, {"additionalPrinterColumns": lambda _: columns, "subresources": lambda _: {"status": {}}}),
    }
    short = {"singular": lambda _: plural, "shortNames": lambda _: [f"x{plural}"]}
    more = optional(rng, {**short, "categories": lambda r: some(r, LETTERS)})
    names = {"plural": plural, "kind": plural.capitalize(), **more}
    return {"spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}}


# kind: (apiVersion, collection path below the namespace, maker, how often it is drawn)
NAMESPACED: dict[str, tuple[str, str, Callable[[Random], Doc], int]] = {
    "ConfigMap": ("v1", "configmaps", config_map, 3),
    "Secret": ("v1", "secrets", secret, 3),
    "Service": ("v1", "services", service, 3),
    "ServiceAccount": ("v1", "serviceaccounts", service_account, 2),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims", claim, 2),
    "ResourceQuota": ("v1", "resourcequotas", quota, 1),
    "LimitRange": ("v1", "limitranges", limit_range, 1),
    "Deployment": ("apps/v1", "deployments", deployment, 5),
    "StatefulSet": ("apps/v1", "statefulsets", stateful_set, 2),
    "DaemonSet": ("apps/v1", "daemonsets", daemon_set, 2),
    "Job": ("batch/v1", "jobs", lambda rng: {"spec": job_spec(rng)}, 2),
    "CronJob": ("batch/v1", "cronjobs", cron_job, 2),
    "Role": ("rbac.authorization.k8s.io/v1", "roles", role, 2),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", "rolebindings", role_binding, 2),
    "Ingress": ("networking.k8s.io/v1", "ingresses", ingress, 2),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies", network_policy, 2),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "horizontalpodautoscalers", autoscaler, 2),
    "PodDisruptionBudget": ("policy/v1", "poddisruptionbudgets", disruption_budget, 1),
    "Pod": ("v1", "pods", pod, 1),
    "ReplicaSet": ("apps/v1", "replicasets", replica_set, 1),
    "Lease": ("coordination.k8s.io/v1", "leases", lease, 1),
    "EndpointSlice": ("discovery.k8s.io/v1", "endpointslices", endpoint_slice, 1),
    "Widget": (f"{GROUP}/v1", "widgets", widget, 8),
    "Flow": (f"{GROUP}/v1", "flows", flow, 3),
    "Delivery": (f"{GROUP}/v1", "deliverys", delivery, 3),
}
CLUSTER_SCOPED: dict[str, tuple[str, str, Callable[[Random], Doc], int]] = {
    "Namespace": ("v1", "namespaces", lambda rng: {}, 1),
    "ClusterRole": ("rbac.authorization.k8s.io/v1", "clusterroles", role, 1),
    "ValidatingWebhookConfiguration": (
        "admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations",
        webhook,
        1,
    ),
    "MutatingWebhookConfiguration": (
        "admissionregistration.k8s.io/v1",
        "mutatingwebhookconfigurations",
        mutating_webhook,
        1,
    ),
    "PersistentVolume": ("v1", "persistentvolumes", volume, 1),
    "IngressClass": ("networking.k8s.io/v1", "ingressclasses", ingress_class, 1),
    "CustomResourceDefinition": (
        "apiextensions.k8s.io/v1",
        "customresourcedefinitions",
        lambda rng: definition(rng, "none.x.io"),
        1,
    ),
    "PriorityClass": (
        "scheduling.k8s.io/v1",
        "priorityclasses",
        lambda rng: {"value": 5, **optional(rng, {"description": text})},
        1,
    ),
    "StorageClass": (
        "storage.k8s.io/v1",
        "storageclasses",
        lambda rng: {
            "provisioner": "x.io/p",
            **optional(rng, {"parameters": flat_labels, "allowVolumeExpansion": lambda _: True}),
        },
        1,
    ),
}
