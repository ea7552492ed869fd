"""What leaves: objects that a plan deletes, those that stay on purpose, and those that others still use. Pure.

A destroy takes what is selected and what depends on it; never what something else still uses, which is declared beside
the selection or belongs to somebody else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from planner.address import Address, is_hwplan_kind
from planner.dataclass import dataclass
from planner.graph import ResourceGraph, graph_of_live_and_declared
from planner.graph.resource_graph import matching_addresses
from planner.plan import Action, BlockedResource
from planner.planning.deletes import resource_of_live_object
from planner.planning.plan_inputs import PlanInputs
from planner.ports import AbsentObject, PresentObject

CONTAINERS = frozenset({("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")})


@dataclass(frozen=True, slots=True)
class LeavingObjectsDecision:
    """What is decided of the objects that leave: `going` are deleted, `retained` stay and are ours no longer, `used`
    cannot go because something that stays needs them."""

    going: tuple[PresentObject, ...]
    retained: tuple[PresentObject, ...] = ()
    used: tuple[BlockedResource, ...] = ()


def decide_leaving_objects(inputs: PlanInputs) -> LeavingObjectsDecision:
    """Decide which objects a plan deletes, gives up or has to keep: strays where pruning is allowed, and everything
    that is ours in a destroy."""
    candidates = sorted(_candidates(inputs), key=lambda one: one.address)
    users = _users(inputs, {one.address for one in candidates}) if inputs.destroy else {}
    free = [one for one in candidates if one.address not in users]
    staying = _staying(free, inputs)
    retained = tuple(one for one in free if one.address in staying)
    going = tuple(one for one in free if one.address not in staying)
    held = [one for one in candidates if one.address in users and not _is_marked(one)]
    used = tuple(_used(one, users[one.address], inputs) for one in held)
    return LeavingObjectsDecision(going, retained, used)


def select_teardown_addresses(
    graph: ResourceGraph, within: Collection[Address], targets: Sequence[str], exclude: Sequence[str]
) -> frozenset[Address]:
    """The addresses of `within` that a destroy is about: all, or the targets with everything that depends on them; less
    what is excluded. Raises SelectionError for targets that select nothing, naming the closest address of each."""
    chosen = frozenset(within)
    if targets:
        chosen &= graph.downstream(matching_addresses(targets, sorted(within)))
    return frozenset(address for address in chosen if not any(address.matches(pattern) for pattern in exclude))


def _candidates(inputs: PlanInputs) -> list[PresentObject]:
    found = list(inputs.strays) if inputs.prune or inputs.destroy else []
    if inputs.destroy:
        owned = {resource.address: resource.owned_by for resource in inputs.resources.values()}
        seen = (observed for observed in inputs.observations.values() if isinstance(observed, PresentObject))
        found += [observed for observed in seen if observed.owned_by == owned.get(observed.address)]
    return found


def _is_marked(present: PresentObject) -> bool:
    """Whether it stays on purpose."""
    return present.protected or bool(present.orphan_on_delete)


def _staying(candidates: Sequence[PresentObject], inputs: PlanInputs) -> frozenset[Address]:
    """What stays on purpose, and what that needs to go on working. A container of it is no part of this: that it cannot
    go is for the plan to say."""
    marked = [one.address for one in candidates if _is_marked(one)]
    if not marked:
        return frozenset()
    graph = inputs.live or graph_of_live_and_declared(
        [resource_of_live_object(one) for one in candidates], inputs.graph
    )
    needed = (one for one in graph.upstream(marked) if (one.group, one.kind) not in CONTAINERS)
    return frozenset(marked).union(needed)


def _users(inputs: PlanInputs, candidates: Collection[Address]) -> Mapping[Address, Address]:
    """For each candidate that something else needs, directly or not, the first such user.

    Effects outside the cluster (hwplan kinds) are left alone by every destroy, and hold nothing. What cannot be read
    may be there.
    """
    own = {address for address, one in inputs.resources.items() if is_hwplan_kind(one.api_version)}
    others = {**inputs.observations, **inputs.bystanders}
    staying = {
        address
        for address, seen in others.items()
        if address not in candidates and address not in own and not isinstance(seen, AbsentObject)
    }
    found: dict[Address, Address] = {}
    graph = inputs.live or inputs.graph
    for address in reversed(graph.order()):
        direct = [user if user in staying else found.get(user) for user in graph.needed_by(address)]
        if users := [user for user in direct if user is not None]:
            found[address] = min(users)
    return {address: user for address, user in found.items() if address in candidates}


def _used(present: PresentObject, user: Address, inputs: PlanInputs) -> BlockedResource:
    scope = inputs.scopes_beside.get(user, "")
    also = f" (--scope {scope})" if scope and scope not in inputs.selection.scopes else ""
    return BlockedResource(
        present.address,
        Action.DELETE,
        f"{user} still uses it",
        remedy=f"take that away as well{also}, or leave this out: --exclude {present.address.local}",
    )
