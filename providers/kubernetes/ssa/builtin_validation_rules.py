"""Rules between the fields of built-in structs: what the API server refuses although each field alone is right.

Each rule gets one struct, as it would be stored, and gives the paths below it that are wrong. Pure. Source: the
validation of Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planner.values import JsonObject
from planner.whole_number import parse_whole_number
from providers.kubernetes.ssa.api_service_validation_rules import API_SERVICE_RULES
from providers.kubernetes.ssa.autoscaler_validation_rules import SCALING_RULES
from providers.kubernetes.ssa.builtin_value_formats import is_dns_label, is_dns_subdomain
from providers.kubernetes.ssa.crd_definition_rules import DEFINITION_RULES
from providers.kubernetes.ssa.endpoint_validation_rules import ENDPOINT_RULES
from providers.kubernetes.ssa.networking_validation_rules import NETWORKING_RULES
from providers.kubernetes.ssa.pod_annotation_validation_rules import (
    POD_ANNOTATION_RULES,
    check_seccomp_apparmor_annotations,
)
from providers.kubernetes.ssa.pod_validation_rules import (
    POD_RULES,
    Problem,
    Rule,
    check_pod_mounts,
    check_template_mounts,
    maps_in_list,
)
from providers.kubernetes.ssa.quantity import quantity_amount
from providers.kubernetes.ssa.quota_and_limit_range_validation_rules import QUOTA_RULES

_SECRET_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_ACCOUNT = "kubernetes.io/service-account-token"
_LARGEST = 1 << 20
_VOLUME_FIELDS = frozenset(
    ("accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy",
     "storageClassName", "volumeAttributesClassName", "volumeMode")
)  # fmt: skip
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_MOUNTED_WITH_OPTIONS = frozenset(
    ("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "gcePersistentDisk", "glusterfs", "iscsi",
     "nfs", "photonPersistentDisk", "quobyte", "rbd", "vsphereVolume")
)  # fmt: skip


def _selector(value: JsonObject) -> Iterator[Problem]:
    """A workload's selector takes the pods of its own template."""
    selector, template = value.get("selector") or {}, value.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield ("selector",), "empty selector is invalid"
    elif not _selects(selector, labels):
        yield ("template", "metadata", "labels"), "`selector` does not match template `labels`"
    if (template.get("spec") or {}).get("restartPolicy", "Always") != "Always":
        yield ("template", "spec", "restartPolicy"), "Unsupported value: supported values: 'Always'"


def _replication_controller(value: JsonObject) -> Iterator[Problem]:
    selector, template = value.get("selector") or {}, value.get("template")
    if not selector:
        yield ("selector",), "Required value"
    if template is None:
        yield ("template",), "Required value"
        return
    labels = (template.get("metadata") or {}).get("labels") or {}
    if selector and not selector.items() <= labels.items():
        yield ("template", "metadata", "labels"), "`selector` does not match template `labels`"
    if (template.get("spec") or {}).get("restartPolicy", "Always") != "Always":
        yield ("template", "spec", "restartPolicy"), "Unsupported value: supported values: 'Always'"


def _selects(selector: JsonObject, labels: JsonObject) -> bool:
    return (selector.get("matchLabels") or {}).items() <= labels.items() and all(
        _expression(item, labels) for item in maps_in_list(selector, "matchExpressions")
    )


def _expression(item: JsonObject, labels: JsonObject) -> bool:
    key, values = str(item.get("key")), item.get("values") or ()
    match item.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
    return key not in labels


def _claim_templates(value: JsonObject) -> Iterator[Problem]:
    for index, claim in enumerate(maps_in_list(value, "volumeClaimTemplates")):
        if not (claim.get("metadata") or {}).get("name"):
            yield ("volumeClaimTemplates", index, "metadata", "name"), "Required value"


def _requirement(value: JsonObject) -> Iterator[Problem]:
    if value.get("operator") in ("In", "NotIn") and not value.get("values"):
        yield ("values",), "must be specified when `operator` is 'In' or 'NotIn'"
    if value.get("operator") in ("Exists", "DoesNotExist") and value.get("values"):
        yield ("values",), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"


def _strategy(value: JsonObject) -> Iterator[Problem]:
    if value.get("type") == "Recreate" and value.get("rollingUpdate"):
        yield ("rollingUpdate",), "may not be specified when strategy `type` is 'Recreate'"
    rolling = value.get("rollingUpdate") or {}
    if value.get("type") == "RollingUpdate" and {str(rolling.get(n)) for n in ("maxSurge", "maxUnavailable")} <= {
        "0",
        "0%",
    }:
        yield ("rollingUpdate", "maxUnavailable"), "may not be 0 when `maxSurge` is 0"


def _deadline(value: JsonObject) -> Iterator[Problem]:
    """Pods of a controller that replaces them have no deadline."""
    if ((value.get("template") or {}).get("spec") or {}).get("activeDeadlineSeconds") is not None:
        yield ("template", "spec", "activeDeadlineSeconds"), "not supported in the pods of this kind"


