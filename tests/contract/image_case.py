"""RegistryImage, judged over OCI layouts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from providers.images.provider import RegistryImageProvider
from providers.simulated_images import write_simulated_images
from tests.contract.declared import VAULT, own


class Images:
    """RegistryImage in the OCI layout of a sandbox."""

    vault = VAULT
    effect = PreviewEffect.CREATE
    refused_as_a_whole = False
    _SOURCES = tuple(f"docker.io/library/i{n}:1" for n in range(4))

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        write_simulated_images(folder / "registry", self._SOURCES)

    def provider(self) -> Provider:
        return RegistryImageProvider(self._folder, self._folder)

    def wanted(self) -> Sequence[Resource]:
        return [
            own("RegistryImage", f"i{n}", {"source": self._SOURCES[n], "target": f"registry.example/own/i{n}:1"})
            for n in range(3)
        ]

    def _index(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self._folder / "registry/index.json").read_bytes())
        return found

    def _digests(self) -> Mapping[str, str]:
        return {
            row["annotations"]["org.opencontainers.image.ref.name"]: row["digest"] for row in self._index()["manifests"]
        }

    def holds(self, resource: Resource) -> bool:
        spec, digests = resource.manifest["spec"], self._digests()
        return digests.get(spec["target"]) == digests[spec["source"]]

    def state(self) -> object:
        return self._digests()

    def meddle(self, resource: Resource) -> None:
        index = self._index()
        name = "org.opencontainers.image.ref.name"
        theirs = next(row for row in index["manifests"] if row["annotations"][name] == self._SOURCES[3])
        index["manifests"].append({**theirs, "annotations": {name: resource.manifest["spec"]["target"]}})
        (self._folder / "registry/index.json").write_text(json.dumps(index))

    def break_it(self) -> None:
        (self._folder / "registry/index.json").write_text("{")
