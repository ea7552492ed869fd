"""Secrets of the plan's own cluster as sources of others: read when planning, and again at the moment of the write."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import field

from planner.app.request import Request
from planner.app.runtime import open_cluster
from planner.dataclass import dataclass
from planner.errors import HwplanError, PermanentError, ProviderError
from planner.values import SecretValue
from providers.kubernetes.live_secret_reader import SecretValues, reader_of_live_secrets


@dataclass(slots=True)
class ClusterSecretReader:
    """Reads live Secrets of the plan's cluster, as a planner.loading.secrets.secret_reader.KubernetesReader.
    Connects at the first read, with the context of the node."""

    request: Request
    context: str
    _values: SecretValues | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, namespace: str, name: str) -> Mapping[str, SecretValue] | None:
        """The values by key, None when there is no such Secret. Raises ProviderError."""
        return self._opened()(namespace, name)

    def _opened(self) -> SecretValues:
        with self._lock:
            if self._values is None:
                try:
                    self._values = reader_of_live_secrets(open_cluster(self.request, self.context))
                except ProviderError:
                    raise
                except HwplanError as error:
                    raise PermanentError(error.message, where=error.where, remedy=error.remedy) from None
            return self._values