def _progress(value: JsonObject) -> Iterator[Problem]:
    deadline, least = value.get("progressDeadlineSeconds"), value.get("minReadySeconds") or 0
    if isinstance(deadline, int) and deadline <= least:
        yield ("progressDeadlineSeconds",), "must be greater than minReadySeconds"


def _rolling_daemons(value: JsonObject) -> Iterator[Problem]:
    surge, gone = (str(value.get(name) or 0) not in ("0", "0%") for name in ("maxSurge", "maxUnavailable"))
    if surge and gone:
        yield ("maxSurge",), "may not be set when maxUnavailable is non-zero"
    elif not surge and not gone and value.get("maxUnavailable") is not None:
        yield ("maxUnavailable",), "cannot be 0 when maxSurge is 0"


def _job(value: JsonObject) -> Iterator[Problem]:
    policy = ((value.get("template") or {}).get("spec") or {}).get("restartPolicy")
    if policy not in ("OnFailure", "Never"):
        yield ("template", "spec", "restartPolicy"), "Required value: valid values: 'OnFailure', 'Never'"


def _indexed_job(value: JsonObject) -> Iterator[Problem]:
    """The pods of an indexed Job are named after their index."""
    spec = value.get("spec") or {}
    last = f"{value['metadata'].get('name')}-{(spec.get('completions') or 0) - 1}"
    if spec.get("completionMode") == "Indexed" and spec.get("completions") and not is_dns_label(last):
        yield ("metadata", "name"), f"will not able to create pod with invalid DNS label: {last}"


def _config_map(value: JsonObject) -> Iterator[Problem]:
    data, binary = value.get("data") or {}, value.get("binaryData") or {}
    yield from (
        ((("data", key)), "duplicate of key present in binaryData") for key in sorted(data.keys() & binary.keys())
    )
    if _size(data) + _size(binary) * 3 // 4 > _LARGEST:
        yield (), f"Too long: may not be more than {_LARGEST} bytes"


def _secret(value: JsonObject) -> Iterator[Problem]:
    data = value.get("data") or {}
    annotations = (value.get("metadata") or {}).get("annotations") or {}
    if value.get("type") == _ACCOUNT and not annotations.get("kubernetes.io/service-account.name"):
        yield ("metadata", "annotations", "kubernetes.io/service-account.name"), "Required value"
    if value.get("type") == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield ("data", "username"), "Required value"
    for key in _SECRET_KEYS.get(str(value.get("type")), ()):
        if key not in data:
            yield ("data", key), "Required value"
    if _size(data) * 3 // 4 > _LARGEST:
        yield ("data",), f"Too long: may not be more than {_LARGEST} bytes"


def _size(data: JsonObject) -> int:
    return sum(len(item.encode(errors="replace")) for item in data.values() if isinstance(item, str))


def _claim(value: JsonObject) -> Iterator[Problem]:
    asked = ((value.get("resources") or {}).get("requests") or {}).get("storage")
    amount = quantity_amount(asked)
    if asked is None:
        yield ("resources", "requests", "storage"), "Required value"
    elif amount is not None and amount <= 0:
        yield ("resources", "requests", "storage"), "must be greater than zero"


def _persistent_volume(value: JsonObject) -> Iterator[Problem]:
    capacity = value.get("capacity") or {}
    amount = quantity_amount(capacity.get("storage"))
    if not value.keys() - _VOLUME_FIELDS:
        yield (), "Required value: must specify a volume type"
    if set(capacity) - {"storage"}:
        yield ("capacity",), "Unsupported value: supported values: 'storage'"
    if amount is not None and amount <= 0:
        yield ("capacity", "storage"), "must be greater than zero"


def _mount_options(value: JsonObject) -> Iterator[Problem]:
    """The annotation that goes before `mountOptions`."""
    given = _MOUNT_OPTIONS in (value["metadata"].get("annotations") or {})
    if given and not _MOUNTED_WITH_OPTIONS & (value.get("spec") or {}).keys():
        yield ("metadata", "annotations", _MOUNT_OPTIONS), "may not specify mount options for this volume type"


def _policy_rule(value: JsonObject) -> Iterator[Problem]:
    if value.get("nonResourceURLs"):
        if value.get("apiGroups") or value.get("resources") or value.get("resourceNames"):
            yield ("nonResourceURLs",), "rules cannot apply to both regular resources and non-resource URLs"
        return
    for name, words in (("apiGroups", "API group"), ("resources", "resource")):
        if not value.get(name):
            yield (name,), f"Required value: resource rules must supply at least one {words}"


def _role_ref(value: JsonObject) -> Iterator[Problem]:
    if value.get("kind") not in ("Role", "ClusterRole"):
        yield ("kind",), "Unsupported value: supported values: 'ClusterRole', 'Role'"


