"""The table of providers: which one answers for a kind. The only place where providers are chosen.

Everything that is not a hwplan kind is a Kubernetes object. A hwplan kind that this table does not know may come from
another distribution through the entry-point group `hwplan.providers` (name = kind, value = factory); it is read only
then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from planner.address import is_own_kind
from planner.errors import PermanentError
from planner.ports import ClusterProvider, Fingerprinter, Provider, SecretSource
from providers.guarding import GuardedProvider
from providers.kubernetes.cluster import Cluster

ENTRY_POINTS = "hwplan.providers"

# kind -> "module:factory"; a factory takes Tools and gives a Provider.
TABLE: Mapping[str, str] = {
    "GitHead": "providers.git.provider:create",
    "GitRef": "providers.git.provider:create",
    "HttpProbe": "providers.probes.provider:create",
    "LocalFile": "providers.files.provider:create",
    "PodExec": "providers.kubernetes.operations.podexec:create",
    "PrometheusQuery": "providers.prometheus.provider:create",
    "RegistryImage": "providers.images.provider:create",
    "RestObject": "providers.rest.provider:create",
    "Restart": "providers.kubernetes.operations.restart:create",
    "Retention": "providers.kubernetes.operations.retention:create",
}


@dataclass(frozen=True, slots=True)
class Tools:
    """What a provider may be built from.

    `cluster` is the provider of Kubernetes objects, `api` the cluster below it; `folder` is where relative paths start
    (the configuration folder); `sandbox` is the folder of the sandbox, None in the real world.
    """

    cluster: ClusterProvider
    api: Cluster
    fingerprinter: Fingerprinter
    secrets: SecretSource
    folder: Path
    sandbox: Path | None = None


Factory: TypeAlias = Callable[[Tools], Provider]


@dataclass(slots=True)
class Providers:
    """The providers of one run, each built once, when the first resource of its kind turns up, and each guarded: what
    they say is free of secrets.

    `recorded` answers for all hwplan kinds where the world is a snapshot: then nobody is asked.
    """

    tools: Tools
    recorded: Provider | None = None
    _built: dict[str, Provider] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def cluster(self) -> Provider:
        """The provider of everything that is a Kubernetes object."""
        return self._once("cluster", lambda: self.tools.cluster)

    def of(self, api_version: str, kind: str) -> Provider:
        """The provider of a kind. Raises PermanentError when nobody provides it."""
        if not is_own_kind(api_version):
            return self.cluster
        if (recorded := self.recorded) is not None:
            return self._once("recorded", lambda: recorded)
        where = TABLE.get(kind) or _foreign(kind)
        return self._once(where, lambda: _factory(where)(self.tools))

    def _once(self, where: str, make: Callable[[], Provider]) -> Provider:
        with self._lock:
            if where not in self._built:
                self._built[where] = GuardedProvider(make())
            return self._built[where]


def _factory(where: str) -> Factory:
    module, _, name = where.partition(":")
    factory: Factory = getattr(import_module(module), name)
    return factory


def _foreign(kind: str) -> str:
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS, name=kind):
        return entry.value
    known = ", ".join(sorted(TABLE)) or "none yet"
    raise PermanentError(
        f"no provider for the hwplan kind {kind}",
        remedy=f"built in: {known}; others come from distributions with the entry point {ENTRY_POINTS}",
    )
