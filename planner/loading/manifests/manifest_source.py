"""`ManifestSource` documents become the documents of the manifest: pinned by digest, images and namespace rewritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from planner.dataclass import dataclass
from planner.errors import ConfigError
from planner.image_names import split_image_reference
from planner.kind_hook_types import DocumentContext
from planner.loading.document_origin import DocumentOrigin, DocumentText
from planner.loading.hwplan_kind_check import apply_load_hooks
from planner.loading.manifest_nulls import without_meaningless_nulls
from planner.loading.manifests.manifest_expectations import check_manifest_expectations
from planner.loading.manifests.plain_manifests import items_of_list_document
from planner.loading.manifests.published_manifest import FetchManifest, read_published_manifest
from planner.loading.manifests.registry_images import registry_images_for_manifest
from planner.loading.resource_collector import ResourceCollector
from planner.loading.yaml.load_documents import MANIFEST
from planner.loading.yaml.parse_cache import load_documents_cached
from planner.spec.images import ImageRewrite
from planner.spec.kinds.secret_and_manifest_sources import ManifestSource
from planner.spec.node import NodeConfig
from planner.values import JsonObject

_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")
_NAMESPACED: Final = frozenset(
    {"ConfigMap", "Secret", "Service", "ServiceAccount", "Pod", "PersistentVolumeClaim", "ResourceQuota", "LimitRange",
     "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Role", "RoleBinding", "NetworkPolicy",
     "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Lease", "Endpoints", "EndpointSlice"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ManifestExpansionContext:
    """What an expansion needs to know: the folder of the configuration, the node whose registry images are taken from
    (None: no images are added), how a URL is read (None: not at all), and a folder for caches (None: the user's)."""

    folder: Path
    node: NodeConfig | None = None
    fetch: FetchManifest | None = None
    cache: Path | None = None


def expand_manifest_source(
    source: ManifestSource,
    origin: DocumentOrigin,
    intake: ResourceCollector,
    context: ManifestExpansionContext,
    *,
    owned_by: str,
    scope: str,
    node_lane: str,
) -> None:
    """Add every document of a manifest to the intake, and the images that it takes from the node's registry."""
    folder, node = context.folder, context.node
    data = read_published_manifest(source, origin, intake, folder, context.fetch, context.cache)
    if data is None:
        return
    name = f"{folder.resolve().name}/{source.spec.file}" if source.spec.file else str(source.spec.url)
    try:
        documents = load_documents_cached(data, name, MANIFEST, context.cache)
    except ConfigError as error:
        intake.problems.extend(error.problems)
        return
    text = DocumentText(name, data=data)
    found = [
        (item, item_origin, document.tagged)
        for index, document in enumerate(documents)
        for item, item_origin in items_of_list_document(
            without_meaningless_nulls(document.value), DocumentOrigin(text, index, document.line)
        )
    ]
    items = [item for item, _, _ in found if isinstance(item, dict)]
    if source.spec.expect is not None:
        check_manifest_expectations(source.spec.expect, items, origin, intake.problems)
    if node is not None:
        for made in registry_images_for_manifest(items, source, node):
            image = apply_load_hooks(made, DocumentContext(node, (), folder), origin, intake.problems)
            intake.add(image, origin, owned_by=owned_by, scope=scope, node_lane=node_lane)
    accounts = _accounts(items)
    for item, item_origin, tagged in found:
        changed = _changed(item, source, accounts)
        intake.add(changed, item_origin, owned_by=owned_by, scope=scope, node_lane=node_lane, tagged=tagged)


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
    repository = split_image_reference(image)[0]
    return {**container, "image": table[repository] + image[len(repository) :]} if repository in table else container


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
