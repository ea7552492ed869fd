"""Images of a published manifest that are taken from the node's registry: each becomes a RegistryImage of the plan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from planner.image_names import split_image_reference, tag_of_image_copy
from planner.loading.config_policies.image_sources import registry_host_of_image, registry_host_of_node_config
from planner.loading.manifests.manifest_expectations import container_images
from planner.spec.kinds.secret_and_manifest_sources import ManifestSource
from planner.spec.node import NodeConfig
from planner.values import JsonObject, document_digest


def registry_images_for_manifest(
    items: Sequence[JsonObject], source: ManifestSource, node: NodeConfig
) -> list[JsonObject]:
    """The RegistryImage documents of the images in `items`, as they are before rewriting, that a rule puts into the
    node's registry; without those that the node's own images put there already."""
    rules = {
        rule.from_: rule.to
        for rule in source.spec.images
        if registry_host_of_image(rule.to) == registry_host_of_node_config(node)
    }
    taken = {image.target for image in node.images.values()}
    copies: dict[str, str] = {}
    for image in container_images(items):
        repository, tag, pinned = split_image_reference(image)
        if repository in rules:
            target = f"{rules[repository]}:{tag_of_image_copy(tag, pinned)}"
            if target not in taken:
                copies[target] = image
    names = _names(source.metadata.name, copies)
    return [_document(names[target], target, image, node) for target, image in copies.items()]


def _names(prefix: str, targets: Collection[str]) -> dict[str, str]:
    """A name for each target: the last part of its repository, distinguished by a digest where several share it."""
    plain = {target: f"{prefix}-{_slug(split_image_reference(target)[0].rpartition('/')[2])}" for target in targets}
    counts = Counter(plain.values())
    return {t: name if counts[name] == 1 else f"{name}-{document_digest(t)[-8:]}" for t, name in plain.items()}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _document(name: str, target: str, image: str, node: NodeConfig) -> JsonObject:
    spec: JsonObject = {"target": target, "source": image}
    if "@" in image:
        spec["platforms"] = ["all"]  # the digest that the workload names is that of the index
    if node.registry is not None and node.registry.insecure and not node.registry.host.startswith("127."):
        spec["targetInsecure"] = True
    metadata: JsonObject = {"name": name, "labels": {"purpose": "dependency"}}
    return {"apiVersion": "hwplan.dev/v1", "kind": "RegistryImage", "metadata": metadata, "spec": spec}
