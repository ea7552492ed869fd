"""Secrets of the plan's own cluster as sources of others: read when planning, and again at the moment of the write."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.app.request import Request
from planner.app.world import open_cluster
from planner.errors import HwplanError, PermanentError, ProviderError
from planner.redaction import GUARD
from planner.values import SecretValue
from providers.kubernetes.cluster import Cluster, KindInfo

_SECRETS = KindInfo("v1", "Secret", "secrets", True)


@dataclass(slots=True)
class ClusterSecrets:
    """A planner.loading.secret_reader.KubernetesReader. Connects at the first read, with the kube context of the node.

    A simulated cluster keeps fingerprints only: they stand for the values there.
    """

    request: Request
    context: str
    _cluster: Cluster | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, namespace: str, name: str) -> Mapping[str, SecretValue] | None:
        """The values by key, None when there is no such Secret. Raises ProviderError."""
        cluster = self._opened()
        try:
            found = cluster.get(_SECRETS, namespace, name)
        except ProviderError as error:  # of what the server says of a Secret nothing is passed on
            raise PermanentError(f"Secret {namespace}/{name} cannot be read ({type(error).__name__})") from None
        if found is None:
            return None
        data = found.get("data") or {}
        if cluster.simulated:
            GUARD.publish(data.values())
            return {key: SecretValue(str(text).encode()) for key, text in data.items()}
        return {key: SecretValue(base64.b64decode(text)) for key, text in data.items()}

    def _opened(self) -> Cluster:
        with self._lock:
            if self._cluster is None:
                try:
                    self._cluster = open_cluster(self.request, self.context)
                except ProviderError:
                    raise
                except HwplanError as error:
                    raise PermanentError(error.message, where=error.where, remedy=error.remedy) from None
            return self._cluster
