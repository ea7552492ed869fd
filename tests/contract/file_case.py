"""LocalFile, judged in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from planner.ports import PreviewEffect, Provider
from planner.resource import Resource
from providers.files.local_file_paths import LocalFilePaths as FilePlaces
from providers.files.provider import LocalFileProvider
from tests.contract.case import folder_digest
from tests.contract.declared import VAULT, own


class Files:
    """LocalFile in a folder."""

    vault = VAULT
    effect = PreviewEffect.CREATE
    refused_as_a_whole = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "files"
        self._folder.mkdir()

    def provider(self) -> Provider:
        return LocalFileProvider(FilePlaces(self._folder))

    def wanted(self) -> Sequence[Resource]:
        return [own("LocalFile", f"f{n}", {"path": f"sub/f{n}", "content": f"{n}\n"}) for n in range(3)]

    def _path(self, resource: Resource) -> Path:
        return self._folder / str(resource.manifest["spec"]["path"])

    def holds(self, resource: Resource) -> bool:
        path = self._path(resource)
        return path.is_file() and path.read_text() == resource.manifest["spec"]["content"]

    def state(self) -> object:
        return folder_digest(self._folder)

    def meddle(self, resource: Resource) -> None:
        self._path(resource).parent.mkdir(exist_ok=True)
        self._path(resource).write_text("theirs")

    def break_it(self) -> None:
        (self._folder / "sub").write_text("no folder")
