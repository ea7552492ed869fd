"""What would happen to each resource: nothing (decided without a request), or a prediction judged by who owns what.

Owns the rounds: what needs no request is settled here, the rest is handed to judging. Writes nothing. Dry runs go out
in parallel, and only for what is not known to be unchanged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planner.address import Address
from planner.errors import ProviderError
from planner.ports import Absent, Effect, Fingerprinter, Observation, Present, Preview
from planner.resource import Resource
from providers.kubernetes.cases import Case, blocked, settle
from providers.kubernetes.cluster import Cluster
from providers.kubernetes.errors import NotServed
from providers.kubernetes.horizon import Horizon
from providers.kubernetes.parallel import Parallel
from providers.kubernetes.placing import is_crd, spot_of


@dataclass(frozen=True, slots=True)
class Previewer:
    """The judgement of one round of a plan. Without `dry_creates` new objects are checked by schema only."""

    cluster: Cluster
    fingerprinter: Fingerprinter
    default_namespace: str
    parallelism: int
    horizon: Horizon
    dry_creates: bool = True

    def preview(self, items: Sequence[tuple[Resource, Observation]]) -> Mapping[Address, Preview]:
        """See planner.ports.Provider.preview. CRDs come first, because the judgement of others depends on theirs."""
        readable = [(r, seen) for r, seen in items if isinstance(seen, (Present, Absent))]
        self.horizon.look(readable)
        out = self._judge([pair for pair in readable if is_crd(pair[0].manifest)])
        self.horizon.settle(out)
        return out | self._judge([pair for pair in readable if not is_crd(pair[0].manifest)])

    def _judge(self, items: Sequence[tuple[Resource, Observation]]) -> dict[Address, Preview]:
        out: dict[Address, Preview] = {}
        cases: list[Case] = []
        for resource, seen in items:
            found = self._case(resource, seen)
            if isinstance(found, Case):
                cases.append(found)
            else:
                out[resource.address] = found
        if cases:
            from providers.kubernetes.judging import UNASKED, Judge

            schemas = self.horizon.schemas(self.cluster)
            judge = Judge(self.cluster, self.fingerprinter, self.horizon, schemas, self.dry_creates)
            previews = Parallel(1 if self.cluster.simulated else self.parallelism).map(judge.predicted, cases)
            judged = {case.resource.address: preview for case, preview in zip(cases, previews, strict=True)}
            out |= _told_once(judged, UNASKED)
        return out

    def _case(self, resource: Resource, seen: Observation) -> Case | Preview:
        """What can be decided at once, else the case to predict."""
        address = resource.address
        effect = Effect.UPDATE if isinstance(seen, Present) else Effect.CREATE
        try:
            kind = self.cluster.kind(resource.api_version, address.kind)
        except ProviderError as error:
            return blocked(effect, error)
        kind = kind or self.horizon.kinds.get((resource.api_version, address.kind))
        if kind is None:
            return blocked(effect, NotServed("the cluster does not serve this kind", remedy="declare its CRD"))
        spot = spot_of(kind, address, self.default_namespace)
        return settle(resource, spot, seen, simulated=self.cluster.simulated)


def _told_once(previews: Mapping[Address, Preview], opening: str) -> dict[Address, Preview]:
    """A warning of these that many objects share is told of the first, with how many more it is true of."""
    shared = Counter(text for preview in previews.values() for text in preview.warnings if text.startswith(opening))
    told: set[str] = set()
    out: dict[Address, Preview] = {}
    for address in sorted(previews):
        kept: list[str] = []
        for text in previews[address].warnings:
            if text not in shared:
                kept.append(text)
            elif text not in told:
                more = shared[text] - 1
                kept.append(text + (f" (and {more} more)" if more else ""))
                told.add(text)
        out[address] = replace(previews[address], warnings=tuple(kept))
    return out
