"""The table of providers: which one answers for a kind. The only place where providers are chosen.

Everything that is not a hwplan kind is a Kubernetes object. A hwplan kind that this table does not know may come from
another distribution (planner.plugins), which is asked only then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from planner.address import is_own_kind
from planner.errors import PermanentError
from planner.ports import ClusterProvider, Fingerprinter, Provider, SecretSource
from planner.values import Sealed, Vault
from providers.guarding import GuardedProvider
from providers.kubernetes.cluster import Cluster
from providers.secrets import look_up, value_of

if TYPE_CHECKING:
    from planner.plugins import Installed

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

    def reveal(self, leaf: Sealed, vault: Vault) -> bytes:
        """The value of a sealed leaf, to be handed to the system that it is written to. Call it only for that.

        Raises PreconditionError when it is no longer what the plan saw, PermanentError when it cannot be read.
        """
        return value_of(leaf, look_up(vault, self.secrets), self.fingerprinter)


Factory: TypeAlias = Callable[[Tools], Provider]


@dataclass(slots=True)
class Providers:
    """The providers of one run, each built once, when the first resource of its kind turns up, and each guarded: what
    they say is free of secrets.

    `recorded` answers for all hwplan kinds where the world is a snapshot: then nobody is asked.
    """

    tools: Tools
    recorded: Provider | None = None
    _built: dict[object, Provider] = field(default_factory=dict)
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
        if (where := TABLE.get(kind)) is not None:
            return self._once(where, lambda: _factory(where)(self.tools))
        installed = _installed(kind)
        return self._once(installed.plugin.create, lambda: _foreign(installed, self.tools))

    def _once(self, maker: object, make: Callable[[], Provider]) -> Provider:
        with self._lock:
            if maker not in self._built:
                self._built[maker] = GuardedProvider(make())
            return self._built[maker]


def _factory(where: str) -> Factory:
    module, _, name = where.partition(":")
    factory: Factory = getattr(import_module(module), name)
    return factory


def _installed(kind: str) -> Installed:
    from planner.plugins import GROUP, plugin_of  # reads entry points: only for kinds that are not ours

    found = plugin_of(kind)
    if found is None:
        raise PermanentError(
            f"no provider for the hwplan kind {kind}",
            remedy=f"built in: {', '.join(sorted(TABLE))}; others come from distributions with the entry point {GROUP}",
        )
    return found


def _foreign(installed: Installed, tools: Tools) -> Provider:
    from providers.foreign import provider_of

    return provider_of(installed, tools)
