"""From an ArgoRepair to its repairs: a node of the plan for each thing that is stuck, before the node that found it.

A repair comes after all that its ArgoRepair comes after, and what depends on that one comes after the repairs. Decides
nothing: what is stuck, and what is done about it, is the provider's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.address import is_hwplan_kind
from planner.app.runtime import Runtime
from planner.ports import PresentObject
from planner.resource import Resource

_KIND = "ArgoRepair"


def with_argo_repairs(world: Runtime, resources: Sequence[Resource]) -> list[Resource]:
    """The resources with those repairs that are needed now. What cannot be read is said when it is read again."""
    found: list[Resource] = []
    for one in resources:
        repairs = _repairs(world, one) if _finds(one) else []
        needs = (*one.options.depends_on, *(repair.address for repair in repairs))
        found += [*repairs, replace(one, options=replace(one.options, depends_on=needs)) if repairs else one]
    return found


def _finds(resource: Resource) -> bool:
    if not is_hwplan_kind(resource.api_version) or resource.address.kind != _KIND:
        return False
    from providers.kubernetes.operations.argorepair import REPAIRS

    return REPAIRS not in resource.manifest


def _repairs(world: Runtime, declared: Resource) -> list[Resource]:
    """One for each row of what was found. The operation is terminated before anything is deleted."""
    from providers.kubernetes.operations.argorepair import REPAIRS, STUCK, argo_repair_document  # few plans have one

    provider = world.providers.of(declared.api_version, _KIND)
    seen = provider.read([declared], (), ()).observations[declared.address]
    rows = seen.outputs.get(STUCK) if isinstance(seen, PresentObject) else ()
    found: list[Resource] = []
    for row in rows or ():
        manifest = argo_repair_document(declared, row)
        address = declared.address._replace(name=manifest["metadata"]["name"])
        first = tuple(other.address for other in found if other.manifest[REPAIRS]["what"] == "operation")
        options = replace(declared.options, depends_on=(*declared.options.depends_on, *first))
        found.append(replace(declared, address=address, manifest=manifest, options=options))
    return found
