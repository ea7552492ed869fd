"""What a provider may be built from: the parameter of every factory, of hwplan's own kinds and of plug-ins.

Knows no provider: providers are chosen in provider_table.py alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from planner.dataclass import dataclass
from planner.ports import ClusterProvider, Fingerprinter, Provider, SecretValueReader
from planner.values import SealedSecret, Vault
from providers.cluster_interface import Cluster
from providers.secret_value_lookup import create_secret_lookup, secret_bytes_if_unchanged


@dataclass(frozen=True, slots=True)
class ProviderTools:
    """What a provider may be built from.

    `cluster` is the provider of Kubernetes objects, `api` the cluster below it; `folder` is where relative paths start
    (the configuration folder); `sandbox` is the folder of the sandbox, None in the real world.
    """

    cluster: ClusterProvider
    api: Cluster
    fingerprinter: Fingerprinter
    secrets: SecretValueReader
    folder: Path
    sandbox: Path | None = None

    def reveal(self, leaf: SealedSecret, vault: Vault) -> bytes:
        """The value of a sealed leaf, to be handed to the system that it is written to. Call it only for that.

        Raises PreconditionError when it is no longer what the plan saw, PermanentError when it cannot be read.
        """
        return secret_bytes_if_unchanged(leaf, create_secret_lookup(vault, self.secrets), self.fingerprinter)


Factory: TypeAlias = Callable[[ProviderTools], Provider]
