"""References to outputs (`!ref Kind/name#output`, `!sub`) are held to what the kind declares, with a suggestion.

Kinds whose outputs depend on the effect (a pipeline's results, fields of a Kubernetes object) are left to the plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.address import Address, is_hwplan_kind
from planner.loading.document_origin import Path
from planner.loading.problems import did_you_mean
from planner.loading.resource_collector import ResourceCollector
from planner.values import JsonValue, OutputRef, OutputTemplate


def check_output_refs(intake: ResourceCollector) -> None:
    """Report every reference to an output that its kind does not have. Raises nothing."""
    for address in intake.referring:
        for path, ref in _refs(intake.resources[address].manifest, ()):
            names = _output_names(ref, address, intake)
            if names is not None and ref.output not in names and ref.output.partition(".")[0] not in names:
                text = f"{ref.address.kind} has no output {ref.output}"
                intake.origins[address].problem(intake.problems, path, text, did_you_mean(ref.output, names))


def _output_names(ref: OutputRef, address: Address, intake: ResourceCollector) -> list[str] | None:
    """The outputs of what is referred to; None where it is not here, or nobody can say."""
    here = ref.address._replace(node_lane=ref.address.node_lane or address.node_lane)
    found = intake.resources.get(here) or intake.resources.get(ref.address)
    if found is None or not is_hwplan_kind(found.api_version):
        return None
    from planner.plugins import model_of_kind  # models: only where there is a hwplan kind

    model = model_of_kind(found.address.kind)
    names = model.output_names(found.manifest) if model is not None else None
    return None if names is None else sorted(names)


def _refs(value: JsonValue, path: Path) -> Iterator[tuple[Path, OutputRef]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _refs(item, (*path, key))
        case list():
            for at, item in enumerate(value):
                yield from _refs(item, (*path, at))
        case OutputRef():
            yield path, value
        case OutputTemplate():
            yield from ((path, part) for part in value.parts if isinstance(part, OutputRef))
