"""Where images may come from: public registries that the configuration names, never the node-local one (S07).

It holds for what the node declares, for what templates declare, and for what a Dockerfile takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from planner.kind_hook_types import DocumentContext, Report
from planner.loading.config_policies.dockerfile_image_parsing import images_of_dockerfile
from planner.loading.problems import did_you_mean
from planner.spec.images import BuildConfig
from planner.spec.node import NodeConfig
from planner.values import JsonObject

_MAX_DOCKERFILE = 1 << 20


def registry_host_of_image(image: str) -> str:
    """The registry host of an image reference or repository."""
    return image.partition("/")[0]


def registry_host_of_node_config(node: NodeConfig) -> str:
    """The host of the node's registry; "" where it has none."""
    return node.registry.host if node.registry is not None else ""


def input_image_faults(image: str, node: NodeConfig) -> Iterator[tuple[str, str]]:
    """Why an image may not be an input on the node, and what to do; nothing when it may."""
    host = registry_host_of_image(image)
    if host == registry_host_of_node_config(node):
        yield (
            "an input image comes from the node-local registry",
            "name its public source; the node-local registry is an output only",
        )
    elif host not in node.public_registries:
        yield "the registry is none of the node's publicRegistries", did_you_mean(host, node.public_registries)


def dockerfile_image_faults(build: BuildConfig, node: NodeConfig, folder: Path) -> Iterator[tuple[str, str]]:
    """What is wrong with the images that a Dockerfile takes. One that is not there yet is the plan's business."""
    args = {**({"BASE": build.base} if build.base else {}), **build.args}
    yield from _dockerfile_faults(folder / build.context / build.dockerfile, build.dockerfile, args, node)


def check_registry_image(document: JsonObject, context: DocumentContext, report: Report) -> None:
    """A `RegistryImage` of a template: its inputs are public, its output is the node's registry."""
    spec, node, folder = document["spec"], context.node, context.folder
    if node is None or folder is None:
        return
    target, source = spec.get("target"), spec.get("source")
    build: Any = spec.get("build")
    host = registry_host_of_node_config(node)
    if host and isinstance(target, str) and registry_host_of_image(target) != host:
        text = f"target is not in the node's registry {host}"
        report(("spec", "target"), text, "an image that the node uses is an output there")
    if isinstance(source, str):
        for text, hint in input_image_faults(source, node):
            report(("spec", "source"), f"source: {text}", hint)
    match build:
        case {"context": str(inside), "dockerfile": str(dockerfile)}:
            for text, hint in _dockerfile_faults(folder / inside / dockerfile, dockerfile, _texts(build), node):
                report(("spec", "build", "dockerfile"), text, hint)


def _texts(build: Mapping[str, Any]) -> dict[str, str]:
    args = build.get("args")
    return {name: text for name, text in args.items() if isinstance(text, str)} if isinstance(args, dict) else {}


def _dockerfile_faults(file: Path, name: str, args: Mapping[str, str], node: NodeConfig) -> Iterator[tuple[str, str]]:
    try:
        with file.open("rb") as handle:
            text = handle.read(_MAX_DOCKERFILE).decode(errors="replace")
    except OSError:
        return
    for taken in images_of_dockerfile(text, args):
        where = f"{name}:{taken.line} takes an image"
        if "$" in taken.image:
            yield f"{where} that is not known", "fill its variable: by `base` for BASE, by `args` for any other"
        elif "/" not in taken.image or not ({".", ":"} & set(registry_host_of_image(taken.image))):
            yield (
                f"{where} without its registry in front",
                "write docker.io/library/... for docker's own",
            )
        else:
            for text, hint in input_image_faults(taken.image, node):
                yield f"{name}:{taken.line}: {text}", hint
