"""The table of providers: which one answers for a kind. The only place where providers are chosen.

Everything that is not a hwplan kind is a Kubernetes object. A hwplan kind that this table does not know may come from
another distribution (planner.plugins), which is asked only then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import field
from importlib import import_module
from typing import TYPE_CHECKING

from planner.address import is_hwplan_kind
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.ports import Provider
from providers.provider_tools import Factory, ProviderTools
from providers.redacting_provider import RedactingProvider

if TYPE_CHECKING:
    from planner.plugins import InstalledPlugin

# kind -> "module:factory"; a factory takes ProviderTools and gives a Provider.
TABLE: Mapping[str, str] = {
    "ArgoRepair": "providers.kubernetes.operations.argorepair:create_argo_repair_provider",
    "ArgoSync": "providers.argo_sync_provider_with_git:create_argo_sync_provider",
    "GitCommit": "providers.git.provider:create_git_provider",
    "GitHead": "providers.git.provider:create_git_provider",
    "GitRef": "providers.git.provider:create_git_provider",
    **dict.fromkeys(
        ("GitHubComment", "GitHubIssue", "GitHubStatus", "PullRequest"),
        "providers.github_provider_with_git:create_github_provider",
    ),
    "HttpProbe": "providers.probes.provider:create_probe_provider",
    "LocalFile": "providers.files.provider:create_local_file_provider",
    "PipelineRun": "providers.kubernetes.operations.pipelinerun:create_pipeline_run_provider",
    "PodExec": "providers.kubernetes.operations.podexec:create_pod_exec_provider",
    "PrometheusQuery": "providers.prometheus.provider:create_prometheus_provider",
    "RegistryImage": "providers.images.provider:create_image_provider",
    "RestObject": "providers.rest.provider:create_rest_provider",
    "Restart": "providers.kubernetes.operations.restart:create_restart_provider",
    "Retention": "providers.kubernetes.operations.retention:create_retention_provider",
}

# Kinds whose controller a sandbox has to play: built from there instead.
SANDBOX_TABLE: Mapping[str, str] = {"PipelineRun": "providers.simulated_tekton:create_simulated_pipeline_run_provider"}


@dataclass(slots=True)
class ProviderTable:
    """The providers of one run, each built once, when the first resource of its kind turns up, and each guarded: what
    they say is free of secrets.

    `recorded` answers for all hwplan kinds where the world is a snapshot: then nobody is asked.
    """

    tools: ProviderTools
    recorded: Provider | None = None
    _built: dict[object, Provider] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def cluster(self) -> Provider:
        """The provider of everything that is a Kubernetes object."""
        return self._once("cluster", lambda: self.tools.cluster)

    def of(self, api_version: str, kind: str) -> Provider:
        """The provider of a kind. Raises PermanentError when nobody provides it."""
        if not is_hwplan_kind(api_version):
            return self.cluster
        if (recorded := self.recorded) is not None:
            return self._once("recorded", lambda: recorded)
        if (where := self._factory_of(kind)) is not None:
            return self._once(where, lambda: _factory(where)(self.tools))
        installed = _installed(kind)
        return self._once(installed.plugin.create, lambda: _foreign(installed, self.tools))

    def _factory_of(self, kind: str) -> str | None:
        simulated = SANDBOX_TABLE.get(kind) if self.tools.sandbox is not None else None
        return simulated or TABLE.get(kind)

    def _once(self, maker: object, make: Callable[[], Provider]) -> Provider:
        with self._lock:
            if maker not in self._built:
                self._built[maker] = RedactingProvider(self._failing(make()))
            return self._built[maker]

    def _failing(self, provider: Provider) -> Provider:
        """In a sandbox, effects fail that somebody made fail."""
        if self.tools.sandbox is None:
            return provider
        from providers.sandbox.simulated_failures import with_simulated_failures

        return with_simulated_failures(provider, self.tools.sandbox)


def _factory(where: str) -> Factory:
    module, _, name = where.partition(":")
    factory: Factory = getattr(import_module(module), name)
    return factory


def _installed(kind: str) -> InstalledPlugin:
    from planner.plugins import GROUP, plugin_of_kind  # reads entry points: only for kinds that are not ours

    found = plugin_of_kind(kind)
    if found is None:
        raise PermanentError(
            f"no provider for the hwplan kind {kind}",
            remedy=f"built in: {', '.join(sorted(TABLE))}; others come from distributions with the entry point {GROUP}",
        )
    return found


def _foreign(installed: InstalledPlugin, tools: ProviderTools) -> Provider:
    from providers.plugin_provider import create_plugin_provider

    return create_plugin_provider(installed, tools)
