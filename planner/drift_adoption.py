"""Adopting drift as data: which live fields are wanted, the keys that feed them, the patch, and what was refused.

Frozen values only. How keys are found is planner.loading.drift_adoption's; nothing here reads or writes a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from difflib import unified_diff
from pathlib import Path

from planner.address import Address
from planner.dataclass import dataclass
from planner.field_path import FieldPath
from planner.source_line_ref import SourceRef
from planner.values import Json

_NOWHERE = SourceRef("")


@dataclass(frozen=True, slots=True)
class FieldToAdopt:
    """A field of a declared object: what lives there instead of what is declared. `refused` is why it cannot be adopted
    in any case, empty where nothing speaks against it; `source` is where the template of the object begins."""

    address: Address
    path: FieldPath
    live: Json
    refused: str = ""
    source: SourceRef = _NOWHERE


@dataclass(frozen=True, slots=True)
class EditedKeyLocation:
    """Where a value was written: file, path in its document, line (of the text as edited)."""

    file: str
    path: tuple[str | int, ...]
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class AdoptedField:
    """A field with the key that feeds it, and the value that the key had."""

    field: FieldToAdopt
    key: EditedKeyLocation
    name: str
    before: Json


@dataclass(frozen=True, slots=True)
class UnadoptableField:
    """A field that no single key feeds, why, and the line of the template that renders it."""

    field: FieldToAdopt
    reason: str
    source: SourceRef


@dataclass(frozen=True, slots=True)
class ConfigurationPatch:
    """Edited files of a configuration folder: by path, the bytes as they are on the disk and as they should be."""

    folder: Path
    before: Mapping[Path, bytes] = field(default_factory=dict)
    after: Mapping[Path, bytes] = field(default_factory=dict)

    def shown(self, file: Path) -> str:
        """A file as messages name it: from the name of the folder on."""
        return f"{self.folder.resolve().name}/{file.relative_to(self.folder).as_posix()}"

    def diff(self) -> str:
        """A unified diff over all files, as `patch -p1` in the folder above the configuration reads it."""
        return "".join(line for file in sorted(self.after) for line in self._file_diff(file))

    def _file_diff(self, file: Path) -> Iterator[str]:
        name = self.shown(file)
        old, new = (side[file].decode().splitlines(keepends=True) for side in (self.before, self.after))
        for line in unified_diff(old, new, f"a/{name}", f"b/{name}"):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class DriftAdoption:
    """What adopting comes to. The patch is empty when anything was refused."""

    patch: ConfigurationPatch
    adopted: tuple[AdoptedField, ...] = ()
    refused: tuple[UnadoptableField, ...] = ()
