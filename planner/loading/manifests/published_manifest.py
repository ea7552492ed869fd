"""The bytes of a manifest that others publish: a local file, or a download that is retained by its digest.

Only bytes with the pinned digest get out of here. Touches no network by itself: who plans gives a function that does.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from planner.disk_errors import disk_error_text
from planner.errors import HwplanError
from planner.loading.document_origin import DocumentOrigin
from planner.loading.resource_collector import ResourceCollector
from planner.spec.kinds.secret_and_manifest_sources import ManifestSource
from planner.user_cache_folder import user_cache_folder
from planner.whole_file import write_whole_file

FetchManifest: TypeAlias = Callable[[str], bytes]  # the body of a URL; raises HwplanError


def read_published_manifest(
    source: ManifestSource,
    origin: DocumentOrigin,
    intake: ResourceCollector,
    folder: Path,
    fetch: FetchManifest | None = None,
    cache: Path | None = None,
) -> bytes | None:
    """The pinned bytes, or None with a problem or, where nothing may be fetched, a warning in the intake.

    `folder` is that of the configuration, `cache` that of downloads (None: the user's)."""
    spec = source.spec
    if spec.file is not None:
        return _from_file(source, origin, intake, folder)
    if spec.url is None:
        remedy = f"publish it under a url, or put it into the configuration folder as file: {spec.git}"
        origin.problem(intake.problems, ("spec", "git"), "a manifest is not read from git by itself", remedy)
        return None
    stored = (cache or user_cache_folder("manifests")) / f"{spec.sha256}.yaml"
    data = _stored(stored, spec.sha256)
    if data is not None:
        return data
    if fetch is None:
        intake.warnings.append(f"{spec.url} was not fetched yet: what it declares is not looked at here")
        return None
    return _fetched(source, origin, intake, fetch, stored)


def _from_file(source: ManifestSource, origin: DocumentOrigin, intake: ResourceCollector, folder: Path) -> bytes | None:
    spec = source.spec
    assert spec.file is not None
    path = folder / spec.file
    if not path.resolve().is_relative_to(folder.resolve()):
        origin.problem(intake.problems, ("spec", "file"), "the file leads out of the configuration folder")
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        fetch = f"curl -fL -o {folder.name}/{spec.file} {spec.url}" if spec.url else "put the manifest there"
        reason = "does not exist" if isinstance(error, FileNotFoundError) else disk_error_text(error)
        origin.problem(intake.problems, ("spec", "file"), f"{spec.file} {reason}", fetch)
        return None
    return _pinned(data, spec.file, source, origin, intake)


def _fetched(
    source: ManifestSource, origin: DocumentOrigin, intake: ResourceCollector, fetch: FetchManifest, stored: Path
) -> bytes | None:
    spec = source.spec
    assert spec.url is not None
    try:
        data = fetch(spec.url)
    except HwplanError as error:
        remedy = f"{error.remedy or 'try again'}, or put the manifest into the configuration folder and name it as file"
        origin.problem(intake.problems, ("spec", "url"), f"{spec.url} cannot be fetched: {error.message}", remedy)
        return None
    if (found := _pinned(data, spec.url, source, origin, intake)) is not None:
        with contextlib.suppress(OSError):
            stored.parent.mkdir(parents=True, exist_ok=True)
            write_whole_file(stored, found)
    return found


def _pinned(
    data: bytes, name: str, source: ManifestSource, origin: DocumentOrigin, intake: ResourceCollector
) -> bytes | None:
    found = hashlib.sha256(data).hexdigest()
    if found == source.spec.sha256:
        return data
    remedy = "fetch the file again, or review it and pin its digest"
    text = f"{name} is not the manifest that sha256 pins"
    origin.problem(intake.problems, ("spec", "sha256"), text, remedy)
    return None


def _stored(path: Path, sha256: str) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None
