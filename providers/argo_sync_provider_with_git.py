"""The provider of ArgoSync for one command, joined with git: a later revision that contains the wanted one counts (R3).

Joins systems that do not know each other, so it stands above them.
"""

from __future__ import annotations

from functools import cache

from planner.values import JsonObject
from providers.git.commit_ancestry import CommitAncestry
from providers.kubernetes.operations.argosync import ArgoSyncProvider
from providers.kubernetes.snapshot.snapshot_cluster import SnapshotCluster
from providers.provider_tools import ProviderTools
from providers.simulated_argo import SimulatedArgo


def create_argo_sync_provider(tools: ProviderTools) -> ArgoSyncProvider:
    """The provider of ArgoSync for one command: it starts syncs and waits for them. Git is opened when first asked."""

    @cache
    def histories() -> CommitAncestry:
        return CommitAncestry(tools.folder, tools.sandbox)

    def contains(history: JsonObject, ancestor: str, descendant: str) -> bool:
        ref = f"refs/heads/{history['branch']}"
        return histories().contains(history, ancestor, descendant, ref) is True

    return ArgoSyncProvider(tools.api, contains, _simulated(tools))


def _simulated(tools: ProviderTools) -> SimulatedArgo | None:
    """The Argo CD of a sandbox; None where there is a real one, or none."""
    if tools.sandbox is None or not isinstance(tools.api, SnapshotCluster):
        return None
    return SimulatedArgo(tools.sandbox, tools.folder, tools.api)
