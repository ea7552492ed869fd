"""What goes live only with the next delivery, who starts that, and what is missing until then. Pure.

Manifests in a ConfigMap are delivered by a run of the lane's pipeline, not by the plan that changes them. Between the
deletes of the plan and that run the old workload lives on, without what the plan took away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from planner.address import Address
from planner.graph import references_to_deleted
from planner.graph.resource_index import map_or_empty, pod_spec
from planner.plan import SideEffect, SideEffectKind
from planner.resource import Resource
from planner.side_effects.untouched_objects import UntouchedObjects

_MOST = 4  # objects that are named
_HARMLESS = ("binding", "role", "service")  # rules of edges: a pod starts without these


def effects_of_changed_delivered_manifests(
    gone: Sequence[Resource], resources: Mapping[Address, Resource], others: UntouchedObjects, place: str = ""
) -> Iterator[SideEffect]:
    """Side effects that come only with the next delivery: one for each ConfigMap whose delivered manifests change.
    `place` is `node/lane` of a plan of one lane, whose addresses have none."""
    for holder in sorted({*others.delivered, *others.delivered_before}):
        before = {one.address.local: one for one in others.delivered_before.get(holder, ())}
        after = {one.address.local: one for one in others.delivered.get(holder, ())}
        changed = [name for name in after if name not in before or after[name].manifest != before[name].manifest]
        dropped = [name for name in before if name not in after]
        if not before or not (changed or dropped):
            continue
        parts = [_waiting(changed, dropped), f"{_starter(holder.node_lane or place)}; {_syncs(resources)}"]
        parts += list(_missing(list(before.values()), gone))
        yield SideEffect(holder, SideEffectKind.DELIVERY, ". ".join(parts))


def _waiting(changed: Sequence[str], dropped: Sequence[str]) -> str:
    words = [f"{verb} {_names(names)}" for verb, names in (("changes", changed), ("deletes", dropped)) if names]
    return f"{' and '.join(words)}; this plan does not start it"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def _starter(place: str) -> str:
    """Who starts the delivery: for a lane the verbs of hwplan, else whoever runs what reads the ConfigMap."""
    node, _, lane = place.partition("/")
    if not lane:
        return "Whoever runs what reads this ConfigMap does"
    return (
        f"hwplan trigger --node {node} --lane {lane} --confirm does, or a merge that hwplan prs --lane {lane} rolls"
        " out; either needs a commit that was not run yet"
    )


def _syncs(resources: Mapping[Address, Resource]) -> str:
    """How Argo CD takes it up, by the Applications of this configuration."""
    found = [one for address, one in resources.items() if (address.kind, address.group) == _APPLICATION]
    if not found:
        return "no Application in this plan says who applies what it delivers"
    words = []
    for one in found:
        policy = map_or_empty(map_or_empty(one.manifest.get("spec")).get("syncPolicy"))
        automated = isinstance(policy.get("automated"), dict)
        how = (
            "syncs it by itself (autosync)"
            if automated
            else "syncs it when it is asked to: by that run, or hwplan sync"
        )
        words.append(f"Application {one.address.name} {how}")
    return ", ".join(words)


_APPLICATION = ("Application", "argoproj.io")


def _missing(before: Sequence[Resource], gone: Sequence[Resource]) -> Iterator[str]:
    """What of the delivered workloads, as they still run, the plan deletes under them."""
    going = {one.address for one in gone}
    workloads = [one for one in before if pod_spec(one.manifest) is not None and one.address not in going]
    named: dict[Address, dict[Address, str]] = {}
    for edge in references_to_deleted(going, [*workloads, *gone]):
        named.setdefault(edge.after, {}).setdefault(edge.before, edge.rule)
    for workload in workloads:
        lost = dict(sorted(named.get(workload.address, {}).items()))
        services = [one.address for one in gone if _is_service_of(one, workload)]
        if not (lost or services):
            continue
        names = [f"{one.kind} {one.name}" for one in dict.fromkeys([*lost, *services])]
        stops = [rule for rule in lost.values() if rule not in _HARMLESS]
        words = ": a pod of it that starts in between does not get ready" if stops else ""
        words += "; nobody reaches it by name" if services else ""
        yield f"Until then {workload.address.kind} {workload.address.name} runs without {_names(names)}{words}"


def _is_service_of(one: Resource, workload: Resource) -> bool:
    if (one.address.kind, one.address.group, one.address.namespace) != ("Service", "", workload.address.namespace):
        return False
    selector = map_or_empty(map_or_empty(one.manifest.get("spec")).get("selector"))
    template = map_or_empty(map_or_empty(workload.manifest.get("spec")).get("template"))
    labels = map_or_empty(map_or_empty(template.get("metadata")).get("labels"))
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())
