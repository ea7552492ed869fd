"""Objects that an API server takes with a warning: one or more for each rule of server_warnings.py and what it uses."""

from __future__ import annotations

from typing import Any

Doc = dict[str, Any]
_REQUIRED, _PREFERRED = (f"{word}DuringSchedulingIgnoredDuringExecution" for word in ("required", "preferred"))
_OLD = {"key": "beta.kubernetes.io/os", "operator": "In", "values": ["a b"]}
_POD = {"containers": [{"name": "c", "image": "i"}]}
_BATCH = {**_POD, "restartPolicy": "Never"}
_LABELS = {"a": "b"}
_OLD_OS = {"beta.kubernetes.io/os": "l"}
_CLAIM = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1500m"}, "limits": {"storage": "1.5"}},
}
_RULE = {"apiGroups": ["none.x"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["x"]}


def _of(api_version: str, kind: str, name: str = "x", metadata: Doc | None = None, **rest: Any) -> Doc:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **(metadata or {})}, **rest}


def _pod(name: str = "x", annotations: Doc | None = None, **spec: Any) -> Doc:
    return _of("v1", "Pod", name, {"annotations": annotations or {}}, spec={**_POD, **spec})


def _workload(kind: str, name: str = "x", annotations: Doc | None = None, more: Doc | None = None, **spec: Any) -> Doc:
    template = {"metadata": {"labels": _LABELS, "annotations": annotations or {}}, "spec": {**_POD, **spec}}
    body = {"selector": {"matchLabels": _LABELS}, "template": template, **(more or {})}
    return _of("apps/v1", kind, name, spec=body)


def _volume(name: str, source: Doc) -> Doc:
    return {"name": name, name: source}


def _port(number: int = 80, **more: Any) -> Doc:
    return {"containerPort": number, **more}


def _ports(*ports: Doc) -> list[Doc]:
    return [{"name": f"c{index}", "image": "i", "ports": [port]} for index, port in enumerate(ports)]


def _items(*paths: str) -> list[Doc]:
    return [{"key": f"k{index}", "path": path} for index, path in enumerate(paths)]


def _service(metadata: Doc | None = None, **spec: Any) -> Doc:
    return _of("v1", "Service", metadata=metadata, spec={"ports": [{"port": 80}], **spec})


def _persistent_volume(metadata: Doc | None = None, **spec: Any) -> Doc:
    whole = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], **spec}
    return _of("v1", "PersistentVolume", metadata=metadata, spec=whole)


