"""Reads the values of live Secrets at the moment of use: for those who send them elsewhere, and as sources of others.

Nothing here keeps one. A simulated cluster holds fingerprints only; there they stand for the values.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import TypeAlias

from planner.errors import PermanentError, ProviderError, TemporaryError
from planner.redaction.redactor import REDACTOR
from planner.values import JsonObject, SecretValue
from providers.cluster_interface import Cluster, ServedKubernetesKind

SecretValues: TypeAlias = Callable[[str, str], "Mapping[str, SecretValue] | None"]  # namespace, name -> values by key

_SECRETS = ServedKubernetesKind("v1", "Secret", "secrets", True)


def reader_of_live_secrets(cluster: Cluster) -> SecretValues:
    """What reads the Secrets of a cluster: None when there is none of that name.

    It raises PermanentError or TemporaryError when the Secret cannot be read, and passes on nothing that a server says
    about it.
    """

    def read(namespace: str, name: str) -> Mapping[str, SecretValue] | None:
        found = _object(cluster, namespace, name)
        if found is None:
            return None
        data = found.get("data") or {}
        if cluster.simulated:
            REDACTOR.publish(data.values())
            return {key: SecretValue(str(text).encode()) for key, text in data.items()}
        return {key: _value(key, text, f"{namespace}/{name}") for key, text in data.items()}

    return read


def _object(cluster: Cluster, namespace: str, name: str) -> JsonObject | None:
    try:
        return cluster.get(_SECRETS, namespace, name)
    except ProviderError as error:
        message = f"Secret {namespace}/{name} cannot be read ({type(error).__name__})"
        raise (TemporaryError if isinstance(error, TemporaryError) else PermanentError)(message) from None


def _value(key: str, text: object, where: str) -> SecretValue:
    try:
        return SecretValue(base64.b64decode(str(text), validate=True))
    except (binascii.Error, ValueError):
        raise PermanentError(f"the key {key} of Secret {where} is not base64") from None
