"""Status as data: each selected resource as it was read, and as it is wanted. Owns no reading and no rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from planner.address import Address
from planner.dataclass import dataclass
from planner.plan import ClusterIdentity, Selection
from planner.values import JsonObject


@dataclass(frozen=True, slots=True)
class ResourceStatusRow:
    """One resource.

    `live` is the version token of what is there ("" for nothing), `wanted` the one that has to be ("" when it is only
    known later). `settled` means that nothing is to be done; `problem` says why it cannot be determined or done ("" if
    it can). `readable` is false where it is not known what is there, which is not the same as nothing."""

    address: Address
    spec: JsonObject = field(repr=False)
    live: str
    wanted: str
    settled: bool
    problem: str
    outputs: JsonObject = field(default_factory=dict, repr=False)
    readable: bool = True
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ResourceStatusTable:
    """All rows in the order of the graph, the cluster they belong to, what was selected and the digest of its
    configuration."""

    cluster: ClusterIdentity
    rows: tuple[ResourceStatusRow, ...]
    selection: Selection | None = None
    config: str = ""


@dataclass(frozen=True, slots=True)
class SecretKeyStatus:
    """One key of a Secret: where its value comes from, and the keyed fingerprints of source and live value ("" where
    there is none). `problem` says why it cannot be determined."""

    address: Address
    key: str
    source: str
    wanted: str
    live: str
    problem: str = ""

    @property
    def in_sync(self) -> bool:
        """Whether the live value is the source's. A value that is made once is as it should be when it is there."""
        return bool(self.live) and self.live == (self.wanted or self.live) and not self.problem


@dataclass(frozen=True, slots=True)
class SecretStatusTable:
    """All keys of the declared Secrets, in the order of the graph, and the obsolete Secrets that still live: ours, and
    `foreign` ones that hwplan did not make. `unreadable` gives obsolete ones that may live, and why nobody knows."""

    cluster: ClusterIdentity
    keys: tuple[SecretKeyStatus, ...]
    obsolete: tuple[Address, ...]
    foreign: tuple[Address, ...] = ()
    unreadable: Mapping[Address, str] = field(default_factory=dict)
