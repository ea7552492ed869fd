"""Warnings of the API server about items of volumes that would lie on one another. Pure.

Source: `pkg/api/pod/warnings.go` of Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.values import JsonObject
from providers.kubernetes.ssa.go_quoting import go_quoted
from providers.kubernetes.ssa.pod_validation_rules import maps_in_list

_Item = tuple[str, str]  # a path inside of the volume, and the source that it comes from ("" for the volume's own)


def overlapping_volume_item_warnings(volumes: Iterable[JsonObject]) -> Iterator[str]:
    """Warnings about volumes whose items have one path, or a path below another's."""
    for volume in volumes:
        name = go_quoted(volume.get("name"))
        for kind, source in _plain_sources(volume):
            items = [(str(item.get("path") or "").rstrip("/"), "") for item in maps_in_list(source, "items")]
            yield from (f"volume {name} ({kind}): overlapping paths: {words}" for words in _overlaps([items]))
        projected = volume.get("projected")
        if projected is not None:
            sources = maps_in_list(projected, "sources")
            yield from (f"volume {name} (Projected) has no sources provided" for source in sources if not source)
            parts = [list(_projected_items(source)) for source in sources]
            yield from (f"volume {name} (Projected): overlapping paths: {words}" for words in _overlaps(parts))


def _plain_sources(volume: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for field, kind, key in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
        if volume.get(field) is not None:
            yield f"{kind} {go_quoted(volume[field].get(key) or '')}", volume[field]
    if volume.get("downwardAPI") is not None:
        yield "DownwardAPI", volume["downwardAPI"]


def _projected_items(source: JsonObject) -> Iterator[_Item]:
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if found := source.get(field):
            label = f"{kind} {go_quoted(found.get('name') or '')}"
            yield from ((str(item.get("path") or "").rstrip("/"), label) for item in maps_in_list(found, "items"))
    for item in maps_in_list(source.get("downwardAPI") or {}, "items"):
        yield str(item.get("path") or "").rstrip("/"), "DownwardAPI"
    if token := source.get("serviceAccountToken"):
        yield str(token.get("path") or "").rstrip("/"), "ServiceAccountToken"
    if bundle := source.get("clusterTrustBundle"):
        name = bundle["name"] if bundle.get("name") is not None else bundle.get("signerName")
        yield str(bundle.get("path") or "").rstrip("/"), f"ClusterTrustBundle {go_quoted(name)}"
    certificate = source.get("podCertificate") or {}
    for field, words in (
        ("certificateChainPath", "chain"),
        ("keyPath", "key"),
        ("credentialBundlePath", "credential bundle"),
    ):
        if certificate.get(field):
            yield str(certificate[field]).rstrip("/"), f"PodCertificate {words}"


def _overlaps(sources: list[list[_Item]]) -> Iterator[str]:
    before: list[_Item] = []
    for item in (item for source in sources for item in source):
        path = item[0]
        for other in before if path else ():
            above, below = f"{other[0]}/", f"{path}/"
            if other[0] and (item == other or above.startswith(below) or below.startswith(above)):
                yield f"{_shown(item)} with {_shown(other)}"
        before.append(item)


def _shown(item: _Item) -> str:
    return f"{go_quoted(item[0])} ({item[1]})" if item[1] else go_quoted(item[0])
