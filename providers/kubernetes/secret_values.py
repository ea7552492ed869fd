"""Values of live Secrets, read at the moment of use for those who send them elsewhere. Nothing here keeps one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import TypeAlias

from planner.errors import PermanentError
from planner.values import SecretValue
from providers.kubernetes.cluster import Cluster

SecretValues: TypeAlias = Callable[[str, str], "Mapping[str, SecretValue] | None"]  # namespace, name -> values by key


def secret_values(cluster: Cluster) -> SecretValues | None:
    """What reads the Secrets of a cluster; None for a snapshot, which holds fingerprints where values would be.

    It raises ProviderError when the Secret cannot be read, and gives None when there is none.
    """
    if cluster.simulated:
        return None

    def read(namespace: str, name: str) -> Mapping[str, SecretValue] | None:
        kind = cluster.kind("v1", "Secret")
        found = cluster.get(kind, namespace, name) if kind is not None else None
        if found is None:
            return None
        return {key: _value(key, text, f"{namespace}/{name}") for key, text in (found.get("data") or {}).items()}

    return read


def _value(key: str, text: object, where: str) -> SecretValue:
    try:
        return SecretValue(base64.b64decode(str(text), validate=True))
    except (binascii.Error, ValueError):
        raise PermanentError(f"the key {key} of Secret {where} is not base64") from None
