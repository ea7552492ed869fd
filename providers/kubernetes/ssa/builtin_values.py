"""Values of built-in kinds that the API server refuses: a table of fields by type, and rules between fields.

Judges the object as it would be stored (defaults filled in). Knows the values that people get wrong; what is left to
the server is named in docs/sandbox.md. Source: the validation of Kubernetes 1.36, held against a server's dry run by
tests/integration/test_builtin_values.py. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from planner.field_path import Element, FieldPath
from planner.values import Json, JsonObject, JsonValue
from providers.kubernetes.ssa.builtin_validation_rules import RULES
from providers.kubernetes.ssa.builtin_value_formats import builtin_value_format_error
from providers.kubernetes.ssa.merge_types import MergeType
from providers.kubernetes.ssa.metadata_values import metadata_value_errors, template_metadata_errors
from providers.kubernetes.ssa.typed_values import list_item_element

# `Type: field[!]:form ...`; `!` is required and not empty; a form is a name of builtin_value_formats.py or `A|B`;
# `field.*` are the values of a map, `field.key` its keys.
_TABLE: Final = """
meta.v1.LabelSelector: matchLabels.key:qualified matchLabels.*:labelvalue
meta.v1.LabelSelectorRequirement: key!:qualified operator!:In|NotIn|Exists|DoesNotExist values:labelvalue
core.v1.Container: name!:label image!:any imagePullPolicy:Always|IfNotPresent|Never workingDir:any
core.v1.Container: terminationMessagePolicy:File|FallbackToLogsOnError
core.v1.ContainerPort: containerPort!:port hostPort:port0 protocol:TCP|UDP|SCTP name:portname hostIP:ip
core.v1.EnvVar: name!:envname
core.v1.ConfigMapKeySelector: name!:subdomain key!:configkey
core.v1.SecretKeySelector: name!:subdomain key!:configkey
core.v1.ConfigMapEnvSource: name!:subdomain
core.v1.SecretEnvSource: name!:subdomain
core.v1.ObjectFieldSelector: fieldPath!:fieldpath
core.v1.DownwardAPIVolumeFile: path!:relative mode:mode
core.v1.VolumeMount: name!:any mountPath!:any mountPropagation:Bidirectional|HostToContainer|None
core.v1.SeccompProfile: type!:Localhost|RuntimeDefault|Unconfined
core.v1.AppArmorProfile: type!:Localhost|RuntimeDefault|Unconfined
core.v1.PodAffinityTerm: topologyKey!:qualified
core.v1.Volume: name!:label
core.v1.ConfigMapVolumeSource: name!:any defaultMode:mode
core.v1.ConfigMapProjection: name!:any
core.v1.SecretProjection: name!:any
core.v1.SecretVolumeSource: secretName!:any defaultMode:mode
core.v1.ProjectedVolumeSource: defaultMode:mode
core.v1.DownwardAPIVolumeSource: defaultMode:mode
core.v1.HostPathVolumeSource: path!:noback
core.v1.HostPathVolumeSource: type:|BlockDevice|CharDevice|Directory|DirectoryOrCreate|File|FileOrCreate|Socket
core.v1.GCEPersistentDiskVolumeSource: pdName!:any partition:partition
core.v1.AWSElasticBlockStoreVolumeSource: volumeID!:any partition:partition
core.v1.PortworxVolumeSource: volumeID!:any
core.v1.VsphereVirtualDiskVolumeSource: volumePath!:any
core.v1.NodeSelectorRequirement: key!:qualified operator!:In|NotIn|Exists|DoesNotExist|Gt|Lt
core.v1.PodSecurityContext: runAsUser:userid runAsGroup:userid fsGroup:userid supplementalGroups:userid
core.v1.PodSecurityContext: fsGroupChangePolicy:Always|OnRootMismatch
core.v1.SecurityContext: runAsUser:userid runAsGroup:userid procMount:Default|Unmasked
core.v1.AzureFilePersistentVolumeSource: secretName!:any shareName!:any
core.v1.CSIPersistentVolumeSource: driver!:csidriver volumeHandle!:any
core.v1.LocalVolumeSource: path!:noback
core.v1.NFSVolumeSource: server!:any path!:absolute
core.v1.PersistentVolumeClaimVolumeSource: claimName!:any
core.v1.KeyToPath: key!:any path!:relative mode:mode
core.v1.TopologySpreadConstraint: topologyKey!:qualified whenUnsatisfiable!:DoNotSchedule|ScheduleAnyway
core.v1.TopologySpreadConstraint: maxSkew!:positive
core.v1.ServiceAccountTokenProjection: path!:relative
core.v1.ResourceFieldSelector: resource!:any
core.v1.ExecAction: command!:any
core.v1.HTTPGetAction: scheme:HTTP|HTTPS path!:any port!:portorname
core.v1.TCPSocketAction: port!:portorname
core.v1.GRPCAction: port!:port
core.v1.Probe: initialDelaySeconds:natural timeoutSeconds:positive periodSeconds:positive successThreshold:positive
core.v1.Probe: failureThreshold:positive
core.v1.HostAlias: ip!:ip hostnames:subdomain
core.v1.Toleration: key:qualified operator:Exists|Equal|Lt|Gt effect:NoSchedule|PreferNoSchedule|NoExecute
core.v1.PodSpec: containers!:any restartPolicy:Always|OnFailure|Never nodeSelector.key:qualified
core.v1.PodSpec: dnsPolicy:ClusterFirst|ClusterFirstWithHostNet|Default|None
core.v1.PodSpec: serviceAccountName:subdomain nodeSelector.*:labelvalue activeDeadlineSeconds:positive hostname:label
core.v1.PodSpec: schedulerName:any priorityClassName:subdomain preemptionPolicy:Never|PreemptLowerPriority
core.v1.ServiceSpec: type:ClusterIP|NodePort|LoadBalancer|ExternalName sessionAffinity:ClientIP|None
core.v1.ServiceSpec: selector.key:qualified selector.*:labelvalue internalTrafficPolicy:Cluster|Local
core.v1.ServiceSpec: ipFamilyPolicy:SingleStack|PreferDualStack|RequireDualStack ipFamilies:IPv4|IPv6
core.v1.ServiceSpec: externalIPs:ip loadBalancerClass:qualified
core.v1.ServiceSpec: externalTrafficPolicy:Cluster|Local
core.v1.ServicePort: port!:port protocol:TCP|UDP|SCTP nodePort:port0 name:label targetPort:portorname
core.v1.ConfigMap: data.key:configkey binaryData.key:configkey
core.v1.Secret: data.key:configkey data.*:base64
core.v1.PersistentVolumeClaimSpec: accessModes!:ReadWriteOnce|ReadOnlyMany|ReadWriteMany|ReadWriteOncePod
core.v1.PersistentVolumeClaimSpec: volumeMode:Block|Filesystem storageClassName:subdomain
core.v1.PersistentVolumeSpec: accessModes!:ReadWriteOnce|ReadOnlyMany|ReadWriteMany|ReadWriteOncePod capacity!:any
core.v1.PersistentVolumeSpec: persistentVolumeReclaimPolicy:Delete|Recycle|Retain storageClassName:subdomain
core.v1.PersistentVolumeSpec: volumeMode:Block|Filesystem
core.v1.LimitRangeItem: type!:any
core.v1.EndpointPort: name:label port!:port protocol!:TCP|UDP|SCTP appProtocol:qualified
core.v1.ReplicationControllerSpec: replicas:natural minReadySeconds:natural
core.v1.ScopedResourceSelectorRequirement: operator!:In|NotIn|Exists|DoesNotExist
apps.v1.DeploymentSpec: replicas:natural minReadySeconds:natural revisionHistoryLimit:natural
apps.v1.DeploymentSpec: progressDeadlineSeconds:natural
apps.v1.RollingUpdateDeployment: maxSurge:percent maxUnavailable:percent
apps.v1.RollingUpdateDaemonSet: maxSurge:percent maxUnavailable:percent
apps.v1.DeploymentStrategy: type:Recreate|RollingUpdate
apps.v1.DaemonSetSpec: minReadySeconds:natural revisionHistoryLimit:natural
apps.v1.DaemonSetUpdateStrategy: type:OnDelete|RollingUpdate
apps.v1.StatefulSetSpec: replicas:natural minReadySeconds:natural revisionHistoryLimit:natural
apps.v1.StatefulSetSpec: serviceName:label podManagementPolicy:OrderedReady|Parallel
apps.v1.StatefulSetUpdateStrategy: type:OnDelete|RollingUpdate
apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted:Retain|Delete whenScaled:Retain|Delete
apps.v1.ReplicaSetSpec: replicas:natural minReadySeconds:natural
batch.v1.JobSpec: parallelism:natural completions:natural activeDeadlineSeconds:natural backoffLimit:natural
batch.v1.JobSpec: ttlSecondsAfterFinished:natural completionMode:Indexed|NonIndexed
batch.v1.CronJobSpec: schedule!:schedule concurrencyPolicy:Allow|Forbid|Replace failedJobsHistoryLimit:natural
batch.v1.CronJobSpec: timeZone:timezone
batch.v1.CronJobSpec: successfulJobsHistoryLimit:natural startingDeadlineSeconds:natural
rbac.v1.PolicyRule: verbs!:any
rbac.v1.RoleRef: name!:segment apiGroup:rbac.authorization.k8s.io
rbac.v1.Subject: kind:User|Group|ServiceAccount name!:any
networking.v1.IngressServiceBackend: name!:label
networking.v1.IngressSpec: ingressClassName:subdomain
networking.v1.ServiceBackendPort: number:port name:portname
networking.v1.IngressRule: host:host
networking.v1.IngressTLS: hosts:host secretName:subdomain
networking.v1.HTTPIngressRuleValue: paths!:any
networking.v1.HTTPIngressPath: pathType!:Exact|ImplementationSpecific|Prefix
networking.v1.IPBlock: cidr!:cidr
core.v1.EndpointAddress: ip!:ip
networking.v1.NetworkPolicySpec: policyTypes:Egress|Ingress
networking.v1.NetworkPolicyPort: protocol:TCP|UDP|SCTP port:portorname
networking.v1.IngressClassSpec: controller!:scoped
networking.v1.IngressClassParametersReference: kind!:segment name!:segment apiGroup:subdomain
autoscaling.v2.CrossVersionObjectReference: kind!:segment name!:segment
autoscaling.v2.HorizontalPodAutoscalerSpec: minReplicas:positive maxReplicas:positive
autoscaling.v2.MetricTarget: type!:Utilization|Value|AverageValue averageUtilization:positive
autoscaling.v2.MetricSpec: type!:ContainerResource|External|Object|Pods|Resource
autoscaling.v2.MetricIdentifier: name!:segment
autoscaling.v2.HPAScalingRules: selectPolicy:Disabled|Max|Min policies!:any stabilizationWindowSeconds:window
autoscaling.v2.HPAScalingPolicy: type!:Percent|Pods value!:positive periodSeconds!:period
autoscaling.v2.ContainerResourceMetricSource: name!:any container!:label
autoscaling.v2.ResourceMetricSource: name!:any
policy.v1.PodDisruptionBudgetSpec: minAvailable:percent maxUnavailable:percent
policy.v1.PodDisruptionBudgetSpec: unhealthyPodEvictionPolicy:AlwaysAllow|IfHealthyBudget
admissionregistration.v1.RuleWithOperations: operations!:*|CONNECT|CREATE|DELETE|UPDATE scope:*|Cluster|Namespaced
admissionregistration.v1.RuleWithOperations: apiGroups!:any apiVersions!:nonempty resources!:nonempty
admissionregistration.v1.ServiceReference: name!:any namespace!:any port:port path:hookpath
admissionregistration.v1.ValidatingWebhook: failurePolicy:Fail|Ignore sideEffects!:None|NoneOnDryRun
admissionregistration.v1.ValidatingWebhook: admissionReviewVersions!:servicename matchPolicy:Equivalent|Exact
admissionregistration.v1.MutatingWebhook: failurePolicy:Fail|Ignore sideEffects!:None|NoneOnDryRun
admissionregistration.v1.MutatingWebhook: admissionReviewVersions!:servicename matchPolicy:Equivalent|Exact
admissionregistration.v1.MutatingWebhook: reinvocationPolicy:IfNeeded|Never
kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference: name!:any namespace!:any port:port
storage.v1.StorageClass: provisioner!:provisioner reclaimPolicy:Delete|Retain
storage.v1.CSIDriverSpec: fsGroupPolicy:File|None|ReadWriteOnceWithFSType volumeLifecycleModes:Ephemeral|Persistent
scheduling.v1.PriorityClass: preemptionPolicy:Never|PreemptLowerPriority
storage.v1.StorageClass: volumeBindingMode:Immediate|WaitForFirstConsumer
discovery.v1.EndpointSlice: addressType!:IPv4|IPv6|FQDN
discovery.v1.EndpointPort: protocol:TCP|UDP|SCTP name:label
discovery.v1.Endpoint: addresses!:any hostname:label
coordination.v1.LeaseSpec: leaseDurationSeconds:positive leaseTransitions:natural
"""


@cache
def builtin_value_table() -> Mapping[str, tuple[tuple[str, str, bool, str], ...]]:
    """The table of value rules; by type: field, "" or "*" or "key", whether it is required, form."""
    out: dict[str, tuple[tuple[str, str, bool, str], ...]] = {}
    for line in _TABLE.strip().splitlines():
        name, _, words = line.partition(":")
        made = []
        for word in words.split():
            field, _, form = word.partition(":")
            field, _, part = field.partition(".")
            made.append((field.rstrip("!"), part, "!" in field, form))
        out[name] = (*out.get(name, ()), *made)
    return out


# What the server checks of metadata in an object, by the type that holds them; in others it checks none.
_LABELLED = frozenset(
    ("core.v1.PodTemplateSpec", "core.v1.PersistentVolumeClaimTemplate", "resource.v1.ResourceClaimTemplateSpec")
)
_METADATA = "meta.v1.ObjectMeta"


def builtin_value_errors(kind: MergeType, value: Json, path: FieldPath = ()) -> Iterator[tuple[FieldPath, str]]:
    """What the server would refuse in a built-in object, with the path of each."""
    if isinstance(value, dict):
        if not path:
            yield from metadata_value_errors(value)
        elif kind.name in _LABELLED:
            yield from (
                (path + below, message) for below, message in template_metadata_errors(value.get("metadata") or {})
            )
        if kind.name:
            yield from ((path + below, message) for below, message in _struct(kind, value))
        for key, item in value.items():
            below = kind.child(key)
            if below is None or (key == "status" and not path):
                continue
            if below.scalar == "bytes" and kind.name != _SEALED:
                yield from (((*path, key), words) for words in [builtin_value_format_error("base64", item)] if words)
            elif below.scalar == "int-or-string" and isinstance(item, (int, float)) and not _is_narrow(item):
                yield (*path, key), "cannot unmarshal number into Go value of type int32"
            elif isinstance(item, (dict, list)) and not (path and below.name == _METADATA):
                yield from builtin_value_errors(below, item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                element: Element = list_item_element(kind, item) if kind.list_kind == "map" else index
                yield from builtin_value_errors(kind.items(), item, (*path, element))


def _is_narrow(number: float) -> bool:
    return -(2**31) <= number < 2**31


_SEALED = "core.v1.Secret"  # fingerprints may stand there


def _struct(kind: MergeType, value: JsonObject) -> Iterator[tuple[FieldPath, str]]:
    for field, part, required, form in builtin_value_table().get(kind.name, ()):
        found = value.get(field)
        if found in (None, "", [], {}) or (required and found == 0):
            if required or (found == "" and "|" in form[1:] and form[0] != "|" and "p" in kind.flags(field)):
                yield (field,), "Required value"
            continue
        yield from _member(field, part, form, found)
    for rule in RULES.get(kind.name, ()):
        yield from rule(value)


def _member(field: str, part: str, form: str, found: JsonValue) -> Iterator[tuple[FieldPath, str]]:
    if part and isinstance(found, dict):
        yield from (
            ((field,), words)
            for item in (found if part == "key" else found.values())
            if (words := builtin_value_format_error(form, item))
        )
    elif isinstance(found, list):
        yield from (
            ((field, index), words)
            for index, item in enumerate(found)
            if (words := builtin_value_format_error(form, item))
        )
    elif words := builtin_value_format_error(form, found):
        yield (field,), words
