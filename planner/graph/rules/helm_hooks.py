"""Helm hooks of an installation stand before or after all other objects of their set, in the order of their weights.

An object that a hook needs by any other rule (its ServiceAccount, its namespace) stands before it all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from planner.address import Address
from planner.graph.edge import Edge
from planner.graph.resource_index import ResourceIndex
from planner.resource import HelmHookPhase, Resource

RULE = "helm hook"
_FIELD = "metadata.annotations[helm.sh/hook]"
_WEIGHT = "helm.sh/hook-weight"


def helm_hook_edges(index: ResourceIndex, edges: Sequence[Edge]) -> list[Edge]:
    """The edges that hooks add to those that other rules drew. None where there are no hooks."""
    hooks = [one for one in index.resources.values() if one.options.hook is not None]
    if not hooks:
        return []
    before, after = _neighbours(edges)
    added: list[Edge] = []
    for hook in hooks:
        others = [one for one in index.resources.values() if one.options.hook is None and _same_set(one, hook)]
        if hook.options.hook is HelmHookPhase.BEFORE:
            needed = _reached(hook.address, before)
            added += [_edge(hook, one) for one in others if one.address not in needed and not _is_crd(one)]
        else:
            users = _reached(hook.address, after)
            added += [_edge(one, hook) for one in others if one.address not in users]
    return added + list(_by_weight(hooks, after))


def _by_weight(hooks: Sequence[Resource], after: Mapping[Address, Sequence[Address]]) -> Iterator[Edge]:
    """Hooks of one set and phase, one weight after the other."""
    groups: dict[tuple[str, HelmHookPhase | None], dict[int, list[Resource]]] = defaultdict(lambda: defaultdict(list))
    for hook in hooks:
        groups[hook.owned_by, hook.options.hook][_weight(hook)].append(hook)
    for group in groups.values():
        for first, second in pairwise(sorted(group)):
            for late in group[second]:
                users = _reached(late.address, after)
                yield from (_edge(early, late) for early in group[first] if early.address not in users)


def _edge(before: Resource, after: Resource) -> Edge:
    return Edge(before.address, after.address, RULE, _FIELD)


def _same_set(one: Resource, other: Resource) -> bool:
    return one.owned_by == other.owned_by and one.address.node_lane == other.address.node_lane


def _is_crd(resource: Resource) -> bool:
    return (resource.address.kind, resource.address.group) == ("CustomResourceDefinition", "apiextensions.k8s.io")


def _weight(hook: Resource) -> int:
    text = (hook.manifest["metadata"].get("annotations") or {}).get(_WEIGHT)
    try:
        return int(text) if isinstance(text, str) else 0
    except ValueError:
        return 0


def _neighbours(edges: Iterable[Edge]) -> tuple[dict[Address, list[Address]], dict[Address, list[Address]]]:
    before: dict[Address, list[Address]] = defaultdict(list)
    after: dict[Address, list[Address]] = defaultdict(list)
    for edge in edges:
        before[edge.after].append(edge.before)
        after[edge.before].append(edge.after)
    return before, after


def _reached(start: Address, neighbours: Mapping[Address, Sequence[Address]]) -> set[Address]:
    """Everything that can be reached from an address."""
    found: set[Address] = set()
    pending = [start]
    while pending:
        for one in neighbours.get(pending.pop(), ()):
            if one not in found:
                found.add(one)
                pending.append(one)
    return found
