"""Why the server does not serve a kind, and what to write instead: another version or group, or a CRD that is missing.

Asks discovery and the CRDs of the plan; knows nothing of objects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from planner.address import group_of_api_version
from planner.values import JsonObject
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.errors import NotServed
from providers.kubernetes.ssa.merge_types import MergeTypeTable

DECLARE_CRD: Final = "declare its CRD"  # a remedy that others know this error by
_LEAVE: Final = "leave it out"
_MOST: Final = 3  # versions that are named
# Kinds that Kubernetes had and has no more, without a successor (Deprecated API Migration Guide).
_REMOVED: Final = {
    ("policy", "PodSecurityPolicy"): "1.25",
    ("extensions", "PodSecurityPolicy"): "1.16",
}
# Questions and answers of the API, and views of other objects: nothing of the kind is stored (API reference of 1.36).
_NOT_STORED: Final = frozenset(
    (
        ("", "Binding"), ("", "ComponentStatus"), ("", "List"), ("", "Status"), ("", "APIGroup"), ("", "DeleteOptions"),
        ("authentication.k8s.io", "SelfSubjectReview"), ("authentication.k8s.io", "TokenRequest"),
        ("authentication.k8s.io", "TokenReview"), ("authorization.k8s.io", "LocalSubjectAccessReview"),
        ("authorization.k8s.io", "SelfSubjectAccessReview"), ("authorization.k8s.io", "SelfSubjectRulesReview"),
        ("authorization.k8s.io", "SubjectAccessReview"), ("autoscaling", "Scale"), ("policy", "Eviction"),
    )
)  # fmt: skip
# Groups of Kubernetes itself below k8s.io, served or removed; every other one there has its kinds from definitions.
_GROUPS: Final = frozenset(
    f"{name}.k8s.io"
    for name in (
        "admissionregistration", "apiextensions", "apiregistration", "auditregistration", "authentication",
        "authorization", "certificates", "coordination", "discovery", "events", "flowcontrol.apiserver",
        "internal.apiserver", "networking", "node", "rbac.authorization", "resource", "scheduling", "settings",
        "storage", "storagemigration",
    )
)  # fmt: skip
_SUCCESSOR: Final = {"PodSecurityPolicy": "use Pod Security admission: labels of the Namespace"}
_GUIDE: Final = "see the Deprecated API Migration Guide of Kubernetes"


def kind_not_served_error(
    api_version: str, kind: str, kinds: Sequence[ServedKubernetesKind], crds: Iterable[JsonObject] = ()
) -> NotServed:
    """The error for a kind that the server does not serve. `kinds` are those that it does, `crds` the declared CRDs."""
    named = f"{api_version} {kind}"
    group = group_of_api_version(api_version)
    declared = next((crd for crd in crds if _defines(crd, group, kind)), None)
    if declared is not None:
        versions = _served_versions(declared)
        text = f"its CRD is declared here and serves {_listed(versions) or 'no version'}"
        return NotServed(f"{named} is not served: {text}", remedy=_write(group, versions))
    if (group, kind) in _NOT_STORED:
        return _nothing_that_stands(named)
    if same := _versions(
        info for info in kinds if info.kind == kind and group_of_api_version(info.api_version) == group
    ):
        return NotServed(f"{named} is not served; {kind} is, as {_listed(same)}", remedy=f"write apiVersion: {same[0]}")
    if other := _versions(info for info in kinds if info.kind == kind and _moved(group, info)):
        return NotServed(f"{named} is not served; {kind} is, as {_listed(other)}", remedy=_either(other))
    if spelt := _spelt(kind, group, kinds):
        text = f"{spelt.kind} is, as {spelt.api_version}"
        version = "" if group_of_api_version(spelt.api_version) == group else f"apiVersion: {spelt.api_version} and "
        return NotServed(f"{named} is not served; {text}", remedy=f"write {version}kind: {spelt.kind}")
    return _unknown(named, group, kind, kinds)


def kind_not_declarable_error(kind: ServedKubernetesKind) -> NotServed:
    """The error for a kind that is served, whose objects cannot be declared
    (object_location.kind_can_be_read_and_written)."""
    named = f"{kind.api_version} {kind.kind}"
    if (group_of_api_version(kind.api_version), kind.kind) in _NOT_STORED or "list" not in kind.verbs:
        return _nothing_that_stands(named)
    offered = ", ".join(sorted(kind.verbs))
    return NotServed(f"{named} cannot be declared: the server lets nobody apply it (it has: {offered})", remedy=_LEAVE)


def _nothing_that_stands(named: str) -> NotServed:
    text = "is nothing that stands in a cluster: the server answers it, or makes it from other objects"
    return NotServed(f"{named} cannot be declared: it {text}", remedy=_LEAVE)


def _unknown(named: str, group: str, kind: str, kinds: Sequence[ServedKubernetesKind]) -> NotServed:
    if (group, kind) in _REMOVED:
        since = f" in {version}" if (version := _REMOVED[group, kind]) else ""
        return NotServed(f"{named} is not served: Kubernetes removed it{since}", remedy=_SUCCESSOR.get(kind, _GUIDE))
    if _is_builtin(group) and _is_known(group, kind):
        text = "it is part of Kubernetes, and this server is of a version without it, or has it switched off"
        return NotServed(f"{named} is not served: {text}", remedy=_GUIDE)
    others = sorted({info.kind for info in kinds if group_of_api_version(info.api_version) == group})
    only = f"of the group {group} there are only {_listed(others)}" if others and group else ""
    if _is_builtin(group):
        text = "neither this server nor Kubernetes 1.36 has a kind of this name" + (f"; {only}" if only else "")
        return NotServed(f"{named} is not served: {text}", remedy="correct apiVersion and kind")
    if only:
        return NotServed(f"{named} is not served: {only}", remedy=DECLARE_CRD)
    text = "its CRD is neither in the cluster nor declared here"
    return NotServed(f"{named} is not served: {text}", remedy=DECLARE_CRD)


def _moved(group: str, info: ServedKubernetesKind) -> bool:
    """Whether a kind of the same name in another group may be meant: built-in kinds moved between built-in groups."""
    return _is_builtin(group) and _is_builtin(group_of_api_version(info.api_version))


def _is_builtin(group: str) -> bool:
    """Groups of Kubernetes itself. Those of its projects may end alike (metrics.k8s.io, x-k8s.io)."""
    return "." not in group or group in _GROUPS


def _is_known(group: str, kind: str) -> bool:
    """Whether the pinned version of Kubernetes has the kind, in any version of the group."""
    return any(
        (group_of_api_version(version), name) == (group, kind) for version, name in MergeTypeTable.builtin().named()
    )


def _spelt(kind: str, group: str, kinds: Sequence[ServedKubernetesKind]) -> ServedKubernetesKind | None:
    """The kind that a wrong spelling means: another case, the plural, one or two wrong letters. Of the same group, else
    of another one of Kubernetes."""
    own = [info for info in kinds if group_of_api_version(info.api_version) == group]
    for some in (own, [info for info in kinds if _moved(group, info)]):
        for info in some:
            if kind.lower() in (info.kind.lower(), info.plural.lower()):
                return info
        from difflib import get_close_matches  # not before there is something to say

        near = get_close_matches(kind, {info.kind for info in some}, n=1, cutoff=0.85)
        if found := next((info for info in some if info.kind in near), None):
            return found
    return None


def _defines(crd: JsonObject, group: str, kind: str) -> bool:
    spec = crd.get("spec") or {}
    return spec.get("group") == group and (spec.get("names") or {}).get("kind") == kind


def _served_versions(crd: JsonObject) -> list[str]:
    versions = (crd.get("spec") or {}).get("versions") or ()
    return [str(version.get("name")) for version in versions if version.get("served")]


def _versions(kinds: Iterable[ServedKubernetesKind]) -> list[str]:
    return list(dict.fromkeys(info.api_version for info in kinds))


def _listed(names: Collection[str]) -> str:
    shown = list(names)[:_MOST]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _write(group: str, versions: Sequence[str]) -> str:
    return f"write apiVersion: {group}/{versions[0]}" if versions else "serve a version of it"


def _either(versions: Sequence[str]) -> str:
    return f"write apiVersion: {versions[0]}"
