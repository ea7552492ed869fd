"""The type table of one cluster: built-in kinds, and custom ones from CRDs, read only when a kind is really needed.

A CRD that is declared in the same plan counts before the live one. A custom kind whose CRD cannot be read is deduced.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from planner.address import group_of_api_version
from planner.errors import ProviderError
from planner.values import JsonObject
from providers.cluster_interface import Cluster, ServedKubernetesKind
from providers.kubernetes.object_location import CRD, CRD_API
from providers.kubernetes.ssa.merge_types import MergeTypeTable


class ClusterMergeTypes:
    """Types as they are needed. `declared` are the desired CRDs of the plan. Safe for many threads."""

    def __init__(self, cluster: Cluster, declared: Iterable[JsonObject] = ()) -> None:
        self._cluster = cluster
        self._declared = {_key(crd): crd for crd in declared}
        self._asked: set[str] = set()
        self._table = MergeTypeTable.builtin().with_crds(list(self._declared.values()))
        self._lock = Lock()

    def table(self, kind: ServedKubernetesKind | None) -> MergeTypeTable:
        """A table that knows `kind`, if anybody does; None is a kind that is not served yet."""
        with self._lock:
            if kind is not None and not self._table.knows(kind.api_version, kind.kind):
                self._learn(kind)
            return self._table

    def _learn(self, kind: ServedKubernetesKind) -> None:
        name = f"{kind.plural}.{kind.api_version.partition('/')[0]}"
        if name in self._asked:
            return
        self._asked.add(name)
        try:
            crds = self._cluster.kind(CRD_API, CRD)
            crd = self._cluster.get(crds, "", name) if crds else None
        except ProviderError:
            return  # deduced types do: the server's dry run has the last word
        if crd is not None:
            self._table = self._table.with_crds([crd])


def _key(crd: JsonObject) -> str:
    return str(crd["metadata"]["name"])


def group_kind_of_crd(crd: JsonObject) -> tuple[str, str]:
    """The group and kind that a CRD defines."""
    spec = crd.get("spec") or {}
    return group_of_api_version(f"{spec.get('group', '')}/v1"), str((spec.get("names") or {}).get("kind", ""))
