"""What was applied last, as data: one record per resource. Owns no storage (that is state/) and no decision."""

from __future__ import annotations

from collections.abc import Mapping

from planner.address import Address
from planner.dataclass import dataclass
from planner.source_line_ref import SourceRef


@dataclass(frozen=True, slots=True)
class KindInNamespace:
    """A kind in a namespace ("" for cluster-scoped or hwplan kinds) where objects of ours may still stand."""

    node_lane: str
    api_version: str
    kind: str
    namespace: str


@dataclass(frozen=True, slots=True)
class AppliedRecord:
    """One applied resource: identity of the live object, what was wanted, and when and by which run it was applied."""

    address: Address
    api_version: str
    owned_by: str
    scope: str
    uid: str
    applied: str  # digest of the desired document
    run: int
    at: str  # UTC ISO-8601
    source: SourceRef
    expects: str = ""  # the version that the plan meant it to have; of a hwplan kind the token of its system


@dataclass(frozen=True, slots=True)
class AppliedState:
    """All records of some owned sets. `serial` grows with every write; 0 means that nothing was ever applied."""

    serial: int
    records: Mapping[Address, AppliedRecord]

    def places(self) -> frozenset[KindInNamespace]:
        """Every kind and namespace where something of ours was applied."""
        return frozenset(
            KindInNamespace(address.node_lane, record.api_version, address.kind, address.namespace)
            for address, record in self.records.items()
        )
