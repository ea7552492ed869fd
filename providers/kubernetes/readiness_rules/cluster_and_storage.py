"""Readiness of namespaces, definitions, services, volumes and claims."""

from __future__ import annotations

from planner.ports import Readiness
from planner.values import JsonObject
from providers.kubernetes.readiness_rules.status_parts import (
    READY,
    failed_because,
    has_condition,
    map_field_or_empty,
    pending_because,
    ready_because,
    reason_text,
    status_conditions,
    what_deletion_waits_for,
)


def claim_readiness(live: JsonObject, binds_at_once: bool) -> Readiness:
    """A PersistentVolumeClaim is ready when Bound; one that binds with its first pod is good enough unless
    `binds_at_once`."""
    phase = map_field_or_empty(live, "status").get("phase")
    if phase == "Lost":
        return failed_because("its volume is lost")
    if phase == "Bound":
        return READY
    return (
        pending_because("not bound to a volume yet")
        if binds_at_once
        else ready_because("binds when a pod first uses it")
    )


def volume_readiness(live: JsonObject) -> Readiness:
    """A PersistentVolume is ready when available, bound or released; Failed is a failure."""
    phase = map_field_or_empty(live, "status").get("phase")
    if phase == "Failed":
        return failed_because(reason_text(map_field_or_empty(live, "status"), "the volume failed"))
    return pending_because("the volume is not available yet") if phase in (None, "Pending") else READY


def namespace_readiness(live: JsonObject) -> Readiness:
    """A Namespace is ready when its phase is Active."""
    phase = map_field_or_empty(live, "status").get("phase")
    if phase == "Terminating":
        return pending_because(what_deletion_waits_for(live))
    return READY if phase == "Active" else pending_because("not active yet")


def crd_readiness(live: JsonObject) -> Readiness:
    """A CRD is ready when it is Established and its names are accepted."""
    conditions = status_conditions(live)
    if has_condition(conditions, "NamesAccepted", "False"):
        return failed_because(reason_text(conditions["NamesAccepted"], "its names are not accepted"))
    established = conditions.get("Established")
    if has_condition(conditions, "Established") and has_condition(conditions, "NamesAccepted"):
        return READY
    if established and established.get("status") == "False" and established.get("reason") != "Installing":
        return failed_because(reason_text(established, "not established"))
    return pending_because("not established yet")


def service_readiness(live: JsonObject) -> Readiness:
    """A Service is ready when it exists; one of type LoadBalancer, when it has an address."""
    if map_field_or_empty(live, "spec").get("type") != "LoadBalancer":
        return READY
    ingress = map_field_or_empty(map_field_or_empty(live, "status"), "loadBalancer").get("ingress")
    return READY if ingress else pending_because("no address from the load balancer yet")


def api_service_readiness(live: JsonObject) -> Readiness:
    """An APIService is ready when it is Available: its server answers."""
    available = status_conditions(live).get("Available")
    if available and available.get("status") == "True":
        return READY
    return pending_because(reason_text(available, "not available yet"))
