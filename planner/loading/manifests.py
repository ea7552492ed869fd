"""Plain manifests: files, folders and standard input become one owned set of resources (`-f FILE|DIR|-`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from planner.errors import ConfigError, Problem, SelectionError
from planner.loading.git_job import with_job
from planner.loading.intake import Intake, strip_nulls
from planner.loading.kind_check import check_kind
from planner.loading.loaded import Loaded
from planner.loading.origin import InputText, Origin
from planner.loading.parse_cache import load_cached
from planner.loading.secret_refs import bind_secret_refs
from planner.loading.yaml_source import MANIFEST
from planner.ports import Fingerprinter
from planner.resource import Resource
from planner.source import SourceRef

SCOPE = "manifests"  # scope of a resource without the annotation
_SUFFIXES = (".yaml", ".yml", ".json")
_SET_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_MOST_FILES = 20_000


def load_manifests(
    paths: Sequence[str],
    *,
    stdin: bytes | None,
    name: str,
    fingerprinter: Fingerprinter,
    cache: Path | None = None,
) -> Loaded:
    """Load every document of every path as the owned set `name`.

    Folders are read recursively (.yaml, .yml, .json), `-` is `stdin`, kinds that end in List are taken apart, empty
    documents are skipped. A namespaced object that names no namespace keeps none here: only discovery knows which kinds
    are namespaced, see `with_namespace`. `cache` is the folder of the parse cache (None: the user's).
    Raises SelectionError for a path or a name that cannot be, ConfigError with all problems of the input.
    """
    if not _SET_NAME.fullmatch(name):
        raise SelectionError(
            "--name is missing or not a name" if not name else "--name is not a name",
            where="--name",
            remedy="give the manifests a name of letters, digits, - . and _ (at most 63)",
        )
    intake = Intake(fingerprinter)
    for file, data in _inputs(paths, stdin):
        try:
            documents = load_cached(data, file, MANIFEST, cache)
        except ConfigError as error:
            intake.problems.extend(error.problems)
            continue
        text = InputText(file, "", data=data)
        for index, document in enumerate(documents):
            value = strip_nulls(document.value) if document.nulls else document.value
            for item, origin in flattened(value, Origin(text, index, document.line)):
                _add(item, origin, intake, name, document.tagged)
    intake.problems.raise_any()
    bind_secret_refs(intake)
    return Loaded(tuple(intake.resources.values()), intake.vault, intake.digest(), tuple(intake.warnings), {}, (name,))


def with_namespace(resource: Resource, namespaced: bool, default: str) -> Resource:
    """The resource where the server will put it: a namespaced one without a namespace gets `default`.

    The caller knows from discovery (or from a CRD of the same load) whether the kind is namespaced. A namespace on a
    cluster-scoped kind is taken away, as kubectl does.
    """
    if bool(resource.address.namespace) == namespaced:
        return resource
    metadata = {key: value for key, value in resource.manifest["metadata"].items() if key != "namespace"}
    if namespaced:
        metadata["namespace"] = default
    return replace(
        resource,
        address=replace(resource.address, namespace=default if namespaced else ""),
        manifest={**resource.manifest, "metadata": metadata},
    )


def flattened(value: Any, origin: Origin) -> Iterator[tuple[Any, Origin]]:
    """The document itself, or the items of a List, each with its place. Nothing for an empty document."""
    if value is None:
        return
    if not (isinstance(value, dict) and isinstance(items := value.get("items"), list) and _is_list(value)):
        yield value, origin
        return
    for index, item in enumerate(items):
        prefix = (*origin.prefix, "items", index)
        inner = replace(origin, prefix=prefix)
        yield from flattened(item, inner)


def _is_list(value: dict[str, Any]) -> bool:
    """`kind: List`, or the typed list of an API answer: it has list metadata, and no name."""
    kind, metadata = value.get("kind"), value.get("metadata") or {}
    return isinstance(kind, str) and kind.endswith("List") and isinstance(metadata, dict) and "name" not in metadata


def _add(item: Any, origin: Origin, intake: Intake, name: str, tagged: bool) -> None:
    if check_kind(item, origin, intake.problems, plain=True):
        item = with_job(item, origin, intake.problems)
        intake.add(item, origin, owned_by=name, scope=SCOPE, tagged=tagged)


def _inputs(paths: Sequence[str], stdin: bytes | None) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        if path == "-":
            yield "<stdin>", stdin or b""
            continue
        for file in _files(Path(path)):
            try:
                yield file.as_posix(), file.read_bytes()
            except OSError as error:
                reason = error.strerror or "cannot be read"
                raise ConfigError((Problem(SourceRef(file.as_posix()), reason.lower()),)) from None


def _files(path: Path) -> list[Path]:
    if path.is_file() or path.is_fifo():
        return [path]
    if not path.is_dir():
        raise SelectionError(
            f"{path} does not exist", where="-f", remedy="name a file, a folder, or - for standard input"
        )
    found = sorted(entry for entry in path.rglob("*") if entry.suffix in _SUFFIXES and entry.is_file())
    if not found:
        raise SelectionError(f"{path} holds no manifests", where="-f", remedy=f"expected files {', '.join(_SUFFIXES)}")
    if len(found) > _MOST_FILES:
        raise SelectionError(
            f"{path} holds more than {_MOST_FILES} files", where="-f", remedy="name a folder further down"
        )
    return found
