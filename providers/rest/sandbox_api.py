"""The collections of a sandbox: plain YAML that a person reads and edits, really changed by an apply.

Holds fingerprints where secrets would be. A collection that the file does not have is empty. Every change reads the
file, and replaces it as a whole if it still is what was read.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from planner.document_editing import set_field
from planner.errors import PermanentError, TemporaryError
from planner.field_path import FieldPath
from planner.values import Json, JsonObject, JsonValue, SealedSecret
from planner.whole_number import parse_whole_number
from providers.durable_file import file_version_of_content, read_file_version, replace_file
from providers.rest.object_spec import RestCollection
from providers.rest.rest_api import RestItemAnswer, RestWriteRequest
from providers.rest.secret_values import RestSecretValues
from providers.web.json_body import find_json_value_at_path

_HEAD = """\
# Objects behind REST APIs in this sandbox (simulated: nothing is asked over a network).
# Secret fields hold fingerprints. Change a value, or take an object away, and plan again.
"""
_TRIES = 50  # of writers that come between


class SandboxRestApi:
    """A simulated REST API over a file of a sandbox (see RestApi). The id of a new object is counted up where its body
    has none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def list(self, collection: RestCollection) -> list[JsonObject]:
        """See Api."""
        return _objects(self._read()[0], collection.url)

    def one(self, collection: RestCollection, identifier: str) -> RestItemAnswer | None:
        """See Api. A file has no entity tags."""
        found = (one for one in self.list(collection) if _id(one, collection.id) == identifier)
        return next((RestItemAnswer(one) for one in found), None)

    def write(self, collection: RestCollection, write: RestWriteRequest, secrets: RestSecretValues) -> None:
        """See Api."""
        body = _stored(write.body)

        def change(document: JsonObject) -> None:
            objects = _objects(document, collection.url, make=True)
            ids = [_id(one, collection.id) for one in objects]
            at = ids.index(write.identifier) if write.identifier in ids else None
            if write.creates:
                objects.append(_with_id(body, ids, collection.id))
            elif at is None:
                raise PermanentError("the object is not there (simulated)", where=collection.host)
            else:
                objects[at] = {**objects[at], **body} if write.method == "PATCH" else body

        self._change(change)

    def _change(self, change: Callable[[JsonObject], None]) -> None:
        for _ in range(_TRIES):
            document, token = self._read()
            change(document)
            if self._replace((_HEAD + _yaml(document)).encode(), token):
                return
        raise TemporaryError("others write the objects of the sandbox all the time", where=self._path.name)

    def _replace(self, data: bytes, token: str) -> bool:
        """Whether the file was still what the token says, and now is `data`."""
        mode = f"{self._path.stat().st_mode & 0o777:04o}" if token else "0644"
        return replace_file(self._path, data, mode, lambda now: (now.token if now else "") == token)

    def _read(self) -> tuple[JsonObject, str]:
        """The document, and the version token of its file ("" if there is none)."""
        seen = read_file_version(self._path)
        if seen is None:
            return {"collections": []}, ""
        try:
            data = self._path.read_bytes()
            return _document(data), file_version_of_content(data, seen.mode).token
        except (OSError, ValueError):
            raise PermanentError(
                "the objects of the sandbox cannot be read",
                where=self._path.name,
                remedy="collections: a list of url, objects; dates and other special values in quotes",
            ) from None


def _document(data: bytes) -> JsonObject:
    """Raises ValueError for anything but collections of plain objects."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(data) or {"collections": []}
        rows = document["collections"] or []
        plain = [{"url": row["url"], "objects": list(row.get("objects") or [])} for row in rows]
        json.dumps(plain)
    except (YAMLError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise ValueError("no collections of plain objects") from None
    if not all(isinstance(row["url"], str) and all(isinstance(one, dict) for one in row["objects"]) for row in plain):
        raise ValueError("no collections of plain objects")
    return {"collections": plain}


def _yaml(document: JsonObject) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # fields stay as they were written
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _objects(document: JsonObject, url: str, *, make: bool = False) -> list[JsonObject]:
    for row in document["collections"]:
        if row["url"] == url:
            found: list[JsonObject] = row["objects"]
            return found
    new: list[JsonObject] = []
    if make:
        document["collections"].append({"url": url, "objects": new})
    return new


def _stored(value: JsonValue) -> Json:
    """A body with fingerprints in place of its secrets."""
    if isinstance(value, dict):
        return {key: _stored(item) for key, item in value.items()}
    return value.fingerprint if isinstance(value, SealedSecret) else value


def _id(live: JsonObject, path: FieldPath) -> str:
    found = find_json_value_at_path(live, path)
    return str(found[0]) if found else ""


def _with_id(body: JsonObject, ids: Sequence[str], path: FieldPath) -> JsonObject:
    if find_json_value_at_path(body, path):
        return body
    return {**set_field({}, path, max((parse_whole_number(one) or 0 for one in ids), default=0) + 1), **body}
