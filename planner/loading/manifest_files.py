"""The bytes behind `-f FILE|DIR|-` and `-k DIR`: which files a folder holds, and what is no manifest at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from planner.disk_errors import disk_error_text
from planner.errors import ConfigError, Problem, SelectionError
from planner.source_line_ref import SourceRef

KUSTOMIZE: Final = "kustomize:"  # begins a path that is the folder of a kustomization (-k)
_SUFFIXES: Final = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_MOST_FILES: Final = 20_000


def read_manifest_files(
    paths: Sequence[str], stdin: bytes | None, build: Callable[[str], bytes] | None
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file of every path. `build` renders the kustomization of a folder.

    Raises SelectionError for a path that is not there, ConfigError for a file that cannot be read.
    """
    for path in paths:
        if path == "-":
            yield "<stdin>", stdin or b""
        elif path.startswith(KUSTOMIZE):
            folder = path.removeprefix(KUSTOMIZE)
            if build is None:
                raise SelectionError(
                    f"{folder} cannot be built here", where="-k", remedy=commands_to_plan_kustomization(folder)
                )
            yield folder, build(folder)
        else:
            for file in _files(Path(path)):
                yield file.as_posix(), _read(file)


def commands_to_plan_kustomization(folder: str) -> str:
    """The commands by which a kustomization in `folder` is planned, as text for a remedy."""
    return f"kustomize build {folder} | hwplan plan -f - --name NAME, or hwplan plan -k {folder} --name NAME"


def is_kustomization(file: str, value: object) -> bool:
    """Whether a document is the input of kustomize and no manifest."""
    api_version = value.get("apiVersion") if isinstance(value, dict) else None
    if isinstance(api_version, str) and api_version:
        return api_version.startswith("kustomize.config.k8s.io/")
    return Path(file).name in _KUSTOMIZATIONS


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = disk_error_text(error)
        raise ConfigError((Problem(SourceRef(file.as_posix()), reason.lower()),)) from None


def _files(path: Path) -> list[Path]:
    if path.is_file() or path.is_fifo():
        return [path]
    if not path.is_dir():
        raise SelectionError(
            f"{path} does not exist", where="-f", remedy="name a file, a folder, or - for standard input"
        )
    found = sorted(entry for entry in path.rglob("*") if _is_manifest(entry, path))
    if not found:
        raise SelectionError(f"{path} holds no manifests", where="-f", remedy=f"expected files {', '.join(_SUFFIXES)}")
    if len(found) > _MOST_FILES:
        raise SelectionError(
            f"{path} holds more than {_MOST_FILES} files", where="-f", remedy="name a folder further down"
        )
    return found


def _is_manifest(entry: Path, folder: Path) -> bool:
    """A file with the right suffix. Folders `..name` are kubelet's: a mounted ConfigMap has links into them."""
    if entry.suffix not in _SUFFIXES or not entry.is_file():
        return False
    return not any(part.startswith("..") for part in entry.relative_to(folder).parts[:-1])