_NODE_AFFINITY = {
    _REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [{**_OLD, "values": ["a"]}]}]},
    _PREFERRED: [{"weight": 1, "preference": {"matchExpressions": [_OLD, {**_OLD, "values": ["a" * 64]}]}}],
}
_POD_AFFINITY = {
    _REQUIRED: [{"topologyKey": "a"}],
    _PREFERRED: [{"weight": 1, "podAffinityTerm": {"topologyKey": "a"}}],
}
_DEPRECATED_VOLUMES = [
    _volume("photonPersistentDisk".lower(), {}) | {"photonPersistentDisk": {"pdID": "x"}},
    _volume("gitrepo", {}) | {"gitRepo": {"repository": "x"}},
    _volume("scaleio", {})
    | {"scaleIO": {"gateway": "g", "system": "s", "volumeName": "v", "secretRef": {"name": "s"}}},
    _volume("flocker", {"datasetName": "x"}),
    _volume("storageos", {"volumeName": "x"}),
    _volume("quobyte", {"registry": "a:1", "volume": "v"}),
    _volume("glusterfs", {"endpoints": "e", "path": "p"}),
    _volume("cephfs", {"monitors": ["m"]}),
    _volume("rbd", {"monitors": ["m"], "image": "i"}),
]
_PROJECTED = [
    {"configMap": {"name": "m", "items": _items("a/b", "a/c")}},
    {"secret": {"name": "s", "items": _items("a")}},
    {"downwardAPI": {"items": [{"path": "a/d/", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    {},
]

PODS: list[Doc] = [
    _pod("a.b"),
    _pod(nodeSelector={"beta.kubernetes.io/arch": "a", "node-role.kubernetes.io/master": ""}),
    _pod(affinity={"nodeAffinity": _NODE_AFFINITY, "podAffinity": _POD_AFFINITY, "podAntiAffinity": _POD_AFFINITY}),
    _pod(topologySpreadConstraints=[
        {"maxSkew": 1, "topologyKey": "failure-domain.beta.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}]),
    _pod(annotations={"scheduler.alpha.kubernetes.io/critical-pod": "", "security.alpha.kubernetes.io/sysctls": "a=b"}),
    _pod(annotations={"seccomp.security.alpha.kubernetes.io/pod": "localhost/x",
                      "container.seccomp.security.alpha.kubernetes.io/c": "docker/default"}),
    _pod(annotations={"container.apparmor.security.beta.kubernetes.io/c": "runtime/default"}),
    *(_pod(volumes=[{key: item for key, item in volume.items() if item != {}}]) for volume in _DEPRECATED_VOLUMES),
    _pod(volumes=[_volume("ephemeral", {"volumeClaimTemplate": {"spec": _CLAIM}})]),
    _pod(volumes=[{"name": "v", "configMap": {"name": "m", "items": _items("a", "a/b", "a/")}}]),
    _pod(volumes=[{"name": "v", "secret": {"secretName": "s", "items": _items("a/b", "a", "ab")}}]),
    _pod(volumes=[{"name": "v", "downwardAPI": {"items": [
        {"path": path, "fieldRef": {"fieldPath": "metadata.name"}} for path in ("a", "a/b")]}}]),
    _pod(volumes=[{"name": "v", "projected": {"sources": _PROJECTED}}]),
    _pod(hostAliases=[{"ip": "1.1.1.1", "hostnames": ["a"]}, {"ip": "0:0::1", "hostnames": ["b"]}]),
    _pod(dnsPolicy="None", dnsConfig={"nameservers": ["2001:DB8::1"]}),
    _pod(containers=[{"name": "c", "image": "i", "resources": {
        "requests": {"memory": "100m", "ephemeral-storage": "1.5"}, "limits": {"memory": "1500m"}}}]),
    _pod(containers=_ports(_port(), _port(hostPort=1), _port(hostPort=1, hostIP="1.1.1.1"))),
    _pod(containers=_ports(_port(), _port())),
    _pod(containers=_ports(_port(hostIP="1.1.1.1", name="a"))),
    _pod(containers=_ports(_port(name="a"), _port(81, name="a"))),
    _pod(initContainers=[{"name": "i", "image": "i", "ports": [_port()]}], containers=_ports(_port(protocol="TCP"))),
]  # fmt: skip

WORKLOADS: list[Doc] = [
    _workload("Deployment", terminationGracePeriodSeconds=-1),
    *(_workload(kind, "a.b", nodeSelector={"beta.kubernetes.io/os": "l"})
      for kind in ("Deployment", "ReplicaSet", "DaemonSet")),
    _workload("Deployment", "a" * 64),
    *(_workload("Deployment", annotations={"container.apparmor.security.beta.kubernetes.io/c": profile})
      for profile in ("runtime/default", "unconfined", "localhost/x", "localhost/")),
    _workload("StatefulSet", more={"serviceName": "s", "volumeClaimTemplates": [
        {"metadata": {"name": "v"}, "spec": _CLAIM}]}),
    _of("batch/v1", "Job", "a.b", spec={"template": {"spec": {**_BATCH, "nodeSelector": _OLD_OS}}}),
    _of("batch/v1", "Job", spec={"template": {"spec": {**_BATCH, "nodeSelector": _OLD_OS}},
        "completionMode": "Indexed", "completions": 200_000, "parallelism": 20_000}),
    _of("batch/v1", "CronJob", "a.b", spec={"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": {
        **_BATCH, "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}]}}}}}),
    _of("v1", "ReplicationController", "a.b", spec={"selector": _LABELS, "template": {
        "metadata": {"labels": _LABELS}, "spec": {**_POD, "nodeSelector": {"beta.kubernetes.io/os": "l"}}}}),
    _of("v1", "PodTemplate", template={"spec": {**_POD, "nodeSelector": {"beta.kubernetes.io/os": "l"}}}),
]  # fmt: skip

OTHERS: list[Doc] = [
    _service({"annotations": {"service.kubernetes.io/topology-aware-hints": "auto"}}),
    _service(clusterIP="None", loadBalancerIP="1.1.1.1", externalIPs=["2001:DB8::1"], sessionAffinity="ClientIP"),
    _service(externalIPs=["1.1.1.1"], externalName="a.b"),
    _service(type="ExternalName", externalName="a.b", externalIPs=["1.1.1.1"]),
    _service(type="LoadBalancer", loadBalancerIP="2001:DB8::1", loadBalancerSourceRanges=["2001:DB8::/32"]),
    _service(trafficDistribution="PreferClose"),
    _of("networking.k8s.io/v1", "Ingress", metadata={"annotations": {"kubernetes.io/ingress.class": "c"}},
        spec={"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}),
    _of("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}, "ingress": [{"from": [
        {"ipBlock": {"cidr": "2001:DB8::/32", "except": ["2001:DB8:1::/48"]}}]}], "egress": [{"to": [
            {"ipBlock": {"cidr": "2001:0db8::/32"}}]}]}),
    _of("v1", "Endpoints", subsets=[{"addresses": [{"ip": "2001:DB8::1"}], "notReadyAddresses": [{"ip": "2001:0::1"}],
                                     "ports": [{"port": 1}]}]),
    _of("discovery.k8s.io/v1", "EndpointSlice", addressType="FQDN", endpoints=[{"addresses": ["a.b"]}]),
    _of("v1", "PersistentVolumeClaim", metadata={"annotations": {"volume.beta.kubernetes.io/storage-class": "x"}},
        spec=_CLAIM),
    _persistent_volume({"annotations": {"volume.beta.kubernetes.io/storage-class": "x",
                                        "volume.beta.kubernetes.io/mount-options": "x"}},
                       nfs={"server": "s", "path": "/x"}, persistentVolumeReclaimPolicy="Recycle"),
    _persistent_volume(hostPath={"path": "/x"}, nodeAffinity={"required": {"nodeSelectorTerms": [
        {"matchExpressions": [{**_OLD, "values": ["a"]}]}]}}),
    _persistent_volume(cephfs={"monitors": ["m"]}),
    _persistent_volume(glusterfs={"endpoints": "e", "path": "p"}),
    _persistent_volume(rbd={"monitors": ["m"], "image": "i"}),
    _persistent_volume(storageos={"volumeName": "v", "volumeNamespace": "n"}),
    _of("v1", "ResourceQuota", spec={"hard": {"cpu": "2", "limits.cpu": "1", "requests.memory": "2Gi",
                                              "limits.memory": "1Gi"}}),
    _of("v1", "ServiceAccount", metadata={"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}),
    _of("v1", "Node", spec={"externalID": "x", "podCIDR": "2001:DB8::/64", "podCIDRs": ["2001:DB8::/64"]}),
    _of("node.k8s.io/v1", "RuntimeClass", handler="h", scheduling={"nodeSelector": {"beta.kubernetes.io/os": "l"}}),
    _of("storage.k8s.io/v1", "StorageClass", provisioner="p.x", allowedTopologies=[{"matchLabelExpressions": [
        {"key": "beta.kubernetes.io/os", "values": ["l"]}]}]),
    _of("storage.k8s.io/v1", "CSIDriver", spec={"tokenRequests": [{"audience": "a"}]}),
    _of("storage.k8s.io/v1", "CSIStorageCapacity", storageClassName="c", nodeTopology={
        "matchExpressions": [{"key": "beta.kubernetes.io/os", "operator": "Exists"}],
        "matchLabels": {"beta.kubernetes.io/arch": "a"}}),
    _of("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "a.static.k8s.io"),
    _of("apiextensions.k8s.io/v1", "CustomResourceDefinition", "xs.warned.hwplan.dev", spec={
        "group": "warned.hwplan.dev", "scope": "Namespaced", "names": {"plural": "xs", "kind": "X"}, "versions": [{
            "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {
                    "a": {"type": "string", "format": "binary"}, "b": {"type": "integer", "format": "uint"},
                    "c": {"type": "number", "format": "float"}, "d": {"type": "boolean", "format": "x"},
                    "e": {"type": "array", "items": {"type": "string", "format": "k8s-short-name"}},
                    "f": {"type": "string", "format": "int64"}}}}}]}),
]  # fmt: skip

WARNED: list[Doc] = [*PODS, *WORKLOADS, *OTHERS]


def deprecated_definition() -> Doc:
    """A definition of which three versions are deprecated, one with words of its own."""
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [
        {"name": name, "served": True, "storage": name == "v1", "schema": anything, **more}
        for name, more in (
            ("v1alpha1", {"deprecated": True}),
            ("v1beta1", {"deprecated": True, "deprecationWarning": "take another one"}),
            ("v1", {}),
            ("v2", {"deprecated": True}),
        )
    ]
    names = {"plural": "olds", "singular": "old", "kind": "Old", "listKind": "OldList"}
    return _of("apiextensions.k8s.io/v1", "CustomResourceDefinition", "olds.warned.hwplan.dev", spec={
        "group": "warned.hwplan.dev", "scope": "Namespaced", "names": names, "versions": versions})  # fmt: skip


def deprecated_objects() -> list[Doc]:
    """One for each version of it, with finalizers that are warned of as well."""
    named = ["a.b/c", "plain", "a.b", "kubernetes"]
    versions = ("v1alpha1", "v1beta1", "v1", "v2")
    return [_of(f"warned.hwplan.dev/{version}", "Old", metadata={"finalizers": named}) for version in versions]
