"""Deletions grouped by what they retire: whether anything still names it, and what becomes of its workload. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from planner.address import Address
from planner.field_path import render_path
from planner.graph.resource_index import map_or_empty, pod_spec, text_or_empty
from planner.plan import SideEffect, SideEffectKind
from planner.resource import Resource
from planner.side_effects.text_leaves import text_leaves
from planner.side_effects.untouched_objects import UntouchedObjects

_NAME = "app.kubernetes.io/name"
_MOST = 8  # objects, and mentions, that are named
_SHORTEST = 5  # characters of a name that is looked for in texts: a shorter one stands in many words
_SKIPPED = ("metadata", "status")


def effects_of_retirements(
    gone: Sequence[Resource],
    resources: Mapping[Address, Resource],
    referenced: Collection[Address],
    others: UntouchedObjects,
) -> Iterator[SideEffect]:
    """One effect for each thing that goes, however many objects it had. `referenced` are those of `gone` that a field
    of something that stays still names: they are reported by themselves."""
    staying = [one for address, one in resources.items() if address not in {one.address for one in gone}]
    for name, objects in _groups(gone).items():
        parts = [_objects(objects)]
        parts += list(_references(name, objects, staying, referenced, others))
        parts += list(_workloads(name, objects, resources, others))
        yield SideEffect(objects[0].address, SideEffectKind.RETIRE, f"{name}: {'; '.join(parts)}")


def _groups(gone: Sequence[Resource]) -> dict[str, list[Resource]]:
    """The objects by the name of what they belong to: their label, else the name of a group that theirs contains."""
    named = {one.address: _label(one) for one in gone}
    known = sorted({name for name in named.values() if name}, key=len, reverse=True)
    found: dict[str, list[Resource]] = {}
    for one in gone:
        own = one.address.name
        name = named[one.address] or next((group for group in known if f"-{group}-" in f"-{own}-"), own)
        found.setdefault(name, []).append(one)
    return dict(sorted(found.items()))


def _label(one: Resource) -> str:
    return text_or_empty(map_or_empty(map_or_empty(one.manifest.get("metadata")).get("labels")).get(_NAME))


def _objects(objects: Sequence[Resource]) -> str:
    named = [f"{one.address.kind} {one.address.name}" for one in objects]
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return f"{len(named)} object{'s' * (len(named) != 1)} deleted ({', '.join(named[:_MOST])}{more})"


def _references(
    name: str,
    objects: Sequence[Resource],
    staying: Sequence[Resource],
    referenced: Collection[Address],
    others: UntouchedObjects,
) -> Iterator[str]:
    delivered = [one for _, one in others.all_delivered()]
    found = _mentions({name, *(one.address.name for one in objects)}, [*staying, *others.live, *delivered])
    if found:
        more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
        yield f"its name still stands in {', '.join(found[:_MOST])}{more}"
    if any(one.address in referenced for one in objects):
        return  # "still referenced" says by what
    looked = (
        [f"{len(staying)} declared", f"{len(others.live)} live"] if others.looked_at else [f"{len(staying)} declared"]
    )
    looked += [f"{len(delivered)} delivered"] if delivered else []
    words = "no field names it" if found else "no object references it any more"
    seen = " and ".join([", ".join(looked[:-1]), looked[-1]] if looked[1:] else looked)
    yield f"{words} (looked at {seen} objects; calls by the code of a service are not seen)"
    if others.unlisted:
        yield f"not looked at: {', '.join(others.unlisted[:_MOST])}"


def _workloads(
    name: str, objects: Sequence[Resource], resources: Mapping[Address, Resource], others: UntouchedObjects
) -> Iterator[str]:
    """What becomes of the pods: of a workload that goes as well the effect "downtime" tells."""
    if any(pod_spec(one.manifest) for one in objects):
        return
    after = {one.address.local for _, one in others.all_delivered()}
    for holder, several in others.delivered_before.items():
        for one in several:
            if one.address.local not in after and pod_spec(one.manifest) and name in (_label(one), one.address.name):
                yield (
                    f"{holder.kind} {holder.name} no longer delivers its {one.address.kind} {one.address.name}, which "
                    f"stays until the next delivery; {_pruned(resources)}"
                )
    delivered = {one.address.local for several in others.delivered_before.values() for one in several}
    for one in others.live:
        if one.address.local not in delivered and pod_spec(one.manifest) and name in (_label(one), one.address.name):
            yield f"its {one.address.kind} {one.address.name} lives, is not declared here, and stays"


def _pruned(resources: Mapping[Address, Resource]) -> str:
    """Whether an Argo CD Application of this configuration deletes what left its branch."""
    for address, one in resources.items():
        if (address.kind, address.group) == ("Application", "argoproj.io"):
            automated = map_or_empty(
                map_or_empty(map_or_empty(one.manifest.get("spec")).get("syncPolicy")).get("automated")
            )
            if automated.get("prune") is True:
                return f"Application {address.name} then deletes it (prune)"
            return f"Application {address.name} does not prune by itself: a sync that prunes deletes it"
    return "whoever delivers it has to delete it"


def _mentions(names: Collection[str], resources: Sequence[Resource]) -> list[str]:
    """Where one of the names stands as a whole word in a text, such as the host of an address: what no rule of the
    graph knows. Each object once, as `Kind/namespace/name (field)`."""
    looked = sorted((name for name in names if len(name) >= _SHORTEST), key=len, reverse=True)
    if not looked:
        return []
    words = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, looked))})(?![\w-])")
    found: dict[str, str] = {}
    for one in resources:
        for path, text in text_leaves(one.manifest):
            if path[0] not in _SKIPPED and words.search(text):
                found.setdefault(one.address.local, render_path(path))
                break
    return [f"{name} ({field})" for name, field in found.items()]
