"""What a StatefulSet's controller overwrites in the pods, so that the server does not judge it. Pure.

Source: ValidateStatefulSetSpec of Kubernetes 1.36.
"""

from __future__ import annotations

from planner.values import JsonObject
from providers.kubernetes.ssa.pod_validation_rules import maps_in_list

_OVERWRITTEN = ("hostname", "subdomain")


def stateful_set_without_overwritten_fields(document: JsonObject) -> JsonObject:
    """A StatefulSet without host name and subdomain of its pods, and without volumes that its claims replace."""
    spec = document.get("spec") or {}
    template = spec.get("template") or {}
    claims = {(claim.get("metadata") or {}).get("name") for claim in maps_in_list(spec, "volumeClaimTemplates")}
    pod = {key: value for key, value in (template.get("spec") or {}).items() if key not in _OVERWRITTEN}
    if pod.get("volumes"):
        pod["volumes"] = [volume for volume in maps_in_list(pod, "volumes") if volume.get("name") not in claims]
    return {**document, "spec": {**spec, "template": {**template, "spec": pod}}} if template.get("spec") else document
