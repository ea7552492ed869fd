"""Reading and previewing through all providers at once: every system is asked in parallel, each in bulk."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace
from typing import TypeAlias

from planner.address import Address, is_hwplan_kind
from planner.applied_state import KindInNamespace
from planner.dataclass import dataclass
from planner.errors import PermanentError
from planner.field_path import FieldPath
from planner.graph import ResourceGraph
from planner.ports import (
    AbsentObject,
    Observation,
    Outputs,
    PresentObject,
    Preview,
    PreviewEffect,
    Provider,
    ReadResult,
    UnreadableObject,
)
from planner.redaction.redactor import REDACTOR
from planner.resource import Resource
from planner.spec.kinds import MAKERS
from planner.values import (
    Json,
    JsonValue,
    OutputRef,
    OutputTemplate,
    outputs_in_document,
    substitute_outputs,
    value_leaves,
)
from providers.provider_table import ProviderTable


def read_with_all_providers(
    providers: ProviderTable, resources: Sequence[Resource], owned: Collection[str], also: Collection[KindInNamespace]
) -> tuple[ReadResult, dict[Address, str]]:
    """Read the live objects of all resources through their providers. Also gives the resources that no provider
    answers for, with the reason."""
    groups, unsupported = _by_provider(providers, resources)
    cluster = providers.cluster
    if owned:
        groups.setdefault(id(cluster), (cluster, []))  # strays are looked for even where nothing is declared
    threading.Thread(target=REDACTOR.prepare, daemon=True).start()  # while the servers make their answers
    parts = _in_parallel(
        [
            lambda p=provider, w=wanted: p.read(w, owned, also if p is cluster else ())
            for provider, wanted in groups.values()
        ]
    )
    return _merged(parts), unsupported


MadeValues: TypeAlias = tuple[tuple[FieldPath, OutputRef | OutputTemplate], ...]


@dataclass(frozen=True, slots=True)
class PreviewedResources:
    """The previews of all resources. `resources` have the known outputs filled in, `observations` are those after
    that; `made` are the values among them that another resource made (planner.plan.Change)."""

    previews: Mapping[Address, Preview] = field(default_factory=dict)
    resources: Mapping[Address, Resource] = field(default_factory=dict)
    observations: Mapping[Address, Observation] = field(default_factory=dict)
    made: Mapping[Address, MadeValues] = field(default_factory=dict)


def preview_with_all_providers(
    providers: ProviderTable,
    resources: Mapping[Address, Resource],
    observations: Mapping[Address, Observation],
    graph: ResourceGraph,
) -> PreviewedResources:
    """Preview what an apply would make of every resource, through its provider.

    Resources without references are predicted in one round. Those that take outputs of others follow in rounds, each
    when everything that it takes from is settled. A hwplan kind is read again then: where it stands (a ref that is
    named after a commit) may be among what was filled in.
    """
    previews: dict[Address, Preview] = {}
    filled = dict(resources)
    seen = dict(observations)
    made: dict[Address, MadeValues] = {}
    waiting = {address: _sources(resource.manifest) for address, resource in resources.items()}
    while waiting:
        ready = [
            address
            for address in graph.order()
            if address in waiting and not any(source in waiting for source in waiting[address])
        ]
        outputs = _known_outputs(seen, previews)
        taking = [address for address in ready if waiting[address]]
        filled |= {address: _fill(resources[address], outputs) for address in taking}
        made |= {address: _made(resources[address], outputs, resources) for address in taking}
        own = [filled[address] for address in taking if is_hwplan_kind(filled[address].api_version)]
        seen |= read_with_all_providers(providers, own, (), ())[0].observations if own else {}
        readable = [address for address in ready if not isinstance(seen.get(address), UnreadableObject)]
        previews |= _preview_round(providers, [filled[address] for address in readable], seen)
        for address in ready:
            del waiting[address]
        if not ready:  # only a cycle gets here, and the graph has refused cycles
            raise AssertionError("references form a cycle")
    return PreviewedResources(previews, filled, seen, made)


def _preview_round(
    providers: ProviderTable, resources: Sequence[Resource], observations: Mapping[Address, Observation]
) -> dict[Address, Preview]:
    groups, _ = _by_provider(providers, resources)
    parts = _in_parallel(
        [
            lambda p=provider, w=wanted: p.preview(
                [(r, observations.get(r.address, AbsentObject(r.address))) for r in w]
            )
            for provider, wanted in groups.values()
        ]
    )
    return {address: preview for part in parts for address, preview in part.items()}


def _by_provider(
    providers: ProviderTable, resources: Sequence[Resource]
) -> tuple[dict[int, tuple[Provider, list[Resource]]], dict[Address, str]]:
    groups: dict[int, tuple[Provider, list[Resource]]] = {}
    unsupported: dict[Address, str] = {}
    for resource in resources:
        try:
            provider = providers.of(resource.api_version, resource.address.kind)
        except PermanentError as error:
            unsupported[resource.address] = error.message
            continue
        groups.setdefault(id(provider), (provider, []))[1].append(resource)
    return groups, unsupported


def _in_parallel(calls: list) -> list:  # type: ignore[type-arg]  # one helper for two result types
    if len(calls) == 1:
        return [calls[0]()]
    from concurrent.futures import ThreadPoolExecutor  # it brings logging along, which nothing else here needs

    with ThreadPoolExecutor(max_workers=max(1, len(calls))) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def _merged(parts: Sequence[ReadResult]) -> ReadResult:
    return ReadResult(
        {address: seen for part in parts for address, seen in part.observations.items()},
        tuple(stray for part in parts for stray in part.strays),
        tuple(place for part in parts for place in part.unlisted),
        tuple(warning for part in parts for warning in part.warnings),
        tuple(sorted({name for part in parts for name in part.sets})),
    )


def _sources(manifest: JsonValue) -> set[Address]:
    """The resources whose outputs a document takes."""
    found: set[Address] = set()
    for leaf in outputs_in_document(manifest):
        refs = (leaf,) if isinstance(leaf, OutputRef) else (part for part in leaf.parts if isinstance(part, OutputRef))
        found.update(ref.address for ref in refs)
    return found


def _known_outputs(observations: Mapping[Address, Observation], previews: Mapping[Address, Preview]) -> Outputs:
    """Outputs that will not change: the predicted ones, and the observed ones of what needs nothing."""
    known: dict[Address, dict[str, Json]] = {}
    for address, preview in previews.items():
        seen = observations.get(address)
        settled = preview.effect is PreviewEffect.NONE and isinstance(seen, PresentObject)
        known[address] = {**(seen.outputs if settled and isinstance(seen, PresentObject) else {}), **preview.outputs}
    return known


def _fill(resource: Resource, outputs: Outputs) -> Resource:
    return replace(resource, manifest=_value(resource.manifest, outputs))


def _value(value: JsonValue, outputs: Outputs) -> Json:
    return substitute_outputs(value, lambda ref: outputs.get(ref.address, {}).get(ref.output))


def _made(resource: Resource, outputs: Outputs, resources: Mapping[Address, Resource]) -> MadeValues:
    """The places of a document that are filled in with what another resource made, as they were declared. An output
    that was read as content (a commit, a digest) stays filled in there too."""
    content = {address: known for address, known in outputs.items() if not _is_maker(resources.get(address))}
    found = []
    for path, leaf in value_leaves(resource.manifest):
        if isinstance(leaf, OutputRef | OutputTemplate):
            declared, filled = _value(leaf, content), _value(leaf, outputs)
            found += [(path, declared)] if outputs_in_document(declared) and declared != filled else []
    return tuple(found)


def _is_maker(resource: Resource | None) -> bool:
    return resource is not None and (not is_hwplan_kind(resource.api_version) or resource.address.kind in MAKERS)
