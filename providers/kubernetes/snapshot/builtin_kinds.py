"""The kinds that a snapshot serves without any CRD: names and scopes of the built-in API. A table and its reading."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.custom_kinds import VERBS

# `api_version: Kind plural ...`; a kind with a leading `*` is cluster-scoped. Kubernetes API reference, v1.36.
_BUILTIN = """
v1: ConfigMap configmaps Endpoints endpoints Event events LimitRange limitranges *Namespace namespaces *Node nodes
v1: *PersistentVolume persistentvolumes PersistentVolumeClaim persistentvolumeclaims Pod pods PodTemplate podtemplates
v1: ReplicationController replicationcontrollers ResourceQuota resourcequotas Secret secrets Service services
v1: ServiceAccount serviceaccounts
admissionregistration.k8s.io/v1: *MutatingAdmissionPolicy mutatingadmissionpolicies
admissionregistration.k8s.io/v1: *MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings
admissionregistration.k8s.io/v1: *MutatingWebhookConfiguration mutatingwebhookconfigurations
admissionregistration.k8s.io/v1: *ValidatingWebhookConfiguration validatingwebhookconfigurations
admissionregistration.k8s.io/v1: *ValidatingAdmissionPolicy validatingadmissionpolicies
admissionregistration.k8s.io/v1: *ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings
apiextensions.k8s.io/v1: *CustomResourceDefinition customresourcedefinitions
apiregistration.k8s.io/v1: *APIService apiservices
apps/v1: ControllerRevision controllerrevisions DaemonSet daemonsets Deployment deployments ReplicaSet replicasets
apps/v1: StatefulSet statefulsets
autoscaling/v2: HorizontalPodAutoscaler horizontalpodautoscalers
autoscaling/v1: HorizontalPodAutoscaler horizontalpodautoscalers
batch/v1: CronJob cronjobs Job jobs
certificates.k8s.io/v1: *CertificateSigningRequest certificatesigningrequests
coordination.k8s.io/v1: Lease leases
discovery.k8s.io/v1: EndpointSlice endpointslices
events.k8s.io/v1: Event events
flowcontrol.apiserver.k8s.io/v1: *FlowSchema flowschemas
flowcontrol.apiserver.k8s.io/v1: *PriorityLevelConfiguration prioritylevelconfigurations
networking.k8s.io/v1: Ingress ingresses *IngressClass ingressclasses NetworkPolicy networkpolicies
networking.k8s.io/v1: *IPAddress ipaddresses *ServiceCIDR servicecidrs
node.k8s.io/v1: *RuntimeClass runtimeclasses
policy/v1: PodDisruptionBudget poddisruptionbudgets
rbac.authorization.k8s.io/v1: *ClusterRole clusterroles *ClusterRoleBinding clusterrolebindings Role roles
rbac.authorization.k8s.io/v1: RoleBinding rolebindings
resource.k8s.io/v1: *DeviceClass deviceclasses ResourceClaim resourceclaims *ResourceSlice resourceslices
resource.k8s.io/v1: ResourceClaimTemplate resourceclaimtemplates
scheduling.k8s.io/v1: *PriorityClass priorityclasses
storage.k8s.io/v1: *CSIDriver csidrivers *CSINode csinodes CSIStorageCapacity csistoragecapacities
storage.k8s.io/v1: *StorageClass storageclasses *VolumeAttachment volumeattachments
storage.k8s.io/v1: *VolumeAttributesClass volumeattributesclasses
"""


@cache
def builtin_kind_infos() -> tuple[ServedKubernetesKind, ...]:
    """Every built-in kind, preferred versions first."""
    return tuple(_read_table())


def _read_table() -> Iterator[ServedKubernetesKind]:
    for line in _BUILTIN.strip().splitlines():
        api_version, _, rest = line.partition(": ")
        words = rest.split()
        for kind, plural in zip(words[::2], words[1::2], strict=True):
            yield ServedKubernetesKind(api_version, kind.lstrip("*"), plural, not kind.startswith("*"), VERBS)
