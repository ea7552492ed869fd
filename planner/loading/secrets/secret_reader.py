"""Reading secret values by reference: at load time for their fingerprints, and again at the moment of the write.

A reference is `file:<node>/<path>#KEY` (`file+yaml:`, `file+json:`, ... for other formats), `env:NAME`,
`kubernetes:<namespace>/<name>#KEY` or `manifest:<address>#data.<key>`. It names no folder of this machine, so that a
plan is the same everywhere. `generate:<length>` names a value that only the write of its Secret makes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TypeAlias

from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.loading.secrets.secret_files import ParsedSecretFile, SecretFileRef, read_secret_file
from planner.values import SecretValue, Vault

KubernetesReader: TypeAlias = Callable[[str, str], Mapping[str, SecretValue] | None]  # namespace, name -> values by key


@dataclass(slots=True)
class SecretReader:
    """A planner.ports.SecretValueReader. `folders` gives each node's secrets folder.

    `kubernetes` reads a Secret of the cluster; None when there is no cluster to ask. `vault` holds the values that came
    with manifests.
    """

    folders: Mapping[str, Path]
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    kubernetes: KubernetesReader | None = None
    vault: Vault = field(default_factory=dict, repr=False)

    def value(self, ref: str) -> SecretValue:
        """The value now. Raises PermanentError naming the source, never the value."""
        kind, _, rest = ref.partition(":")
        name, _, key = rest.partition("#")
        match kind:
            case "file" | "file+dotenv" | "file+yaml" | "file+json" | "file+raw":
                node, _, path = name.partition("/")
                file = SecretFileRef(node, path, kind.partition("+")[2] or "env", key if kind == "file+raw" else "")
                return pick_secret_value(self.file(file).values, key, f"file {name}")
            case "env":
                return self._env(name)
            case "kubernetes":
                namespace, _, secret = name.partition("/")
                return pick_secret_value(self.secret(namespace, secret), key, f"Secret {name}")
            case "manifest" if ref in self.vault:
                return self.vault[ref]
        raise PermanentError("the source of a secret is not known", where=ref)

    def file(self, file: SecretFileRef) -> ParsedSecretFile:
        """A file of a secrets folder, read now."""
        if file.node not in self.folders:
            raise PermanentError(f"the node {file.node} has no secrets folder", remedy="set secretsDir")
        return read_secret_file(self.folders[file.node], file)

    def secret(self, namespace: str, name: str) -> Mapping[str, SecretValue]:
        """The values of a Secret of the cluster."""
        if self.kubernetes is None:
            raise PermanentError(f"no cluster to read Secret {namespace}/{name} from")
        found = self.kubernetes(namespace, name)
        if found is None:
            raise PermanentError(f"Secret {namespace}/{name} does not exist")
        return found

    def _env(self, name: str) -> SecretValue:
        if name not in self.environ:
            raise PermanentError(f"the environment variable {name} is not set")
        return _filled(SecretValue(os.fsencode(self.environ[name])), f"the environment variable {name}")


def pick_secret_value(values: Mapping[str, SecretValue], key: str, where: str) -> SecretValue:
    """The value of a key. Raises PermanentError where there is none, or an empty one: that is a mistake, no secret."""
    if key not in values:
        raise PermanentError(f"{where} has no key {key}")
    return _filled(values[key], f"{key} in {where}")


def _filled(value: SecretValue, where: str) -> SecretValue:
    if not value.reveal():
        raise PermanentError(f"{where} is empty")
    return value
