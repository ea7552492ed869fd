"""Objects that a plan does not touch, and that may read or name what it does: live ones, and those delivered as text.

Manifests in a ConfigMap are delivered: a run puts them into the branch that Argo CD follows. What they read or name is
as good as live, though nothing here applies it. Values only; planner.app reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from planner.address import Address
from planner.dataclass import dataclass
from planner.resource import Resource


@dataclass(frozen=True, slots=True)
class UntouchedObjects:
    """`live` are objects of the cluster that are not declared here. `delivered` and `delivered_before` are the
    manifests in ConfigMaps as they will be and as they are, by ConfigMap. `unlisted` names what could not be looked at;
    `looked_at` is false where nobody looked, because the plan takes nothing away and changes no configuration."""

    live: tuple[Resource, ...] = ()
    delivered: Mapping[Address, tuple[Resource, ...]] = field(default_factory=dict)
    delivered_before: Mapping[Address, tuple[Resource, ...]] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()
    looked_at: bool = False

    def all_delivered(self) -> Iterator[tuple[Address, Resource]]:
        """Each delivered manifest as it will be, with the ConfigMap that holds it."""
        return ((holder, one) for holder, found in self.delivered.items() for one in found)

    def before(self, address: Address) -> Resource | None:
        """The delivered manifest of that object as it is now."""
        found = (one for several in self.delivered_before.values() for one in several)
        return next((one for one in found if one.address.local == address.local), None)


NO_OTHERS = UntouchedObjects()
