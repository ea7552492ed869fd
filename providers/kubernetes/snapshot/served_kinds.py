"""The kinds that a snapshot serves, and their types: the built-in ones, and those of the CRDs inside it.

A CRD is read again only when it changed, so that applying many of them costs each one once. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.dataclass import dataclass
from planner.values import JsonObject
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.custom_kinds import custom_kinds
from providers.kubernetes.snapshot.builtin_kinds import builtin_kind_infos
from providers.kubernetes.ssa.crd_types import ServedCrdVersion, served_crd_versions
from providers.kubernetes.ssa.merge_types import MergeTypeTable


@dataclass(frozen=True, slots=True)
class _Definition:
    """What one CRD defines."""

    crd: JsonObject
    kinds: tuple[ServedKubernetesKind, ...]
    versions: Mapping[str, ServedCrdVersion]


@dataclass(frozen=True, slots=True)
class ServedKinds:
    """What is served while these CRDs stand. `types` knows every kind; `kinds` has the preferred versions first."""

    crds: tuple[JsonObject, ...]
    kinds: tuple[ServedKubernetesKind, ...]
    by_name: Mapping[tuple[str, str], ServedKubernetesKind]
    types: MergeTypeTable
    _definitions: Mapping[str, _Definition]

    def kind(self, api_version: str, kind: str) -> ServedKubernetesKind | None:
        """The served kind, or None."""
        return self.by_name.get((api_version, kind))


def served_kinds_of_crds(crds: tuple[JsonObject, ...], before: ServedKinds | None = None) -> ServedKinds:
    """What these CRDs make a snapshot serve. `before` is what was served last, for the CRDs that are still the same."""
    if before is not None and before.crds is crds:
        return before
    known: Mapping[str, _Definition] = before._definitions if before else {}
    definitions = {str(crd["metadata"]["name"]): _defined(crd, known) for crd in crds}
    custom = [kind for definition in definitions.values() for kind in definition.kinds]
    kinds = (*builtin_kind_infos(), *sorted(custom, key=lambda kind: kind.kind))
    by_name = {(kind.api_version, kind.kind): kind for kind in reversed(kinds)}
    versions = {name: version for one in definitions.values() for name, version in one.versions.items()}
    return ServedKinds(crds, kinds, by_name, MergeTypeTable.builtin().with_versions(versions), definitions)


def _defined(crd: JsonObject, known: Mapping[str, _Definition]) -> _Definition:
    old = known.get(str(crd["metadata"]["name"]))
    if old is not None and old.crd is crd:
        return old
    return _Definition(crd, custom_kinds((crd,)), served_crd_versions(crd))