def _subject(value: JsonObject) -> Iterator[Problem]:
    if value.get("kind") == "ServiceAccount" and not is_dns_subdomain(str(value.get("name") or "x")):
        yield ("name",), "a lowercase RFC 1123 subdomain is needed"
    if value.get("apiGroup") not in (
        "" if value.get("kind") == "ServiceAccount" else "rbac.authorization.k8s.io",
        None,
        "",
    ):
        yield ("apiGroup",), "Unsupported value: supported values: 'rbac.authorization.k8s.io'"
    if not value.get("kind"):
        yield ("kind",), "Unsupported value: supported values: 'Group', 'ServiceAccount', 'User'"


def _cluster_binding(value: JsonObject) -> Iterator[Problem]:
    for index, subject in enumerate(maps_in_list(value, "subjects")):
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            yield ("subjects", index, "namespace"), "Required value"


def _budget(value: JsonObject) -> Iterator[Problem]:
    for name in ("minAvailable", "maxUnavailable"):
        text = str(value.get(name))
        if text.endswith("%") and (parse_whole_number(text[:-1]) or 0) > 100:
            yield (name,), "must not be greater than 100%"
    if value.get("minAvailable") is not None and value.get("maxUnavailable") is not None:
        yield (), "minAvailable and maxUnavailable cannot be both set"


def _webhook(value: JsonObject) -> Iterator[Problem]:
    config = value.get("clientConfig") or {}
    if bool(config.get("service")) is bool(config.get("url")):
        yield ("clientConfig",), "Required value: exactly one of url or service is required"
    if config.get("url") is not None and not str(config["url"]).startswith("https://"):
        yield ("clientConfig", "url"), "'https' is the only allowed URL scheme"
    if str(value.get("name", "")).count(".") < 2 or not is_dns_subdomain(str(value["name"])):
        yield ("name",), "should be a domain with at least three segments separated by dots"
    versions = value.get("admissionReviewVersions") or ()
    if len(set(versions)) < len(versions):
        yield ("admissionReviewVersions",), "duplicate version"
    if not {"v1", "v1beta1"} & set(versions):
        yield ("admissionReviewVersions",), "must include at least one of v1, v1beta1"
    if not 1 <= value.get("timeoutSeconds", 10) <= 30:
        yield ("timeoutSeconds",), "the timeout value must be between 1 and 30 seconds"


def _rule_of_webhook(value: JsonObject) -> Iterator[Problem]:
    for name in ("apiGroups", "apiVersions", "operations"):
        given = value.get(name) or ()
        if "*" in given and len(given) > 1:
            yield (name,), "if '*' is present, must not specify others"


def _priority(value: JsonObject) -> Iterator[Problem]:
    if value.get("value", 0) > 1_000_000_000 and not str(value["metadata"].get("name")).startswith("system-"):
        yield ("value",), "Forbidden: maximum allowed value of a user defined priority is 1000000000"


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    **API_SERVICE_RULES,
    **POD_RULES,
    **DEFINITION_RULES,
    **ENDPOINT_RULES,
    **QUOTA_RULES,
    **SCALING_RULES,
    **NETWORKING_RULES,
    **POD_ANNOTATION_RULES,
    "batch.v1.Job": (_indexed_job,),
    "core.v1.PersistentVolume": (_mount_options,),
    "core.v1.Pod": (check_pod_mounts, check_seccomp_apparmor_annotations),
    "admissionregistration.v1.RuleWithOperations": (_rule_of_webhook,),
    "admissionregistration.v1.MutatingWebhook": (_webhook,),
    "admissionregistration.v1.ValidatingWebhook": (_webhook,),
    "apps.v1.DaemonSetSpec": (_selector, check_template_mounts, _deadline),
    "apps.v1.DeploymentSpec": (_selector, check_template_mounts, _deadline, _progress),
    "apps.v1.DeploymentStrategy": (_strategy,),
    "apps.v1.RollingUpdateDaemonSet": (_rolling_daemons,),
    "apps.v1.ReplicaSetSpec": (_selector, check_template_mounts, _deadline),
    "apps.v1.StatefulSetSpec": (_selector, _claim_templates, check_template_mounts, _deadline),
    "batch.v1.JobSpec": (_job, check_template_mounts),
    "core.v1.ConfigMap": (_config_map,),
    "core.v1.PersistentVolumeClaimSpec": (_claim,),
    "core.v1.PersistentVolumeSpec": (_persistent_volume,),
    "core.v1.ReplicationControllerSpec": (_replication_controller, check_template_mounts, _deadline),
    "core.v1.Secret": (_secret,),
    "meta.v1.LabelSelectorRequirement": (_requirement,),
    "policy.v1.PodDisruptionBudgetSpec": (_budget,),
    "rbac.v1.ClusterRoleBinding": (_cluster_binding,),
    "rbac.v1.PolicyRule": (_policy_rule,),
    "rbac.v1.RoleRef": (_role_ref,),
    "rbac.v1.Subject": (_subject,),
    "scheduling.v1.PriorityClass": (_priority,),
}
