"""What the API server warns of when it takes an object, in its words: by kind, from the object as it is stored. Pure.

Source: `WarningsOnCreate` and `WarningsOnUpdate` of each kind in Kubernetes 1.36, and `deprecated` versions of custom
kinds. Not known here: warnings of webhooks and policies, and whether the key of a TLS Secret fits its certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from planner.values import Json, JsonObject
from providers.kubernetes.ssa.builtin_value_formats import is_dns_label, is_dns_subdomain
from providers.kubernetes.ssa.claim_warnings import claim_spec_warnings
from providers.kubernetes.ssa.crd_formats import unrecognized_formats
from providers.kubernetes.ssa.go_quoting import go_quoted
from providers.kubernetes.ssa.ip_address_warnings import cidr_warnings, ip_address_warnings
from providers.kubernetes.ssa.merge_types import MergeTypeTable
from providers.kubernetes.ssa.pod_validation_rules import maps_in_list
from providers.kubernetes.ssa.pod_warnings import NODE_LABELS, pod_warnings
from providers.kubernetes.ssa.quantity import quantity_amount
from providers.kubernetes.ssa.storage_warnings import STORAGE_WARNINGS
from providers.kubernetes.ssa.typed_values import equal_json

# Gets the object as it will be stored, and as it was (None: it is new).
_Rule = Callable[[JsonObject, JsonObject | None], Iterator[str]]

_ENDPOINTS = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
_CLASS = "kubernetes.io/ingress.class"
_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
_HINTS = "service.kubernetes.io/topology-aware-hints"
_MANAGED_BY = ("endpoint-controller", "endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
_STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")
_STATIC = ".static.k8s.io"


def server_warnings(after: JsonObject, live: JsonObject | None, types: MergeTypeTable) -> tuple[str, ...]:
    """The warnings to a write that makes `after` of `live` (None: a new object), each once, sorted."""
    api_version, kind = str(after.get("apiVersion", "")), str(after.get("kind", ""))
    found = {types.deprecation(api_version, kind)}
    if types.is_custom(api_version, kind):
        found |= set(_custom(after, live))
    elif (rule := _RULES.get((api_version.rpartition("/")[0], kind))) is not None:
        found |= set(rule(after, live))
    return tuple(sorted(found - {""}))


def _custom(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    """Finalizers that are new."""
    before = ((live or {}).get("metadata") or {}).get("finalizers") or ()
    for name in (after.get("metadata") or {}).get("finalizers") or ():
        if name in before:
            continue
        said = f"metadata.finalizers: {go_quoted(name)}: prefer a domain-qualified finalizer name"
        if "/" not in name and name not in _STANDARD_FINALIZERS:
            yield f"{said}{' including a path (/)' if '.' in name else ''}{_ACCIDENTS}"


_ACCIDENTS = " to avoid accidental conflicts with other finalizer writers"


def _moved(after: JsonObject, live: JsonObject | None) -> bool:
    """Whether the object is new, or its generation is counted up."""
    return live is None or not equal_json(after.get("spec"), live.get("spec"))


def _named_as_pods(after: JsonObject, live: JsonObject | None, whose: str = "Pod names and hostnames") -> Iterator[str]:
    name = str(after["metadata"].get("name"))
    if live is None and not is_dns_label(name):
        words = "must be no more than 63 characters" if len(name) > 63 else ""
        words += ("" if not words else " ") + "must not contain dots" if "." in name and is_dns_subdomain(name) else ""
        where = f"metadata.name: this is used in {whose}, which can result in surprising behavior"
        yield f"{where}; a DNS label is recommended: [{words}]"


def _template(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    if _moved(after, live):
        yield from pod_warnings("spec.template", (after.get("spec") or {}).get("template") or {})


def _named_template(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    yield from _named_as_pods(after, live)
    yield from _template(after, live)


def _daemon_set(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    def template(document: JsonObject) -> Json:
        return (document.get("spec") or {}).get("template")

    if live is None or not equal_json(template(after), template(live)):
        yield from pod_warnings("spec.template", template(after) or {})


def _stateful_set(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    yield from _template(after, live)
    spec, part = after.get("spec") or {}, "" if live is None else ".Spec"
    for index, claim in enumerate(maps_in_list(spec, "volumeClaimTemplates")):
        yield from claim_spec_warnings(f"spec.volumeClaimTemplates[{index}]{part}", claim.get("spec") or {})
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        words = "a negative value retains all historical revisions; a value >= 0 is recommended"
        yield f"spec.revisionHistoryLimit: {words}"


def _job_spec(path: str, spec: JsonObject) -> Iterator[str]:
    many = (spec.get("completions") or 0) > 100_000 and (spec.get("parallelism") or 0) > 10_000
    if spec.get("completionMode") == "Indexed" and many:
        words = "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
        yield f"{path}: {words}Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
    yield from pod_warnings(f"{path}.template", spec.get("template") or {})


def _job(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    yield from _named_as_pods(after, live)
    if _moved(after, live):
        yield from _job_spec("spec", after.get("spec") or {})


def _cron_job(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    yield from _named_as_pods(after, live)
    spec = after.get("spec") or {}
    if _moved(after, live):
        yield from _job_spec("spec.jobTemplate.spec", (spec.get("jobTemplate") or {}).get("spec") or {})
    if live is not None and "TZ" in str(spec.get("schedule")):
        yield (
            "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
            "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
        )


def _pod(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    if live is None:
        yield from _named_as_pods(after, live, "the Pod's hostname")
        yield from pod_warnings("", after)


def _pod_template(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    if live is None:
        yield from pod_warnings("template", after.get("template") or {})


def _service(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    spec, annotations = after.get("spec") or {}, after["metadata"].get("annotations") or {}
    external, kind = spec.get("externalIPs") or (), spec.get("type")
    headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    if _HINTS in annotations:
        yield f"annotation {_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
    for index, address in enumerate(spec.get("clusterIPs") or ()):
        yield from ip_address_warnings(f"spec.clusterIPs[{index}]", address)
    ignored = {
        "spec.loadBalancerIP": spec.get("loadBalancerIP"),
        "spec.externalIPs": external,
        "spec.SessionAffinity": spec.get("sessionAffinity", "None") != "None",
    }
    yield from (f"{name} is ignored for headless services" for name, given in ignored.items() if headless and given)
    for index, address in enumerate(external):
        yield from ip_address_warnings(f"spec.externalIPs[{index}]", address)
    if external and not headless and kind != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    yield from ip_address_warnings("spec.loadBalancerIP", spec.get("loadBalancerIP"))
    for index, source in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        yield from cidr_warnings(f"spec.loadBalancerSourceRanges[{index}]", source)
    if kind == "ExternalName" and external:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if kind != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _ingress(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    annotated = _CLASS in (after["metadata"].get("annotations") or {})
    if live is None and annotated and (after.get("spec") or {}).get("ingressClassName") is None:
        yield f"annotation {go_quoted(_CLASS)} is deprecated, please use 'spec.ingressClassName' instead"


def _definition(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    known = set(unrecognized_formats(live)) if live else set()
    yield from (f"unrecognized format {go_quoted(name)}" for name in unrecognized_formats(after) if name not in known)


def _quota(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    hard = (after.get("spec") or {}).get("hard") or {}
    for name in ("cpu", "memory", "storage", "ephemeral-storage") if live is None else ():
        asked = next((n for n in (f"requests.{name}", *([name] if name in ("cpu", "memory") else [])) if n in hard), "")
        most = f"limits.{name}"
        low, high = quantity_amount(hard.get(asked)), quantity_amount(hard.get(most))
        if low is not None and high is not None and low > high:
            yield f"ResourceQuota {asked} ({hard[asked]}) should be less than {most} ({hard[most]})"


def _account(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    before = ((live or {}).get("metadata") or {}).get("annotations") or {}
    if _MOUNTABLE in (after["metadata"].get("annotations") or {}) and _MOUNTABLE not in before:
        words = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
        yield f"metadata.annotations[{_MOUNTABLE}]: {words}"


def _network_policy(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    spec = after.get("spec") or {}
    for part, side in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(maps_in_list(spec, part)):
            for number, peer in enumerate(maps_in_list(rule, side)):
                block, path = peer.get("ipBlock") or {}, f"spec.{part}[{index}].{side}[{number}].ipBlock"
                yield from cidr_warnings(f"{path}.cidr", block.get("cidr"))
                for place, item in enumerate(block.get("except") or ()):
                    yield from cidr_warnings(f"{path}.except[{place}]", item)


def _is_of_controller(document: JsonObject) -> bool:
    labels = document["metadata"].get("labels") or {}
    names = ("endpoints.kubernetes.io/managed-by", "endpointslice.kubernetes.io/managed-by")
    return any(labels.get(name) in _MANAGED_BY for name in names)


def _endpoints(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    yield _ENDPOINTS
    for index, subset in enumerate(() if _is_of_controller(after) else maps_in_list(after, "subsets")):
        for part in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(maps_in_list(subset, part)):
                yield from ip_address_warnings(f"subsets[{index}].{part}[{number}].ip", address.get("ip"))


def _endpoint_slice(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    if live is None and after.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"
    for index, endpoint in enumerate(() if _is_of_controller(after) else maps_in_list(after, "endpoints")):
        for number, address in enumerate(endpoint.get("addresses") or ()):
            yield from ip_address_warnings(f"endpoints[{index}].addresses[{number}]", address)


def _node(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    spec = after.get("spec") or {}
    if spec.get("configSource") is not None:
        yield "spec.configSource: the feature is removed"
    if spec.get("externalID"):
        yield "spec.externalID: this field is deprecated, and is unused by Kubernetes"
    for index, block in enumerate(spec.get("podCIDRs") or ()):
        yield from cidr_warnings(f"spec.podCIDRs[{index}]", block)


def _runtime_class(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    selector = (after.get("scheduling") or {}).get("nodeSelector") or {}
    yield from (f"scheduling.nodeSelector: {NODE_LABELS[key]}" for key in selector if key in NODE_LABELS)


def _slice(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    driver = str((after.get("spec") or {}).get("driver") or "")
    if driver != driver.lower():
        words = "driver names should be lowercase"
        yield f"spec.driver: {words}; {go_quoted(driver)} contains uppercase characters"


def _static_name(after: JsonObject, live: JsonObject | None) -> Iterator[str]:
    if str(after["metadata"].get("name")).endswith(_STATIC):
        yield (
            f"metadata.name: names ending with {go_quoted(_STATIC)} are reserved for static manifest-based "
            "configurations and cannot be managed via the API"
        )


_POLICIES = tuple(
    f"{way}{kind}"
    for way in ("Mutating", "Validating")
    for kind in ("AdmissionPolicy", "AdmissionPolicyBinding", "WebhookConfiguration")
)
_RULES: Final[Mapping[tuple[str, str], _Rule]] = {
    ("", "Endpoints"): _endpoints,
    ("", "Node"): _node,
    ("", "Pod"): _pod,
    ("", "PodTemplate"): _pod_template,
    ("", "ReplicationController"): _named_template,
    ("", "ResourceQuota"): _quota,
    ("", "Service"): _service,
    ("", "ServiceAccount"): _account,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _named_template,
    ("apps", "ReplicaSet"): _named_template,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "CronJob"): _cron_job,
    ("batch", "Job"): _job,
    ("discovery.k8s.io", "EndpointSlice"): _endpoint_slice,
    ("networking.k8s.io", "Ingress"): _ingress,
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
    ("node.k8s.io", "RuntimeClass"): _runtime_class,
    ("resource.k8s.io", "ResourceSlice"): _slice,
    **STORAGE_WARNINGS,
    **{("admissionregistration.k8s.io", kind): _static_name for kind in _POLICIES},
}
