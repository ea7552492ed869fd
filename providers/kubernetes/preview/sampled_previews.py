"""Which new objects a straight apply asks the server about before it writes (docs/adr/0034). Pure but for the judge.

A plan asks about each. Where a plan is applied in one breath, and new objects are many, one of each kind and namespace
speaks for the others: a missing or ending namespace, a quota that is used up, a webhook that is down and a right that
is missing are determined by the first. Where it is refused, each of its group is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from planner.address import Address
from planner.ports import Preview
from providers.kubernetes.parallel_map import ParallelMap
from providers.kubernetes.preview.change_previewer import ChangePreviewer
from providers.kubernetes.preview.preview_input import PreviewInput

ASKED_ABOUT_EACH = 200  # new objects: the answers take a quarter of a second
_Group: TypeAlias = tuple[str, str, str]


def preview_sample_of_new_objects(
    judge: ChangePreviewer, cases: Sequence[PreviewInput], parallel: ParallelMap
) -> Mapping[Address, Preview]:
    """The preview of each case; of many new objects of one kind and namespace only one is asked about at the server."""
    samples = _samples(cases)
    if judge.dry_creates or judge.cluster.simulated or _new(cases) <= ASKED_ABOUT_EACH:
        return _by_address(cases, parallel.map(judge.predicted, cases))
    asked = [case for case in cases if case.live is not None or samples[_group(case)] is case]
    found = _by_address(asked, parallel.map(judge.predicted, asked))
    refused = {group for group, case in samples.items() if found[case.resource.address].blocked}
    rest = [case for case in cases if case.resource.address not in found]
    doubtful = [case for case in rest if _group(case) in refused]
    others = [case for case in rest if _group(case) not in refused]
    found |= _by_address(doubtful, parallel.map(judge.predicted, doubtful))
    return found | _by_address(others, parallel.map(judge.predicted_by_schema, others))


def _new(cases: Sequence[PreviewInput]) -> int:
    return sum(case.live is None for case in cases)


def _samples(cases: Sequence[PreviewInput]) -> dict[_Group, PreviewInput]:
    """Of each group the first new object; one whose document is known as a whole, if there is one."""
    found: dict[_Group, PreviewInput] = {}
    for case in cases:
        if case.live is None and (_group(case) not in found or found[_group(case)].unknown):
            found[_group(case)] = case
    return found


def _group(case: PreviewInput) -> _Group:
    return case.location.kind.api_version, case.location.kind.kind, case.location.namespace


def _by_address(cases: Sequence[PreviewInput], previews: Sequence[Preview]) -> dict[Address, Preview]:
    return {case.resource.address: preview for case, preview in zip(cases, previews, strict=True)}
