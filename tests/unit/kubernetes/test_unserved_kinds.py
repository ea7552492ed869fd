"""What is said of a kind that the server does not serve."""

from __future__ import annotations

import pytest

from planner.values import JsonObject
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.object_location import kind_can_be_read_and_written
from providers.kubernetes.preview.unserved_kind_errors import kind_not_declarable_error, kind_not_served_error
from providers.kubernetes.snapshot.builtin_kinds import builtin_kind_infos

_NOT_YET = "ResourceClaimTemplate"  # what an older server does not have
_BUILTIN = tuple(one for one in builtin_kind_infos() if one.kind != _NOT_YET)
KINDS = (*_BUILTIN, *(ServedKubernetesKind(f"example.com/{version}", "Pot", "pots", True) for version in ("v1", "v2")))
CRD: JsonObject = {
    "spec": {
        "group": "a.b",
        "names": {"kind": "Pan", "plural": "pans"},
        "versions": [{"name": "v1alpha1", "served": False}, {"name": "v1", "served": True}],
    }
}


@pytest.mark.parametrize(
    ("api_version", "kind", "message", "remedy"),
    [
        (
            "policy/v1beta1",
            "PodDisruptionBudget",
            "PodDisruptionBudget is, as policy/v1",
            "apiVersion: policy/v1",
        ),
        ("extensions/v1beta1", "Ingress", "Ingress is, as networking.k8s.io/v1", "apiVersion: networking.k8s.io/v1"),
        ("apps/v1beta1", "Deployment", "Deployment is, as apps/v1", "apiVersion: apps/v1"),
        ("v1", "Deployment", "Deployment is, as apps/v1", "apiVersion: apps/v1"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "as autoscaling/v2, autoscaling/v1", "autoscaling/v2"),
        ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "as apiextensions.k8s.io/v1", "apiextensions"),
        ("v1", "configMap", "ConfigMap is, as v1", "write kind: ConfigMap"),
        ("v1", "services", "Service is, as v1", "write kind: Service"),
        ("apps/v1", "Deploymnet", "Deployment is, as apps/v1", "write kind: Deployment"),
        ("policy/v1beta1", "PodSecurityPolicy", "Kubernetes removed it in 1.25", "Pod Security admission"),
        ("batch/v3", "Task", "nor Kubernetes 1.36 has a kind of this name; of the group batch", "correct apiVersion"),
        (
            "v1",
            "Tusk",
            "neither this server nor Kubernetes 1.36 has a kind of this name",
            "correct apiVersion and kind",
        ),
        ("resource.k8s.io/v1", _NOT_YET, "is part of Kubernetes, and this server", "Migration Guide"),
        (
            "apps/v1",
            "Ingres",
            "Ingress is, as networking.k8s.io/v1",
            "networking.k8s.io/v1 and kind: Ingress",
        ),
        ("snapshot.storage.k8s.io/v1", "VolumeSnapshot", "its CRD is neither in the cluster", "declare its CRD"),
        ("a.b/v1alpha1", "Pan", "its CRD is declared here and serves v1", "write apiVersion: a.b/v1"),
        ("example.com/v3", "Pot", "Pot is, as example.com/v1, example.com/v2", "write apiVersion: example.com/v1"),
        ("example.com/v1", "Lid", "of the group example.com there are only Pot", "declare its CRD"),
        ("x.y/v1", "Thing", "its CRD is neither in the cluster nor declared here", "declare its CRD"),
        ("x.y/v1", "Service", "its CRD is neither in the cluster nor declared here", "declare its CRD"),
    ],
)
def test_what_is_served_is_named(api_version: str, kind: str, message: str, remedy: str) -> None:
    error = kind_not_served_error(api_version, kind, KINDS, [CRD])
    assert error.message.startswith(f"{api_version} {kind} is not served")
    assert message in error.message
    assert remedy in error.remedy


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Status"),
        ("v1", "Binding"),
        ("v1", "ComponentStatus"),
        ("policy/v1", "Eviction"),
        ("authorization.k8s.io/v1", "SubjectAccessReview"),
        ("authentication.k8s.io/v1", "TokenReview"),
    ],
)
def test_what_is_no_object_is_no_matter_of_versions(api_version: str, kind: str) -> None:
    error = kind_not_served_error(api_version, kind, KINDS)
    assert error.message.startswith(f"{api_version} {kind} cannot be declared: it is nothing that stands in a cluster")
    assert error.remedy == "leave it out"


def test_a_kind_that_this_server_alone_lacks_is_part_of_kubernetes() -> None:
    old = [info for info in KINDS if info.kind != "Lease"]
    assert "it is part of Kubernetes" in kind_not_served_error("coordination.k8s.io/v1", "Lease", old).message


@pytest.mark.parametrize(
    ("verbs", "declarable", "words"),
    [
        ("create get list patch update", True, ""),
        ("", True, ""),  # discovery says nothing
        ("create", False, "it is nothing that stands in a cluster"),
        ("get list", False, "the server lets nobody apply it (it has: get, list)"),
    ],
)
def test_kinds_that_are_served_and_cannot_be_declared(verbs: str, declarable: bool, words: str) -> None:
    kind = ServedKubernetesKind("metrics.k8s.io/v1beta1", "PodMetrics", "pods", True, frozenset(verbs.split()))
    assert kind_can_be_read_and_written(kind) is declarable
    if not declarable:
        error = kind_not_declarable_error(kind)
        assert words in error.message and error.remedy == "leave it out"
