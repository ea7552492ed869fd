"""Made-up secret files of a sandbox: every key that the configuration looks up, values that are plainly no secrets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, assert_never

from planner.dataclass import dataclass

Format = Literal["env", "dotenv", "yaml", "json", "raw"]


@dataclass(frozen=True, slots=True, order=True)
class SandboxSecretFile:
    """A file below `secrets/`, its format, and the keys that are looked up in it."""

    path: str
    format: Format
    keys: tuple[str, ...]


def write_made_up_secrets(folder: Path, files: Sequence[SandboxSecretFile]) -> None:
    """Write every file, readable by its owner only. Files named twice get the keys of both."""
    folder.mkdir(mode=0o700)
    keys: dict[tuple[str, Format], set[str]] = {}
    for file in files:
        keys.setdefault((file.path, file.format), set()).update(file.keys)
    for (name, form), wanted in sorted(keys.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(_text(form, {key: _made_up(name, key) for key in sorted(wanted)}))


def _text(form: Format, values: dict[str, str]) -> str:
    match form:
        case "env" | "dotenv":
            return "".join(f"{key}={value}\n" for key, value in values.items())
        case "yaml":
            return "".join(f"{json.dumps(key)}: {json.dumps(value)}\n" for key, value in values.items())
        case "json":
            return json.dumps(values, indent=2) + "\n"
        case "raw":
            return next(iter(values.values()), "")
        case never:
            assert_never(never)


def _made_up(name: str, key: str) -> str:
    """The same each time, so that a sandbox can be made again."""
    return "sandbox-" + hashlib.sha256(f"{name}#{key}".encode()).hexdigest()[:20]
