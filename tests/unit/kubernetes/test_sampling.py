"""A straight apply of many new objects asks about one of each kind and namespace, and about all where it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import pytest

from planner.address import Address
from planner.ports import Preview
from planner.resource import Resource
from planner.source_line_ref import SourceRef
from providers.cluster_interface import ServedKubernetesKind
from providers.kubernetes.object_location import ObjectLocation
from providers.kubernetes.parallel_map import ParallelMap
from providers.kubernetes.preview.change_previewer import ChangePreviewer
from providers.kubernetes.preview.preview_input import PreviewInput
from providers.kubernetes.preview.sampled_previews import ASKED_ABOUT_EACH, preview_sample_of_new_objects

KIND = ServedKubernetesKind("v1", "ConfigMap", "configmaps", namespaced=True)


@dataclass(frozen=True)
class _Cluster:
    simulated: bool = False


@dataclass
class _Judge:
    """Refuses what stands in the namespace `gone`, and remembers what it was asked."""

    dry_creates: bool = False
    cluster: _Cluster = field(default_factory=_Cluster)
    asked: list[str] = field(default_factory=list)

    def predicted(self, case: PreviewInput) -> Preview:
        self.asked.append(case.location.name)
        return Preview(case.effect, blocked="no such namespace" if case.location.namespace == "gone" else "")

    def predicted_by_schema(self, case: PreviewInput) -> Preview:
        return Preview(case.effect)


def _case(namespace: str, name: str, *, live: bool = False, unknown: bool = False) -> PreviewInput:
    address = Address("", "ConfigMap", "", namespace, name)
    resource = Resource(address, "v1", {}, "s", "", SourceRef("a.yaml"))
    return PreviewInput(
        resource, ObjectLocation(KIND, namespace, name), {}, {"a": 1} if live else None, "", unknown=unknown
    )


def _judged(judge: _Judge, cases: list[PreviewInput]) -> Mapping[str, Preview]:
    found = preview_sample_of_new_objects(cast(ChangePreviewer, judge), cases, ParallelMap(1))
    assert list(found) and len(found) == len(cases)
    return {address.local: preview for address, preview in found.items()}


MANY = [_case("ok", f"ok{number}") for number in range(ASKED_ABOUT_EACH)]


def test_few_are_asked_about_one_by_one() -> None:
    judge = _Judge()
    _judged(judge, MANY)
    assert len(judge.asked) == len(MANY)


def test_of_many_one_of_each_namespace_speaks_for_the_others() -> None:
    judge = _Judge()
    cases = [*MANY, _case("other", "first"), _case("other", "second"), _case("ok", "live", live=True)]
    _judged(judge, cases)
    assert sorted(judge.asked) == ["first", "live", "ok0"]


def test_a_refusal_asks_about_the_whole_group() -> None:
    judge = _Judge()
    previews = _judged(judge, [*MANY, *(_case("gone", f"gone{number}") for number in range(3))])
    assert {name for name, one in previews.items() if one.blocked} == {f"ConfigMap/gone/gone{n}" for n in range(3)}
    assert sorted(judge.asked) == ["gone0", "gone1", "gone2", "ok0"]


def test_a_document_that_is_known_as_a_whole_is_the_better_sample() -> None:
    judge = _Judge()
    _judged(judge, [_case("ok", "later", unknown=True), *MANY])
    assert judge.asked == ["ok0"]


@pytest.mark.parametrize("judge", [_Judge(dry_creates=True), _Judge(cluster=_Cluster(simulated=True))])
def test_a_plan_and_a_sandbox_ask_about_each(judge: _Judge) -> None:
    _judged(judge, [*MANY, _case("ok", "one more")])
    assert len(judge.asked) == ASKED_ABOUT_EACH + 1
