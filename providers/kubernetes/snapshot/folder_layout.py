"""How a snapshot lies on disk: names of folders and files, the YAML text of an object, atomic writes.

    cluster/cluster.yaml                                     what the cluster is
    cluster/<namespace or _cluster>/<Kind[.group]>/<name>.yaml   one object each, with its managedFields

An object's identity is what is written inside it; the name of its file is only where hwplan looks for it first.
ruamel is imported on first use.
"""

from __future__ import annotations

import hashlib
import io
import re
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from planner.errors import PermanentError
from planner.values import JsonObject
from planner.whole_file import write_whole_file

CLUSTER_FOLDER = "cluster"  # of live objects, inside a sandbox or a saved snapshot
CLUSTER_FILE = "cluster.yaml"
CLUSTER_SCOPED = "_cluster"
_SAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 200  # file systems allow 255 bytes, and names of objects 253 characters before escaping
_YAML_LOCK = Lock()  # one ruamel instance is not for two threads


class ObjectIdentity(NamedTuple):
    """What names an object inside one cluster; the version of its API is no part of it."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        head = f"{self.kind}.{self.group}" if self.group else self.kind
        return "/".join(part for part in (head, self.namespace, self.name) if part)


def api_group_of(api_version: str) -> str:
    """The group of an API version as the server sees it; empty for the core group."""
    head, slash, _ = api_version.partition("/")
    return head if slash else ""


def identity_of_document(document: JsonObject) -> ObjectIdentity:
    """The identity inside a document. Raises ValueError when kind or name is missing."""
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not metadata.get("name") or not document.get("kind"):
        raise ValueError("an object needs kind and metadata.name")
    api_group = api_group_of(str(document.get("apiVersion", "")))
    return ObjectIdentity(api_group, str(document["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"]))


def object_file_path(identity: ObjectIdentity) -> Path:
    """The path of the file of an object, relative to the cluster's folder."""
    head = f"{identity.kind}.{identity.group}" if identity.group else identity.kind
    return Path(identity.namespace or CLUSTER_SCOPED) / _escape(head) / f"{_escape(identity.name)}.yaml"


def _escape(name: str) -> str:
    """A file name that every file system takes: other bytes as %XX, long names cut with a digest of the whole."""
    escaped = _SAFE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), name)
    escaped = "%2E" + escaped[1:] if escaped.startswith(".") else escaped
    if len(escaped) <= _LONGEST:
        return escaped
    return f"{escaped[: _LONGEST - 20]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def read_object_yaml(path: Path) -> JsonObject:
    """One document, a map. Raises PermanentError with file and line; never with the text of the file."""
    text = path.read_text(encoding="utf-8")
    return parse_object_yaml(text, str(path))


def parse_object_yaml(text: str, where: str) -> JsonObject:
    """One document of the YAML text of an object; as `read_object_yaml`, for text that is already read."""
    from ruamel.yaml.error import YAMLError

    try:
        with _YAML_LOCK:
            document = _yaml().load(text)
    except (YAMLError, RecursionError, ValueError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        place = where if line is None else f"{where}:{line + 1}"
        raise PermanentError("this is not readable YAML", where=place, remedy="correct it or delete the file") from None
    if not isinstance(document, dict):
        raise PermanentError("a map is expected here", where=where, remedy="correct it or delete the file")
    return document


def render_object_yaml(document: JsonObject) -> str:
    """The text form: apiVersion, kind and metadata first, managedFields last in metadata, long text as blocks."""
    stream = io.StringIO()
    with _YAML_LOCK:
        _yaml().dump(_arranged(document), stream)
    return stream.getvalue()


def _arranged(document: JsonObject) -> JsonObject:
    first = [key for key in ("apiVersion", "kind", "metadata") if key in document]
    last = [key for key in ("status",) if key in document]
    middle = [key for key in document if key not in first and key not in last]
    out = {key: document[key] for key in (*first, *middle, *last)}
    if isinstance(metadata := out.get("metadata"), dict) and "managedFields" in metadata:
        fields = metadata["managedFields"]
        out["metadata"] = {**{k: v for k, v in metadata.items() if k != "managedFields"}, "managedFields": fields}
    return out


@cache
def _yaml() -> Any:  # a ruamel.yaml.YAML; naming its type would import ruamel here
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        def ignore_aliases(self, data: Any) -> bool:
            return True  # two names for one Python object are no meaning of ours: write it twice, without an anchor

    class Constructor(SafeConstructor):
        pass

    def text(representer: Any, value: str) -> Any:
        return representer.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Representer.add_representer(str, text)
    Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)
    yaml: Any = YAML(typ="safe")  # its attributes are declared narrower than what they take
    yaml.Representer, yaml.Constructor = Representer, Constructor
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 4096
    yaml.sort_base_mapping_type_on_output = False
    return yaml


def write_atomic(path: Path, text: str) -> None:
    """Replace a file in one step: after a kill at any point the old or the new text is there, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(path, text.encode(), mode=0o644)
