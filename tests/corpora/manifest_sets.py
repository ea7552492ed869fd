"""Sets of rendered manifests in a folder: every YAML file below it whose documents are all objects.

What a tool reads to make manifests (kustomizations, values, templates) is no set, and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_RECIPES = ("kustomize.config.k8s.io/", "config.kio.kubernetes.io/", "builtin")
_MOST_BYTES = 8 << 20
_STANDING = frozenset(("", "default", "kube-system", "kube-public", "kube-node-lease"))


@dataclass(frozen=True)
class ManifestSet:
    """A file of objects. `namespaces` are those that its objects name, `declared` those that are among its objects."""

    file: Path
    objects: int
    namespaces: tuple[str, ...]
    declared: tuple[str, ...] = ()


def sets_below(folder: Path) -> Iterator[ManifestSet]:
    """Every set in a folder, or the one in a file, by path."""
    files = [folder] if folder.is_file() else sorted(folder.rglob("*.yaml"))
    for file in files:
        if file.is_file() and file.stat().st_size <= _MOST_BYTES and (found := _read(file)):
            yield found


def _read(file: Path) -> ManifestSet | None:
    try:
        documents = [one for one in yaml.load_all(file.read_text(), _LOADER) if one is not None]
    except (yaml.YAMLError, UnicodeDecodeError, ValueError):
        return None
    objects = [item for one in documents for item in _items(one)]
    if not objects or not all(map(_is_object, objects)):
        return None
    named = {str(one["metadata"].get("namespace") or "") for one in objects}
    declared = {str(one["metadata"]["name"]) for one in objects if one["kind"] == "Namespace"}
    return ManifestSet(file, len(objects), tuple(sorted(named - _STANDING)), tuple(sorted(declared - _STANDING)))


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _items(document: Any) -> list[Any]:
    if isinstance(document, dict) and str(document.get("kind", "")).endswith("List") and "items" in document:
        return list(document["items"] or ())
    return [document]


def _is_object(one: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("metadata"), dict):
        return False
    version = str(one.get("apiVersion", ""))
    return bool(version and one.get("kind") and one["metadata"].get("name")) and not version.startswith(_RECIPES)
