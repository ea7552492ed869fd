"""Rules about annotations of pods that are profiles, addresses of name servers, and paths of projected volumes; see
builtin_validation_rules.py. Pure. Source: apis/core/validation of Kubernetes 1.36."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from planner.values import JsonObject
from providers.kubernetes.ssa.builtin_value_formats import builtin_value_format_error, is_ip
from providers.kubernetes.ssa.pod_validation_rules import Problem, Rule, maps_in_list

_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_NAMES = ("runtime/default", "docker/default", "unconfined")
_APP_ARMOR_NAMES = ("", "runtime/default", "unconfined")
_LOCAL = "localhost/"
_MOST_SERVERS, _MOST_PATHS, _MOST_LETTERS = 3, 32, 2048


def check_seccomp_apparmor_annotations(value: JsonObject) -> Iterator[Problem]:
    """What is wrong with the profiles of seccomp and AppArmor in the annotations of a Pod or a template."""
    spec = value.get("spec") or {}
    fields = ("containers", "initContainers", "ephemeralContainers")
    containers = {str(one.get("name")) for field in fields for one in maps_in_list(spec, field)}
    for key, profile in ((value.get("metadata") or {}).get("annotations") or {}).items():
        path = ("metadata", "annotations", key)
        if key == _SECCOMP_POD or key.startswith(_SECCOMP_CONTAINER):
            local = str(profile).removeprefix(_LOCAL)
            if local != profile:
                yield from ((path, words) for words in [builtin_value_format_error("relative", local)] if words)
            elif profile not in _SECCOMP_NAMES:
                yield path, "must be a valid seccomp profile"
        if key.startswith(_APP_ARMOR):
            if key.removeprefix(_APP_ARMOR) not in containers:
                yield path, "container not found"
            if profile not in _APP_ARMOR_NAMES and not str(profile).startswith(_LOCAL):
                yield path, "invalid AppArmor profile name"


def _debugging(value: JsonObject) -> Iterator[Problem]:
    if (value.get("spec") or {}).get("ephemeralContainers"):
        yield ("spec", "ephemeralContainers"), "Forbidden: ephemeral containers not allowed in pod template"


def _names(value: JsonObject) -> Iterator[Problem]:
    servers, searches = value.get("nameservers") or (), value.get("searches") or ()
    if len(servers) > _MOST_SERVERS:
        yield ("nameservers",), f"must not have more than {_MOST_SERVERS} nameservers"
    for index, server in enumerate(servers):
        if not is_ip(str(server)):
            yield ("nameservers", index), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    if len(searches) > _MOST_PATHS:
        yield ("searches",), f"must not have more than {_MOST_PATHS} search paths"
    if len(" ".join(map(str, searches))) > _MOST_LETTERS:
        yield ("searches",), f"must not have more than {_MOST_LETTERS} characters (including spaces) in the search list"
    for index, option in enumerate(maps_in_list(value, "options")):
        if not option.get("name"):
            yield ("options", index), "Required value: must not be empty"


def _projected(value: JsonObject) -> Iterator[Problem]:
    seen: set[str] = set()
    for source in maps_in_list(value, "sources"):
        lists = [maps_in_list(source.get(name) or {}, "items") for name in ("secret", "configMap", "downwardAPI")]
        paths = [str(item.get("path") or "") for items in lists for item in items]
        paths.append(str((source.get("clusterTrustBundle") or {}).get("path") or ""))
        for path in filter(None, paths):
            if path in seen:
                yield (), "conflicting duplicate paths"
            seen.add(path)


POD_ANNOTATION_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "core.v1.PodDNSConfig": (_names,),
    "core.v1.PodTemplateSpec": (check_seccomp_apparmor_annotations, _debugging),
    "core.v1.ProjectedVolumeSource": (_projected,),
}
