"""What would happen to each resource: nothing (decided without a request), or a prediction judged by who owns what.

Owns the rounds: what needs no request is settled here, the rest is handed to judging. Writes nothing. Dry runs go out
in parallel, and only for what is not known to be unchanged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import ProviderError
from planner.ports import AbsentObject, Fingerprinter, Observation, PresentObject, Preview, PreviewEffect
from planner.resource import Resource
from providers.cluster_interface import Cluster
from providers.kubernetes.object_location import is_crd, kind_can_be_read_and_written, locate_object
from providers.kubernetes.parallel_map import ParallelMap
from providers.kubernetes.preview.planned_prerequisites import PlannedPrerequisites
from providers.kubernetes.preview.preview_input import (
    PreviewInput,
    make_blocked_preview,
    preview_unless_prediction_needed,
)
from providers.kubernetes.preview.unserved_kind_errors import kind_not_declarable_error, kind_not_served_error
from providers.kubernetes.ssa.merge_types import MergeTypeTable


@dataclass(frozen=True, slots=True)
class Previewer:
    """Previews the resources of one round of a plan. Without `dry_creates` many new objects are asked about by
    sample."""

    cluster: Cluster
    fingerprinter: Fingerprinter
    default_namespace: str
    parallelism: int
    horizon: PlannedPrerequisites
    dry_creates: bool = True

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See planner.ports.Provider.preview. CRDs come first, because the judgement of others depends on theirs."""
        readable = [(r, seen) for r, seen in items if isinstance(seen, (PresentObject, AbsentObject))]
        self.horizon.look(readable)
        out = self._judge([pair for pair in readable if is_crd(pair[0].manifest)])
        self.horizon.settle(out)
        return out | self._judge([pair for pair in readable if not is_crd(pair[0].manifest)])

    def _judge(self, items: Sequence[tuple[Resource, Observation]]) -> dict[Address, Preview]:
        out: dict[Address, Preview] = {}
        cases: list[PreviewInput] = []
        for resource, seen in items:
            found = self._case(resource, seen)
            if isinstance(found, PreviewInput):
                cases.append(found)
            else:
                out[resource.address] = found
        if cases:
            from providers.kubernetes.preview.change_previewer import UNASKED, ChangePreviewer
            from providers.kubernetes.preview.sampled_previews import preview_sample_of_new_objects

            schemas = self.horizon.schemas(self.cluster)
            judge = ChangePreviewer(self.cluster, self.fingerprinter, self.horizon, schemas, self.dry_creates)
            parallel = ParallelMap(1 if self.cluster.simulated else self.parallelism)
            out |= _told_once(preview_sample_of_new_objects(judge, cases, parallel), UNASKED)
        return out

    def _case(self, resource: Resource, seen: Observation) -> PreviewInput | Preview:
        """What can be decided at once, else the case to predict."""
        address = resource.address
        effect = PreviewEffect.UPDATE if isinstance(seen, PresentObject) else PreviewEffect.CREATE
        try:
            kind = self.cluster.kind(resource.api_version, address.kind)
            kind = kind or self.horizon.kinds.get((resource.api_version, address.kind))
            if kind is None:
                crds = self.horizon.crds.values()
                return make_blocked_preview(
                    effect, kind_not_served_error(resource.api_version, address.kind, self.cluster.kinds(), crds)
                )
            if not kind_can_be_read_and_written(kind):
                return make_blocked_preview(effect, kind_not_declarable_error(kind))
        except ProviderError as error:
            return make_blocked_preview(effect, error)
        location = locate_object(kind, address, self.default_namespace)
        known = kind  # of this very case, for the function below

        def types() -> MergeTypeTable:
            return self.horizon.schemas(self.cluster).table(known)

        return preview_unless_prediction_needed(resource, location, seen, types, simulated=self.cluster.simulated)


def _told_once(previews: Mapping[Address, Preview], opening: str) -> dict[Address, Preview]:
    """A warning of these that many objects share is reported of the first, with how many more it is true of."""
    shared = Counter(text for preview in previews.values() for text in preview.warnings if text.startswith(opening))
    if not shared:
        return dict(previews)
    reported: set[str] = set()
    out: dict[Address, Preview] = {}
    for address in sorted(previews):
        retained: list[str] = []
        for text in previews[address].warnings:
            if text not in shared:
                retained.append(text)
            elif text not in reported:
                more = shared[text] - 1
                retained.append(text + (f" (and {more} more)" if more else ""))
                reported.add(text)
        out[address] = replace(previews[address], warnings=tuple(retained))
    return out
