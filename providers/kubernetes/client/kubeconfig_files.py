"""Kubeconfig files: which ones there are, and their entries, merged as kubectl does.

No error and no repr holds a credential.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import ConfigError, HwplanError, Problem
from planner.source_line_ref import SourceRef
from planner.values import Json, JsonObject

_MAX_BYTES = 4 << 20


def kubeconfig_files(kubeconfig: str, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that the option or the environment names, if any. Raises HwplanError for files that are not there."""
    if kubeconfig:
        path = Path(kubeconfig).expanduser()
        if not path.is_file():
            raise HwplanError("the kubeconfig does not exist", where=kubeconfig, remedy="check --kubeconfig")
        return (path,)
    if listed := environ.get("KUBECONFIG", ""):
        found = tuple(Path(item) for item in listed.split(os.pathsep) if item and Path(item).is_file())
        if not found:
            raise HwplanError("no file that KUBECONFIG names exists", where=listed, remedy="set KUBECONFIG anew")
        return found
    path = Path(environ.get("HOME") or "~").expanduser() / ".kube" / "config"
    return (path,) if path.is_file() else ()


@dataclass(frozen=True, slots=True)
class KubeconfigEntry:
    """A cluster, user or context, and the file it came from: relative paths in it start there."""

    body: JsonObject
    file: Path
    label: str

    def text(self, key: str) -> str:
        value = self.body.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise_kubeconfig_error(self.file, f"{self.label}: {key} must be a text")
        return value.strip()

    def pem(self, key: str) -> bytes:
        """`<key>-data` in base64, or else the contents of the file `<key>`."""
        if data := self.text(f"{key}-data"):
            try:
                return base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                raise_kubeconfig_error(self.file, f"{self.label}: {key}-data is not base64")
        path = self.text(key)
        return self.read(path, key) if path else b""

    def read(self, path: str, key: str) -> bytes:
        try:
            return self.path(path).read_bytes()
        except OSError as error:
            raise_kubeconfig_error(self.file, f"{self.label}: {key}: cannot read {path} ({disk_error_text(error)})")

    def path(self, path: str) -> Path:
        return self.file.parent / Path(path).expanduser()


@dataclass(slots=True)
class MergedKubeconfig:
    """The entries of all kubeconfig files, merged as kubectl does: the first file that has a name wins."""

    current: str
    contexts: dict[str, KubeconfigEntry]
    clusters: dict[str, KubeconfigEntry]
    users: dict[str, KubeconfigEntry]


def merge_kubeconfigs(files: tuple[Path, ...]) -> MergedKubeconfig:
    """Read and merge the files, in their order. Raises ConfigError that never quotes a line, which may hold a token."""
    merged = MergedKubeconfig("", {}, {}, {})
    for file in files:
        document = _load(file)
        merged.current = merged.current or str(document.get("current-context") or "")
        for kind, entries in (("context", merged.contexts), ("cluster", merged.clusters), ("user", merged.users)):
            for name, body in _entries(document, kind, file):
                entries.setdefault(name, KubeconfigEntry(body, file, f"{kind} {name}"))
    return merged


def _load(file: Path) -> JsonObject:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise_kubeconfig_error(file, "this is too large for a kubeconfig")
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise_kubeconfig_error(
            file, f"cannot read it ({disk_error_text(error) if isinstance(error, OSError) else 'not UTF-8'})"
        )
    document = _parse(text, file)
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise_kubeconfig_error(file, "this is not a kubeconfig: expected a map with clusters, users and contexts")
    return document


def _parse(text: str, file: Path) -> Json:
    import yaml

    if text.count("[") + text.count("{") > 10_000:  # the C loader recurses
        raise_kubeconfig_error(file, "this is nested too deeply for a kubeconfig")
    try:
        return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.MarkedYAMLError as error:  # its text would quote the line, and the line may hold a token
        mark = error.problem_mark or error.context_mark
        raise _problem(file, "this is not valid YAML", line=mark.line + 1 if mark else 0) from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):  # TypeError: a map as a key
        raise_kubeconfig_error(file, "this is not valid YAML")


def _entries(document: JsonObject, kind: str, file: Path) -> Iterator[tuple[str, JsonObject]]:
    listed = document.get(f"{kind}s") or []
    if not isinstance(listed, list):
        raise_kubeconfig_error(file, f"{kind}s must be a list")
    for item in listed:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise_kubeconfig_error(file, f"every item of {kind}s needs a name")
        body = item.get(kind)
        yield item["name"], body if isinstance(body, dict) else {}


def _problem(file: Path, message: str, remedy: str = "", line: int = 0) -> ConfigError:
    return ConfigError((Problem(SourceRef(str(file), line), message, remedy),))


def raise_kubeconfig_error(file: Path, message: str, remedy: str = "") -> NoReturn:
    """Raise the ConfigError about a fault in a kubeconfig file."""
    raise _problem(file, message, remedy) from None
