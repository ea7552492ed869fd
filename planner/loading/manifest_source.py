"""`ManifestSource` documents become the documents of the manifest: pinned by digest, images and namespace rewritten."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from planner.errors import ConfigError
from planner.loading.intake import Intake, strip_nulls
from planner.loading.manifests import flattened
from planner.loading.origin import InputText, Origin
from planner.loading.parse_cache import load_cached
from planner.loading.yaml_source import MANIFEST
from planner.spec.images import ImageRewrite
from planner.spec.kinds.sources import ManifestSource
from planner.values import JsonObject

_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")
_NAMESPACED: Final = frozenset(
    {"ConfigMap", "Secret", "Service", "ServiceAccount", "Pod", "PersistentVolumeClaim", "ResourceQuota", "LimitRange",
     "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Role", "RoleBinding", "NetworkPolicy",
     "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Lease", "Endpoints", "EndpointSlice"}
)  # fmt: skip


def expand_manifest(
    source: ManifestSource,
    origin: Origin,
    intake: Intake,
    folder: Path,
    *,
    owned_by: str,
    scope: str,
    place: str,
    cache: Path | None = None,
) -> None:
    """Add every document of a manifest to the intake. `folder` is that of the configuration."""
    data = _bytes(source, origin, intake, folder)
    if data is None:
        return
    name = f"{folder.resolve().name}/{source.spec.file}"
    try:
        documents = load_cached(data, name, MANIFEST, cache)
    except ConfigError as error:
        intake.problems.extend(error.problems)
        return
    text = InputText(name, data=data)
    found = [
        (item, item_origin, document.tagged)
        for index, document in enumerate(documents)
        for item, item_origin in flattened(strip_nulls(document.value), Origin(text, index, document.line))
    ]
    accounts = _accounts([item for item, _, _ in found])
    for item, item_origin, tagged in found:
        changed = _changed(item, source, accounts)
        intake.add(changed, item_origin, owned_by=owned_by, scope=scope, place=place, tagged=tagged)


def _bytes(source: ManifestSource, origin: Origin, intake: Intake, folder: Path) -> bytes | None:
    spec = source.spec
    if spec.file is None:
        remedy = f"fetch it into manifests/ of the configuration folder and name it under file: {spec.url or spec.git}"
        origin.problem(intake.problems, ("spec",), "a manifest that is not here cannot be planned", remedy)
        return None
    path = folder / spec.file
    if not path.resolve().is_relative_to(folder.resolve()):
        origin.problem(intake.problems, ("spec", "file"), "the file leads out of the configuration folder")
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        fetch = f"curl -fL -o {folder.name}/{spec.file} {spec.url}" if spec.url else "put the manifest there"
        reason = (
            "does not exist" if isinstance(error, FileNotFoundError) else (error.strerror or "cannot be read").lower()
        )
        origin.problem(intake.problems, ("spec", "file"), f"{spec.file} {reason}", fetch)
        return None
    if hashlib.sha256(data).hexdigest() != spec.sha256:
        text = f"{spec.file} is not the manifest that sha256 pins"
        origin.problem(
            intake.problems, ("spec", "sha256"), text, "fetch the file again, or review it and pin its digest"
        )
        return None
    return data


def rewrite_images(value: Any, rewrites: Sequence[ImageRewrite]) -> Any:
    """A copy with the images of all containers, at any depth, taken from where the rules say; tags and digests stay."""
    table = {rule.from_: rule.to for rule in rewrites}
    return _rewritten(value, table) if table else value


def _rewritten(value: Any, table: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_rewritten(item, table) for item in value]
    if not isinstance(value, dict):
        return value
    out = {key: _rewritten(item, table) for key, item in value.items()}
    for part in _CONTAINERS:
        if isinstance(containers := out.get(part), list):
            out[part] = [_container(container, table) for container in containers]
    return out


def _container(container: Any, table: Mapping[str, str]) -> Any:
    image = container.get("image") if isinstance(container, dict) else None
    if not isinstance(image, str):
        return container
    name, at, digest = image.partition("@")
    slash = name.rfind("/")
    colon = name.find(":", slash)
    repository, tag = (name[:colon], name[colon:]) if colon >= 0 else (name, "")
    return {**container, "image": table[repository] + tag + at + digest} if repository in table else container


def _changed(item: Any, source: ManifestSource, accounts: frozenset[str]) -> Any:
    if not isinstance(item, dict):
        return item
    out: JsonObject = rewrite_images(item, source.spec.images)
    namespace = source.spec.namespace
    return _moved(out, namespace, accounts) if namespace is not None else out


def _accounts(items: Sequence[Any]) -> frozenset[str]:
    """Names of the ServiceAccounts that the manifest declares."""
    return frozenset(
        str((item.get("metadata") or {}).get("name"))
        for item in items
        if isinstance(item, dict) and item.get("kind") == "ServiceAccount"
    )


def _moved(item: JsonObject, namespace: str, accounts: frozenset[str]) -> JsonObject:
    """The object in the given namespace, with the accounts of the manifest that it binds."""
    metadata = item.get("metadata")
    if isinstance(metadata, dict) and ("namespace" in metadata or item.get("kind") in _NAMESPACED):
        item = {**item, "metadata": {**metadata, "namespace": namespace}}
    if item.get("kind") in ("RoleBinding", "ClusterRoleBinding") and isinstance(item.get("subjects"), list):
        item = {**item, "subjects": [_subject(subject, namespace, accounts) for subject in item["subjects"]]}
    return item


def _subject(subject: Any, namespace: str, accounts: frozenset[str]) -> Any:
    ours = isinstance(subject, dict) and subject.get("kind") == "ServiceAccount" and subject.get("name") in accounts
    return {**subject, "namespace": namespace} if ours else subject
