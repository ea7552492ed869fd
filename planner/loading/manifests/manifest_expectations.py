"""What a published manifest has to hold: definitions, workloads and the version that the configuration declares (S10).

Checked when it is loaded. Being objects of the set, they are waited for by apply, and missed by drift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from planner.image_names import split_image_reference
from planner.loading.document_origin import DocumentOrigin
from planner.loading.problems import Problems, did_you_mean
from planner.spec.kinds.secret_and_manifest_sources import ManifestExpectations
from planner.values import JsonObject

_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_SHOWN: Final = 5


def check_manifest_expectations(
    expect: ManifestExpectations, items: Sequence[JsonObject], origin: DocumentOrigin, problems: Problems
) -> None:
    """Report every declared definition and workload that is not among `items`, and another version."""
    definitions = {_name(item) for item in items if item.get("kind") == "CustomResourceDefinition"}
    for index, name in enumerate(expect.crds):
        if name not in definitions:
            text = f"the manifest has no CustomResourceDefinition {name}"
            hint = did_you_mean(name, definitions) or "correct crds, or pin the manifest that has it"
            origin.problem(problems, ("spec", "expect", "crds", index), text, hint)
    workloads = {_workload(item): item for item in items if item.get("kind") in _WORKLOADS}
    for index, name in enumerate(expect.workloads):
        if name not in workloads:
            hint = did_you_mean(name, workloads) or "correct workloads, or pin the manifest that has it"
            text = f"the manifest has no workload {name}"
            origin.problem(problems, ("spec", "expect", "workloads", index), text, hint)
    if expect.version is not None:
        chosen = [workloads[name] for name in expect.workloads if name in workloads] or list(workloads.values())
        _check_version(expect.version, chosen, origin, problems)


def container_images(value: Any) -> Iterator[str]:
    """The images of all containers of a document, at any depth, in order."""
    if isinstance(value, list):
        for item in value:
            yield from container_images(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("containers", "initContainers", "ephemeralContainers") and isinstance(item, list):
                yield from (one["image"] for one in item if isinstance(one, dict) and isinstance(one.get("image"), str))
            yield from container_images(item)


def _check_version(version: str, workloads: Sequence[JsonObject], origin: DocumentOrigin, problems: Problems) -> None:
    images = dict.fromkeys(image for workload in workloads for image in container_images(workload))
    tags = dict.fromkeys(tag for image in images if (tag := split_image_reference(image)[1]))
    if version.removeprefix("v") in {tag.removeprefix("v") for tag in tags}:
        return
    found = f"they have {', '.join(list(tags)[:_SHOWN])}" if tags else "none of them has a tag"
    text = f"no workload of the manifest has an image of version {version}: {found}"
    hint = "correct version, or pin the manifest of that version"
    origin.problem(problems, ("spec", "expect", "version"), text, hint)


def _workload(item: JsonObject) -> str:
    return f"{item['kind'].lower()}/{_name(item)}"


def _name(item: JsonObject) -> str:
    metadata = item.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
