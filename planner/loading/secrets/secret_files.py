"""Files that hold secrets: reading them within bounds. Owns their formats.

No value ever enters a message, and no key either: in a file that is broken, a value may stand where a key should.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from planner.dataclass import dataclass
from planner.disk_errors import disk_error_text
from planner.errors import ConfigError, PermanentError
from planner.loading.secrets.dotenv import parse_dotenv
from planner.values import SecretValue

NOT_IN_FOLDER = "does not exist in the secrets folder"
_MOST_BYTES = 1 << 20
_LINE = re.compile(r"(?:export[ \t]+)?(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class SecretFileRef:
    """A file in a node's secrets folder and how it is read. `key` names the one value of a raw file."""

    node: str
    path: str
    format: str = "env"
    key: str = ""

    @property
    def name(self) -> str:
        """Node and path, as messages show it."""
        return f"{self.node}/{self.path}"

    def ref(self, key: str) -> str:
        """The reference of one of its keys: `file:<node>/<path>#KEY`, `file+yaml:...` where it is not an env file."""
        return f"file{'' if self.format == 'env' else '+' + self.format}:{self.name}#{key}"


@dataclass(frozen=True, slots=True)
class ParsedSecretFile:
    """The contents of one file by key. `shared` is true when others than its owner may read it."""

    values: Mapping[str, SecretValue] = field(repr=False)
    shared: bool = False


def read_secret_file(folder: Path, source: SecretFileRef) -> ParsedSecretFile:
    """Read a file of a secrets folder. Raises PermanentError that names the line that is wrong, never its content."""
    path = _inside(folder, source.path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise PermanentError(f"{source.path} is not a file")
        if status.st_size > _MOST_BYTES:
            raise PermanentError(f"{source.path} is larger than {_MOST_BYTES >> 20} MiB")
        data = path.read_bytes()
    except FileNotFoundError:
        raise PermanentError(f"{source.path} {NOT_IN_FOLDER}") from None
    except OSError as error:
        raise PermanentError(f"{source.path}: {disk_error_text(error)}") from None
    return ParsedSecretFile(_values(data, source), bool(status.st_mode & 0o077))


def _inside(folder: Path, relative: str) -> Path:
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise PermanentError(f"{relative} leads out of the secrets folder")
    return path


def _values(data: bytes, source: SecretFileRef) -> Mapping[str, SecretValue]:
    match source.format:
        case "raw":
            return {source.key: SecretValue(data)}
        case "env":
            return _env(_text(data, source.path), source.path)
        case "dotenv":
            return _sealed(parse_dotenv(_text(data, source.path), source.path))
        case "json":
            return _json(data, source.path)
        case "yaml":
            return _yaml(data, source.path)
    raise PermanentError(f"{source.path}: no such format of a secrets file")


def _text(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PermanentError(f"{path} is not UTF-8") from None


def _sealed(values: Mapping[str, str]) -> dict[str, SecretValue]:
    return {key: SecretValue(value.encode()) for key, value in values.items()}


def _env(text: str, path: str) -> dict[str, SecretValue]:
    """`KEY=value` lines; `#` starts a comment line; one pair of quotes around a value is taken away; no expansion."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            raise PermanentError(f"{path}:{number} is not KEY=value")
        if match["key"] in found:
            raise PermanentError(f"{path}:{number} sets a key a second time")
        found[match["key"]] = _unquoted(match["value"].strip())
    return _sealed(found)


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _json(data: bytes, path: str) -> dict[str, SecretValue]:
    try:
        values = json.loads(_text(data, path), object_pairs_hook=lambda pairs: _unique(pairs, path))
    except (ValueError, RecursionError):
        raise PermanentError(f"{path} is not JSON") from None
    return _flat(values, path)


def _unique(pairs: list[tuple[str, object]], path: str) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PermanentError(f"{path} has the same key twice")
    return found


def _yaml(data: bytes, path: str) -> dict[str, SecretValue]:
    from planner.loading.yaml.load_documents import CONFIG, load_documents

    try:
        documents = load_documents(data, path, CONFIG)
    except ConfigError as error:
        line = error.problems[0].source.line
        raise PermanentError(f"{path}:{line} is not YAML that can be read here") from None
    return _flat(documents[0].value if len(documents) == 1 else None, path)


def _flat(values: object, path: str) -> dict[str, SecretValue]:
    if not isinstance(values, dict):
        raise PermanentError(f"{path} is not one mapping of text to text")
    for number, value in enumerate(values.values(), 1):
        if not isinstance(value, str):
            raise PermanentError(f"{path}: value {number} is not text: put it in quotes")
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise PermanentError(f"{path}: value {number} is not Unicode")
    return _sealed(values)
