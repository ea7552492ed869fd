"""Secrets that are declared as obsolete: those of ours leave like all that is undeclared, others when they are named.

Owns which live objects these are. Decides nothing about their order, and deletes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field, replace

from planner.address import Address
from planner.dataclass import dataclass
from planner.errors import SelectionError
from planner.graph.resource_graph import closest_name
from planner.ports import PresentObject, ReadResult, UnreadableObject
from planner.resource import PROTECT, Resource


@dataclass(frozen=True, slots=True)
class SecretsDeclaredObsolete:
    """What was read of the Secrets that are declared as obsolete. `foreign` were not made by this owned set;
    `declared` says where each is declared."""

    foreign: tuple[PresentObject, ...] = ()
    unreadable: tuple[UnreadableObject, ...] = ()
    declared: Mapping[Address, Resource] = field(default_factory=dict)

    def named(self, name: str, ours: Collection[Address], resources: Mapping[Address, Resource]) -> Address:
        """The one Secret that `name` (`NAME` or `NAMESPACE/NAME`) means, of ours or not; it may be gone already.

        Raises SelectionError for one that is still declared, unknown, ambiguous, or that may not be deleted.
        """
        known = {*ours, *self.declared}
        found = sorted(address for address in known if name in (address.name, f"{address.namespace}/{address.name}"))
        if len(found) > 1:
            names = ", ".join(f"{address.namespace}/{address.name}" for address in found)
            raise SelectionError(f"--name {name} means several Secrets", where="--name", remedy=f"name one of {names}")
        if not found:
            raise _unknown(name, known, resources)
        for one in self.foreign:
            if one.address == found[0]:
                _refuse(one)
        for lost in self.unreadable:
            if lost.address == found[0]:
                raise SelectionError(f"{lost.address} cannot be read: {lost.reason}", where="--name")
        return found[0]

    def warnings(self, leaving: Collection[PresentObject]) -> tuple[str, ...]:
        """What a plan has to say of those that it leaves alone: all but the `leaving`."""
        foreign = (
            f"{one.address} is obsolete, and not made by hwplan: `hwplan secret delete --name"
            f" {one.address.namespace}/{one.address.name}` deletes it"
            for one in self.foreign
            if one not in leaving
        )
        unreadable = (f"{one.address} is obsolete, and cannot be read ({one.reason})" for one in self.unreadable)
        return (*foreign, *unreadable)

    def reason(self, address: Address) -> str:
        """Why one that hwplan did not make is deleted, for the reader."""
        return f"obsolete by {self.declared[address].source}; not made by hwplan, adopted by this deletion"


def split_off_secrets_declared_obsolete(
    declared: Collection[Resource], seen: ReadResult, owned: Collection[str]
) -> tuple[ReadResult, SecretsDeclaredObsolete]:
    """Take the Secrets that are declared as obsolete out of the observations: ours join what nobody declares."""
    by_address = {one.address: one for one in declared}
    found = [seen.observations[address] for address in by_address if address in seen.observations]
    present = [replace(one, scope=by_address[one.address].scope) for one in found if isinstance(one, PresentObject)]
    ours = tuple(one for one in present if one.owned_by in owned)
    rest = {address: one for address, one in seen.observations.items() if address not in by_address}
    left = replace(seen, observations=rest, strays=tuple(sorted((*seen.strays, *ours), key=lambda one: one.address)))
    foreign = tuple(one for one in present if one.owned_by not in owned)
    unreadable = tuple(one for one in found if isinstance(one, UnreadableObject))
    return left, SecretsDeclaredObsolete(foreign, unreadable, by_address)


def _unknown(name: str, known: Collection[Address], resources: Mapping[Address, Resource]) -> SelectionError:
    for address, one in resources.items():
        if address.kind == "Secret" and name in (address.name, f"{address.namespace}/{address.name}"):
            return SelectionError(
                f"{address} is declared at {one.source}, and is not obsolete",
                where="--name",
                remedy="set obsolete: true in its rule first",
            )
    near = closest_name(f"Secret/{name}", known)
    remedy = near if near.startswith("did you") else "`hwplan secret status` lists those that are obsolete"
    return SelectionError(f"--name {name}: no obsolete Secret has this name", where="--name", remedy=remedy)


def _refuse(one: PresentObject) -> None:
    if one.owned_by:
        text = f"{one.address} belongs to the owned set {one.owned_by}"
        raise SelectionError(text, where="--name", remedy="delete it where it is made")
    if one.protected:
        remedy = f"remove the annotation {PROTECT} from it first"
        raise SelectionError(f"{one.address} is protected", where="--name", remedy=remedy)
